"""What deeds came to: written down, told, counted, and the leads sent on to the step that follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadwright.channels.channel import Done, Later, Outcome, Permanent, RateLimited, SenderDown, Temporary, Unknown
from leadwright.engine import action_store, store
from leadwright.engine.action_store import Action, Settlement
from leadwright.engine.courses import Sequences
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Status
from leadwright.engine.sequence import StepType
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
"""How long a deed that failed for a passing reason is put off, each time; then it has failed."""
ASK_EVERY = timedelta(minutes=5)
"""How soon a channel is asked again about a deed that it does not know of yet."""
STOP_ASKING_AFTER = timedelta(hours=1)
"""An uncertain deed is then a person's to resolve."""

_STATUS_OF_FAULT = {
    "profile_unreachable": Status.PROFILE_UNREACHABLE,
    "blocked": Status.BLOCKED,
    "not_connected": Status.NOT_CONNECTED,
}
_STATUS_OF_DEED = {
    StepType.VISIT_PROFILE: Status.PROFILE_VIEWED,
    StepType.LIKE_POST: Status.LIKED_POST,
    StepType.CONNECT: Status.CONNECTION_SENT,
    StepType.WITHDRAW_CONNECTION: Status.CONNECTION_WITHDRAWN,
}
CONTACTS = frozenset({StepType.CONNECT, StepType.MESSAGE, StepType.EMAIL})


@dataclass(frozen=True, slots=True)
class Settled:
    """An action and its outcome; ``token`` is the one it was begun, or asked about, with."""

    action: Action
    token: int
    outcome: Outcome
    simulated: bool = False


async def settle(
    connection: Connection, sequences: Sequences, workspace_id: str, settled: Sequence[Settled], now: datetime
) -> int:
    """Records outcomes of one workspace's actions, in one transaction, and answers how many were news.

    An outcome whose token has passed on is dropped: somebody else has decided what became of that action.
    """
    rows = await store.lock(connection, workspace_id, [s.action.lead_id for s in settled if s.action.lead_id])
    written = [_settlement(each, now) for each in settled]
    accepted = await action_store.settle(connection, workspace_id, written)
    news = [(s, w) for s, w in zip(settled, written, strict=True) if s.action.id in accepted]
    movement = Movement(workspace_id, now, Ledger(workspace_id))
    for each, row_written in news:
        if not row_written.keeps_quota:
            await senders.give_back(connection, workspace_id, each.action.sender_id, each.action.quota)
        await _report_sender(connection, workspace_id, each, now)
        row = rows.get(each.action.lead_id or "")
        await _apply(connection, sequences, movement, each, row_written, row)
    await movement.write(connection)
    return len(news)


def _settlement(settled: Settled, now: datetime) -> Settlement:
    action, outcome = settled.action, settled.outcome
    match outcome:
        case Done():
            return Settlement(
                action.id,
                settled.token,
                "done",
                now,
                external_id=outcome.external_id,
                keeps_quota=not outcome.already_connected,
                finished_at=now,
            )
        case Later():
            return Settlement(
                action.id, settled.token, "performing", now, awaiting=outcome.awaiting, external_id=outcome.external_id
            )
        case Permanent():
            return _not_done(settled, "failed", outcome.code, outcome.message, now)
        case Temporary():
            over = action.attempt > len(RETRY_AFTER)
            return _not_done(settled, "failed" if over else "cancelled", outcome.code, outcome.message, now)
        case RateLimited() | SenderDown():
            return _not_done(settled, "cancelled", "sender_unavailable", outcome.message, now)
        case Unknown():
            since = now - (action.performing_at or action.planned_at)
            again = now + ASK_EVERY if since < STOP_ASKING_AFTER else datetime.max.replace(tzinfo=now.tzinfo)
            return Settlement(action.id, settled.token, "uncertain", again, error_message=outcome.message)


def _not_done(settled: Settled, state: str, code: str, message: str | None, now: datetime) -> Settlement:
    return Settlement(
        settled.action.id,
        settled.token,
        state,
        now,
        error_code=code,
        error_message=message,
        keeps_quota=False,
        finished_at=now,
    )
