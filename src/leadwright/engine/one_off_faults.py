"""Why a one-off deed is not planned, or did not happen: the faults that its caller is told."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadwright import errors
from leadwright.channels.channel import Outcome, RateLimited, SenderDown, Temporary
from leadwright.engine.one_off_store import Told
from leadwright.errors import Detail, InvalidRequest, LeadwrightError, Unavailable
from leadwright.senders.limits import QuotaKind
from leadwright.senders.model import Sender, SenderStatus
from leadwright.senders.quotas import Standing

RETRY_SECONDS = 60
"""When a deed may be tried again whose channel did not say."""
_NOUN = {QuotaKind.MESSAGES: "message", QuotaKind.CONNECTIONS: "connection"}


def sender_not_found() -> InvalidRequest:
    return InvalidRequest(
        "Invalid request or sender not found",
        code="sender_not_found",
        details=[Detail("senderId", "expected the id of a sender of this workspace")],
    )


def no_sender() -> InvalidRequest:
    return InvalidRequest(
        "senderId: the lead has no sender yet, and none is connected to the person",
        code="recipient_not_connected",
        details=[Detail("senderId", "is required: the lead has no sender yet, and none is connected to the person")],
    )


def not_connected() -> InvalidRequest:
    return InvalidRequest("The recipient is not connected to the sender", code="recipient_not_connected")


def recipient_suppressed() -> InvalidRequest:
    return InvalidRequest("The recipient is on the do-not-contact list", code="recipient_suppressed")


def unusable(sender: Sender, now: datetime) -> LeadwrightError:
    """For a sender that rests, or that a person must mend."""
    if sender.status is SenderStatus.RATE_LIMITED and sender.status_until is not None:
        message = f"The sender rests until {sender.status_until:%Y-%m-%d %H:%M} UTC: {sender.status_reason}"
        return errors.RateLimited(message, retry_after=_seconds(sender.status_until, now), code="sender_rate_limited")
    reason = f": {sender.status_reason}" if sender.status_reason else ""
    return InvalidRequest(f"The sender is {sender.status.replace('_', ' ')}{reason}", code="sender_unavailable")


def no_room(kind: QuotaKind, standing: Standing, next_at: datetime | None, now: datetime) -> errors.RateLimited:
    """The cap that is reached, else the sender's gap."""
    wait = _seconds(next_at or standing.resets_at, now)
    if standing.limit is not None and standing.used >= standing.limit:
        return errors.RateLimited(f"Daily {_NOUN[kind]} limit exceeded", retry_after=wait, code="daily_limit_exceeded")
    if standing.week_limit is not None and standing.week_used >= standing.week_limit:
        return errors.RateLimited(
            f"Weekly {_NOUN[kind]} limit exceeded", retry_after=wait, code="weekly_limit_exceeded"
        )
    return too_soon(next_at or now, now)


def too_soon(next_at: datetime, now: datetime) -> errors.RateLimited:
    wait = _seconds(next_at, now)
    message = f"The sender's gap between two deeds is not over: try again in {wait} seconds"
    return errors.RateLimited(message, retry_after=wait, code="sender_gap")


def _seconds(until: datetime, now: datetime) -> int:
    """Rounded up: so late it is certainly over."""
    return max(1, -((now - until) // timedelta(seconds=1)))


def refused(told: Told) -> InvalidRequest:
    """For a deed that its channel could not do, now or later."""
    if told.error_code == "not_connected":
        return not_connected()
    why = (told.error_code or "refused").replace("_", " ")
    return InvalidRequest(
        f"The channel could not do it: {why}{f' ({told.error_message})' if told.error_message else ''}",
        code="channel_refused",
    )


def passing(outcome: Outcome) -> LeadwrightError:
    """For a deed that certainly did not happen, for a reason that passes."""
    after = outcome.retry_after if isinstance(outcome, Temporary | RateLimited | SenderDown) else None
    wait = RETRY_SECONDS if after is None else int(after.total_seconds()) + 1
    told = getattr(outcome, "message", None) or "it could not be reached"
    if isinstance(outcome, RateLimited):
        return errors.RateLimited(
            f"The channel lets the account rest: {told}", retry_after=wait, code="sender_rate_limited"
        )
    return Unavailable(f"The channel could not do it now: {told}", retry_after=wait, code="channel_failed")


def not_rendered(message: str) -> InvalidRequest:
    return InvalidRequest.of([Detail("message", message)])


def missing_fields(fields: Sequence[str]) -> InvalidRequest:
    """Nobody is sent a hole."""
    named = ", ".join(fields)
    return not_rendered(f"the lead has no {named}; fill it in, or give a fallback with `default:`")
