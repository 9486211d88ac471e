"""Which key makes a request, for which workspace, and whether it may."""

import asyncio
from datetime import datetime, timedelta

import psycopg
from starlette.requests import Request

from leadwright.accounts import store
from leadwright.accounts.model import Principal, key_digest
from leadwright.errors import Forbidden, Unauthorized, Unavailable
from leadwright.postgres.pool import Database

API_KEY_HEADER = "X-API-Key"
REMEMBERED_KEYS = 10_000
TOUCH_EVERY = timedelta(minutes=1)


class Authenticator:
    """Recognises keys, and notes that they are used.

    What a key may do never changes, so it is remembered; whether it still stands is asked anew in the
    transaction of every request (``confirm``), so that a revocation holds at once in every process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[bytes, Principal] = {}
        self._touched: dict[str, datetime] = {}
        self._touching: set[asyncio.Task[None]] = set()

    async def identify(self, request: Request, now: datetime) -> Principal:
        """Raises Unauthorized for a missing, unknown, revoked or expired key."""
        keys = {key.strip() for key in request.headers.getlist(API_KEY_HEADER)}
        if len(keys) > 1:
            raise Unauthorized(f"Send one API key: there are several {API_KEY_HEADER} headers", code="api_key_invalid")
        key = keys.pop() if keys else ""
        if not key:
            raise Unauthorized(f"Missing API key: send it in the {API_KEY_HEADER} header", code="api_key_missing")
        digest = key_digest(key)
        principal = self._remembered.get(digest) or await self._look_up(digest)
        if principal is None or principal.expired(now):
            raise invalid_key()
        return principal

    def confirm(self, principal: Principal, *, stands: bool) -> None:
        """Raises Unauthorized when the key was revoked since it was remembered."""
        if not stands:
            self.forget(principal)
            raise invalid_key()

    def forget(self, principal: Principal) -> None:
        self._remembered = {d: p for d, p in self._remembered.items() if p.key_id != principal.key_id}

    def note_use(self, principal: Principal, now: datetime) -> None:
        """Writes down the use of a key, beside the request and at most once a minute."""
        last = self._touched.get(principal.key_id)
        if last is not None and now - last < TOUCH_EVERY:
            return
        self._touched[principal.key_id] = now
        task = asyncio.get_running_loop().create_task(self._touch(principal.key_id, now))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._touching)

    async def _touch(self, key_id: str, now: datetime) -> None:
        try:
            async with self._database.session() as connection:
                await store.touch_key(connection, key_id, now)
        except (psycopg.Error, Unavailable):
            self._touched.pop(key_id, None)

    async def _look_up(self, digest: bytes) -> Principal | None:
        async with self._database.session() as connection:
            principal = await store.principal(connection, digest)
        if principal is not None:
            if len(self._remembered) >= REMEMBERED_KEYS:
                self._remembered.clear()
            self._remembered[digest] = principal
        return principal


def invalid_key() -> Unauthorized:
    return Unauthorized("Invalid API key", code="api_key_invalid")


def require_scope(principal: Principal, scope: str) -> None:
    if not principal.may(scope):
        raise Forbidden(f"Key lacks {scope}")
