"""How much a caller may ask: requests a second by key, bytes of a body, and what a body must look like."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from starlette.requests import ClientDisconnect, Request

from leadwright.accounts import store
from leadwright.errors import InvalidRequest, PayloadTooLarge, RateLimited, UnsupportedMediaType
from leadwright.postgres.pool import Database

LEASE_SHARE = 20
LEASE_LIFETIME = timedelta(seconds=5)


@dataclass(slots=True)
class _Lease:
    """Requests that this process may let through, or refuse, without asking the database until a time."""

    until: datetime
    granted: int = 0
    left_in_bucket: int = 0
    refused: bool = False
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spent(self, now: datetime) -> bool:
        return self.until <= now or (self.granted < 1 and not self.refused)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the rate-limit headers tell: the rate, what is left, when it is whole again (Unix seconds)."""

    limit: int
    remaining: int
    reset: int
    admitted: bool

    def require(self) -> None:
        """Raises RateLimited for a request that came when the bucket was empty."""
        if not self.admitted:
            raise RateLimited(f"Rate limit of {self.limit} requests a second exceeded", retry_after=1)

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """A token bucket a key, shared by all processes: each takes blocks of a twentieth, so few requests write.

    A refusal is remembered for as long as a block takes to flow in, so refused requests do not write either.
    """

    def __init__(self, database: Database, rate: int) -> None:
        self._database = database
        self._rate = rate
        self._block = max(1, rate // LEASE_SHARE)
        self._time_for_a_block = timedelta(seconds=self._block / rate)
        self._leases: dict[str, _Lease] = {}

    async def admit(self, key_id: str, now: datetime) -> Allowance:
        """Counts one request; the allowance says whether it may go on."""
        lease = self._leases.setdefault(key_id, _Lease(until=now))
        if lease.spent(now):
            async with lease.renewing:  # else every request under way would take a block
                if lease.spent(now):
                    await self._renew(lease, key_id, now)
        admitted = lease.granted > 0
        lease.granted -= admitted
        return self._allowance(lease, now, admitted=admitted)

    async def _renew(self, lease: _Lease, key_id: str, now: datetime) -> None:
        async with self._database.session() as connection:
            granted, left = await store.lease_requests(connection, key_id, block=self._block, rate=self._rate, now=now)
        lease.granted, lease.left_in_bucket, lease.refused = granted, left, granted < 1
        lease.until = now + (self._time_for_a_block if lease.refused else LEASE_LIFETIME)

    def _allowance(self, lease: _Lease, now: datetime, *, admitted: bool) -> Allowance:
        remaining = lease.granted + lease.left_in_bucket
        whole_again = int(now.timestamp()) + (1 if remaining < self._rate else 0)
        return Allowance(self._rate, remaining, whole_again, admitted)


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises PayloadTooLarge before reading more than ``most`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large(most)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise too_large(most)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise InvalidRequest("The connection closed before the whole body had arrived") from error
    return b"".join(chunks)


def too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {most} bytes")


_JSON_LABEL = re.compile(r"application/(?:[^/\s]+\+)?json")


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters; empty when nothing is said."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def require_media(request: Request, taken: Sequence[str]) -> None:
    """Raises UnsupportedMediaType for a body that is not said to be of one of these types."""
    label = media_type(request)
    if label not in taken:
        said = f"Content-Type '{label[:100]}' is not supported" if label else "Content-Type is required"
        raise UnsupportedMediaType(f"{said}; send {' or '.join(taken)}")


def require_json(request: Request) -> None:
    """Raises UnsupportedMediaType for a body said to be other than JSON; an unlabelled one passes.

    Parameters without a type are a label too: the framework would take the body for plain text.
    """
    label = media_type(request) or request.headers.get("content-type", "").strip()
    if label and not _JSON_LABEL.fullmatch(label):
        raise UnsupportedMediaType(f"Content-Type '{label[:100]}' is not supported; send application/json")


def decode_json(body: bytes) -> Any:
    """The value of a JSON body. Raises InvalidRequest for what is not JSON, and for NUL characters in it."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deeply", code="invalid_json") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_json(body, error) from error
    if may_hold_nul(body):
        refuse_nul(value, "")
    return value


def _no_json(body: bytes, error: Exception) -> InvalidRequest:
    try:
        body.decode()
    except UnicodeDecodeError:
        return InvalidRequest("body: expected JSON in UTF-8", code="invalid_json")
    return InvalidRequest(f"The request body is not valid JSON: {error}", code="invalid_json")


_ESCAPED_NUL = re.compile(rb"\\u0000")


def may_hold_nul(body: bytes) -> bool:
    """A cheap look at the bytes; a literal backslash before ``u0000`` gives a false yes."""
    return _ESCAPED_NUL.search(body) is not None


def refuse_nul(value: Any, path: str) -> None:
    """Raises InvalidRequest naming the field that holds a NUL character, which PostgreSQL cannot store."""
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidRequest(f"{path or 'body'}: must not contain the NUL character", code="invalid_json")
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            refuse_nul(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, item in cast(dict[str, Any], value).items():
            refuse_nul(name, f"{path} (a field name)")
            refuse_nul(item, f"{path}.{name}" if path else name)
