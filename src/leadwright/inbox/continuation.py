"""Where a list of the inbox is read on: the token that a page ends with; pure.

A list in order of activity moves while it is read. So a token remembers, beside the place it ends at, which
transactions had committed when the first page was read: what has moved since is still listed where it stood then.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

LONGEST_TOKEN = 8_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF = 2**32
_MICROSECOND = timedelta(microseconds=1)
_WRITTEN = re.compile(r"(-?\d{1,18}) ([0-9a-f]{32}) (-|\d{1,18}:\d{1,18}:(?:\d{1,18}(?:,\d{1,18})*)?)")


@dataclass(frozen=True, slots=True)
class Continuation:
    """Read on behind this time and id. ``snapshot``: PostgreSQL's, of the first page; None where nothing moves."""

    place: datetime
    id: str
    snapshot: str | None = None


def written(continuation: Continuation, of: str) -> str:
    """The token. ``of`` names the list: with another one it is refused.

    That guards against mistakes, not against forgery: a token opens nothing.
    """
    micros = (continuation.place - _EPOCH) // _MICROSECOND
    text = f"{micros} {continuation.id} {continuation.snapshot or '-'}".encode()
    return base64.urlsafe_b64encode(_check(of, text) + text).decode().rstrip("=")


def read(token: str, of: str) -> Continuation | None:
    """What a token says, None when it is none of this list."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        found = _WRITTEN.fullmatch(raw[4:].decode("ascii"))
    except (binascii.Error, ValueError):
        return None
    if found is None or raw[:4] != _check(of, raw[4:]):
        return None
    return _continuation(int(found[1]), found[2], None if found[3] == "-" else found[3])


def _continuation(micros: int, row_id: str, snapshot: str | None) -> Continuation | None:
    try:
        place = _EPOCH + micros * _MICROSECOND
    except OverflowError:
        return None
    return Continuation(place, row_id, snapshot) if snapshot is None or _is_snapshot(snapshot) else None


def _is_snapshot(text: str) -> bool:
    """Whether PostgreSQL takes it: the transactions under way ascend between the first and the last.

    No transaction has a number whose lower half is zero.
    """
    first, last, listed = text.split(":")
    under_way = [int(number) for number in listed.split(",")] if listed else []
    ends = int(first), int(last)
    return (
        ends[0] <= ends[1]
        and all(end % _HALF for end in ends)
        and all(one < other for one, other in pairwise(under_way))
        and all(ends[0] <= number < ends[1] for number in under_way)
    )


def _check(of: str, text: bytes) -> bytes:
    return zlib.crc32(of.encode() + text).to_bytes(4, "big")
