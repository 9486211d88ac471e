"""How much a caller may ask: requests a second by key, bytes of a body, and what a body must look like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from leadwright.accounts import store
from leadwright.errors import InvalidRequest, PayloadTooLarge, RateLimited, UnsupportedMediaType
from leadwright.postgres.pool import Database

LEASE_SHARE = 20
LEASE_LIFETIME = timedelta(seconds=5)


@dataclass(slots=True)
class _Lease:
    """Requests that this process may let through without asking the database again."""

    granted: int = 0
    left_in_bucket: int = 0
    until: datetime = field(default_factory=lambda: datetime.min)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the rate-limit headers tell: the rate, what is left of it, and when it is whole again (Unix seconds)."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """A token bucket a key, shared by all processes: each takes blocks of a twentieth, so few requests write."""

    def __init__(self, database: Database, rate: int) -> None:
        self._database = database
        self._rate = rate
        self._block = max(1, rate // LEASE_SHARE)
        self._leases: dict[str, _Lease] = {}

    async def admit(self, key_id: str, now: datetime) -> Allowance:
        """Counts one request. Raises RateLimited when the bucket is empty."""
        lease = self._leases.setdefault(key_id, _Lease(until=now))
        if lease.granted < 1 or lease.until <= now:
            await self._renew(lease, key_id, now)
        if lease.granted < 1:
            raise RateLimited(f"Rate limit of {self._rate} requests a second exceeded", retry_after=1)
        lease.granted -= 1
        return self._allowance(lease, now)

    async def _renew(self, lease: _Lease, key_id: str, now: datetime) -> None:
        async with self._database.session() as connection:
            granted, left = await store.lease_requests(
                connection, key_id, block=self._block, rate=self._rate, now=now
            )
        lease.granted, lease.left_in_bucket, lease.until = granted, left, now + LEASE_LIFETIME

    def _allowance(self, lease: _Lease, now: datetime) -> Allowance:
        remaining = lease.granted + lease.left_in_bucket
        return Allowance(self._rate, remaining, int(now.timestamp()) + (1 if remaining < self._rate else 0))


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises PayloadTooLarge before reading more than ``most`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise InvalidRequest("The connection closed before the whole body had arrived") from error
    return b"".join(chunks)


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {most} bytes")


def require_json(request: Request) -> None:
    """Raises UnsupportedMediaType for a body that says it is something other than JSON; an unlabelled one passes."""
    label = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if label not in ("", "application/json", "text/json") and not label.endswith("+json"):
        raise UnsupportedMediaType(f"Content-Type '{label[:100]}' is not supported; send application/json")


def decode_json(body: bytes) -> Any:
    """The value of a JSON body. Raises InvalidRequest for what JSON or the database cannot hold, NUL included."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deeply", code="invalid_json") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}", code="invalid_json") from error
    if may_hold_nul(body):
        refuse_nul(value, "")
    return value


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
        for index, item in enumerate(value):  # type: ignore[reportUnknownArgumentType]
            refuse_nul(item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, item in value.items():  # type: ignore[reportUnknownVariableType]
            refuse_nul(name, f"{path} (a field name)")
            refuse_nul(item, f"{path}.{name}" if path else str(name))
