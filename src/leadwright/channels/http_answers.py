"""What an operator's endpoint may answer to a deed, read into an outcome; pure."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal, cast, get_args

import msgspec

from leadwright.channels.channel import (
    Done,
    Later,
    Outcome,
    Permanent,
    PermanentCode,
    RateLimited,
    SenderDown,
    Temporary,
    Unknown,
)
from leadwright.outbound.client import Answer

MOST_ALIASES = 20
LONGEST_MESSAGE = 500
LONGEST_EXTERNAL_ID = 500
REFUSED_AGAIN = timedelta(minutes=15)
"""How soon an endpoint that wants no requests of ours (401, 403, 404, a redirect) is tried again."""

Word = Literal[
    "done",
    "already_connected",
    "already_invited",
    "accepted",
    "failed",
    "temporary",
    "not_done",
    "rate_limited",
    "disconnected",
    "unknown",
]
_CODES = frozenset(get_args(PermanentCode))


class Body(msgspec.Struct, rename="camel"):
    """The JSON of an answer. ``retry_after`` in seconds."""

    status: Word
    external_id: str | None = None
    known_as: list[str] = msgspec.field(default_factory=list[str])
    profile: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None


def read_answer(answer: Answer) -> Outcome:
    """A body in the words of the protocol counts whatever its HTTP status; without one the HTTP status does."""
    try:
        body = msgspec.convert(_without_nul(msgspec.json.decode(answer.body)), Body)
    except (msgspec.MsgspecError, UnicodeError):
        return _by_status(answer)
    retry_after = _seconds(body.retry_after) or _seconds(answer.retry_after)
    return outcome_of(body, retry_after)


def _without_nul(told: Any) -> Any:
    """No text of PostgreSQL can hold NUL, wherever in the answer an endpoint puts one."""
    match told:
        case str():
            return told.replace("\0", "")
        case dict():
            pairs = cast(dict[str, Any], told).items()
            return {name.replace("\0", ""): _without_nul(value) for name, value in pairs}
        case list():
            return [_without_nul(value) for value in cast(list[Any], told)]
        case _:
            return told


def outcome_of(body: Body, retry_after: timedelta | None) -> Outcome:
    message = body.message and body.message[:LONGEST_MESSAGE]
    return _READ[body.status](body, message, retry_after)


def _done(found: Literal["already_connected", "already_invited"] | None) -> "_Read":
    def read(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
        del retry_after
        return Done(_external_id(body), found, tuple(body.known_as[:MOST_ALIASES]), body.profile, message)

    return read


def _accepted(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    del message, retry_after
    return Later("channel", _external_id(body))


def _failed(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    del retry_after
    code = body.code or "refused"
    if code in _CODES and code != "skipped":
        return Permanent(code, message)  # pyright: ignore[reportArgumentType] -- one of them, as was just checked
    return Permanent("refused", message or (body.code and body.code[:LONGEST_MESSAGE]))


def _temporary(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    return Temporary((body.code or body.status)[:100], message, retry_after)


def _rate_limited(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    del body
    return RateLimited(message, retry_after)


def _disconnected(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    del body
    return SenderDown(message, retry_after)


def _unknown(body: Body, message: str | None, retry_after: timedelta | None) -> Outcome:
    del body, retry_after
    return Unknown(message or "the endpoint does not know")


_Read = Callable[[Body, str | None, timedelta | None], Outcome]
_READ: Mapping[str, _Read] = {
    "done": _done(None),
    "already_connected": _done("already_connected"),
    "already_invited": _done("already_invited"),
    "accepted": _accepted,
    "failed": _failed,
    "temporary": _temporary,
    "not_done": _temporary,
    "rate_limited": _rate_limited,
    "disconnected": _disconnected,
    "unknown": _unknown,
}


def _by_status(answer: Answer) -> Outcome:
    """An answer in other words: what it certainly means, and where that is nothing, that nobody knows."""
    status, after = answer.status, _seconds(answer.retry_after)
    told = f"the endpoint answered {status}"
    if status == 202:
        return Later("channel")
    if status == 429:
        return RateLimited(told, after)
    if status == 503:
        return Temporary("unavailable", told, after)
    if status in (400, 413, 422):
        return Permanent("refused", told)
    if 300 <= status < 500:
        return SenderDown(told, after or REFUSED_AGAIN)
    if status >= 500:
        return Unknown(told)
    return Unknown(f'{told} without a body such as {{"status": "done"}}')


def _external_id(body: Body) -> str | None:
    return body.external_id and body.external_id[:LONGEST_EXTERNAL_ID]


def _seconds(value: float | None) -> timedelta | None:
    if value is None or not 0 <= value <= 30 * 86_400:
        return None
    return timedelta(seconds=value)
