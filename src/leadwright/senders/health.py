"""Whether a sender can act: taken out when its channel says so, back by itself, and what its failures come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadwright.channels.channel import Done, Outcome, Permanent, RateLimited, SenderDown, Temporary, Unknown
from leadwright.postgres.pool import Connection
from leadwright.senders import health_store
from leadwright.senders.model import Sender, SenderStatus

REST_AFTER_RATE_LIMIT = timedelta(hours=1)
"""How long a sender rests when its channel does not say."""
MOST_FAILURES = 10
"""Deeds of a sender that fail in a row, as ``fault_of`` says, before its campaigns are paused."""


def is_usable(sender: Sender, now: datetime) -> bool:
    """Whether it may act at this moment; one whose rest is over is tried again."""
    if sender.removed_at is not None:
        return False
    rested = sender.status_until is not None and sender.status_until <= now
    return sender.status is SenderStatus.ACTIVE or rested


@dataclass(frozen=True, slots=True)
class Rest:
    """Takes a sender out until ``until``; None: until a person says that it is mended."""

    sender_id: str
    status: SenderStatus
    reason: str
    until: datetime | None


async def report(
    connection: Connection, workspace_id: str, sender_id: str, outcome: Outcome, now: datetime
) -> frozenset[str]:
    """Notes what one deed says of its sender."""
    return await report_many(connection, workspace_id, [(sender_id, outcome)], now)


async def report_many(
    connection: Connection, workspace_id: str, outcomes: Sequence[tuple[str, Outcome]], now: datetime
) -> frozenset[str]:
    """Notes what deeds say of their senders, in their order; answers the senders that fail too often.

    The campaigns of those are to be paused, after this transaction: ``campaigns.service.pause_failing``.
    """
    runs = _runs(outcomes)
    rests = [rest for sender_id, outcome in outcomes if (rest := _rest(sender_id, outcome, now)) is not None]
    if rests:
        await health_store.rest(connection, workspace_id, list({rest.sender_id: rest for rest in rests}.values()), now)
    failures = await health_store.count_failures(connection, workspace_id, runs)
    return frozenset(sender_id for sender_id, count in failures.items() if count >= MOST_FAILURES)


@dataclass(frozen=True, slots=True)
class Run:
    """Failures at the end of a row of deeds; ``succeeded`` if one before them did not fail."""

    sender_id: str
    failures: int
    succeeded: bool


def _runs(outcomes: Sequence[tuple[str, Outcome]]) -> list[Run]:
    runs: dict[str, Run] = {}
    for sender_id, outcome in outcomes:
        run = runs.get(sender_id, Run(sender_id, 0, succeeded=False))
        if fault_of(outcome) is not None:
            runs[sender_id] = Run(sender_id, run.failures + 1, run.succeeded)
        elif isinstance(outcome, Done):
            runs[sender_id] = Run(sender_id, 0, succeeded=True)
    return list(runs.values())


def fault_of(outcome: Outcome) -> str | None:
    """The code of a failure, None of what is none.

    A person whom nobody can reach says nothing against the sender; one that rests does so for its own reasons.
    """
    match outcome:
        case Permanent():
            return outcome.code if outcome.code in ("refused", "not_supported") else None
        case Temporary():
            return outcome.code
        case Unknown():
            return "uncertain"
        case _:
            return None


def _rest(sender_id: str, outcome: Outcome, now: datetime) -> Rest | None:
    match outcome:
        case RateLimited():
            until = now + (outcome.retry_after or REST_AFTER_RATE_LIMIT)
            return Rest(sender_id, SenderStatus.RATE_LIMITED, outcome.message or "The channel says: enough", until)
        case SenderDown():
            until = now + outcome.retry_after if outcome.retry_after else None
            return Rest(sender_id, SenderStatus.DISCONNECTED, outcome.message or "The channel lost the account", until)
        case _:
            return None


async def forget_failures(connection: Connection, workspace_id: str, sender_id: str) -> None:
    """Counts anew, after what they came to."""
    await health_store.forget_failures(connection, workspace_id, sender_id)


async def restore(connection: Connection, now: datetime) -> Mapping[str, Sequence[str]]:
    """Makes active again whose rest is over; answers them by workspace."""
    return await health_store.restore(connection, now)
