"""What an outcome makes of its action; pure."""

from datetime import datetime, timedelta

import msgspec

from leadwright.channels.channel import Done, Later, Outcome, Permanent, RateLimited, SenderDown, Temporary, Unknown
from leadwright.engine.action_store import NEVER, Action, Settlement

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
"""How long a deed that failed for a passing reason is put off, each time; then it has failed."""
ASK_EVERY = timedelta(minutes=5)
"""How soon a channel is asked again about a deed that it does not know of yet."""
STOP_ASKING_AFTER = timedelta(hours=1)
"""An uncertain deed is then a person's to resolve."""
NOT_DONE = Temporary("not_done", retry_after=timedelta())
"""A person says that an uncertain deed did not happen: it is tried anew, however often it was tried."""
NOT_STARTED = Temporary("not_started", retry_after=timedelta())
"""The worker stopped, or its lease was all but over, before it came to the deed."""
_NO_ATTEMPT = frozenset({NOT_DONE.code, NOT_STARTED.code})


class Settled(msgspec.Struct, frozen=True):
    """An action and its outcome; ``token`` is the one it was begun, or asked about, with."""

    workspace_id: str
    action: Action
    token: int
    outcome: Outcome
    simulated: bool = False

    @property
    def is_as_before(self) -> bool:
        """A channel that was asked about an uncertain deed knows no more than before."""
        return self.action.state == "uncertain" and isinstance(self.outcome, Unknown)

    @property
    def tells_of_sender(self) -> bool:
        """Whether it counts for or against the sender; a doubt did already, and a worker's end is not its fault."""
        if isinstance(self.outcome, Temporary) and self.outcome.code in _NO_ATTEMPT:
            return False
        if isinstance(self.outcome, Unknown) and self.outcome.is_ours:
            return False
        return self.action.state != "uncertain" or not isinstance(self.outcome, Temporary | Permanent | Unknown)

    @property
    def word(self) -> str:
        """What it came to, as metrics call it."""
        match self.outcome:
            case Done():
                return "done"
            case Later():
                return "awaited"
            case Unknown():
                return "uncertain"
            case _:
                return "failed" if has_failed(self) else "postponed"


def is_exhausted(action: Action, outcome: Temporary) -> bool:
    return outcome.code not in _NO_ATTEMPT and action.attempt > len(RETRY_AFTER)


def has_failed(settled: Settled) -> bool:
    """Whether the deed did not happen and is not tried again."""
    outcome = settled.outcome
    if isinstance(outcome, Temporary):
        return is_exhausted(settled.action, outcome)
    return isinstance(outcome, Permanent)


def retry_at(action: Action, outcome: Temporary, now: datetime) -> datetime:
    """When a deed is tried again: when the channel says, else later each time."""
    if outcome.retry_after is not None:
        return now + outcome.retry_after
    return now + RETRY_AFTER[min(max(action.attempt, 1), len(RETRY_AFTER)) - 1]


def settlement(settled: Settled, now: datetime) -> Settlement:
    action, token, outcome = settled.action, settled.token, settled.outcome
    match outcome:
        case Done():
            return Settlement(
                action.id,
                token,
                "done",
                now,
                action.attempt,
                external_id=outcome.external_id,
                keeps_quota=outcome.found is None,
                finished_at=now,
            )
        case Later():
            return Settlement(
                action.id, token, "performing", now, action.attempt, outcome.awaiting, outcome.external_id
            )
        case Permanent():
            return _not_done(settled, "failed", outcome.code, outcome.message, now)
        case Temporary():
            state = "failed" if is_exhausted(action, outcome) else "cancelled"
            refund = int(outcome.code in _NO_ATTEMPT)
            return _not_done(settled, state, outcome.code, outcome.message, now, refund=refund)
        case RateLimited() | SenderDown():
            return _not_done(settled, "cancelled", "sender_unavailable", outcome.message, now, refund=1)
        case Unknown():
            since = now - (action.performing_at or action.planned_at)
            again = now + ASK_EVERY if since < STOP_ASKING_AFTER else NEVER
            return Settlement(action.id, token, "uncertain", again, action.attempt, error_message=outcome.message)


def _not_done(
    settled: Settled, state: str, code: str, message: str | None, now: datetime, *, refund: int = 0
) -> Settlement:
    return Settlement(
        settled.action.id,
        settled.token,
        state,
        now,
        max(0, settled.action.attempt - refund),
        error_code=code,
        error_message=message,
        keeps_quota=False,
        finished_at=now,
    )
