"""A retried POST happens once: its first answer is stored with its effect, and replayed to the same key."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from psycopg.errors import LockNotAvailable
from starlette.requests import Request
from starlette.responses import Response

from leadwright.errors import Conflict, InvalidRequest
from leadwright.postgres.pool import STATEMENT_TIMEOUT_SECONDS, Connection

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
LONGEST_WAIT_SECONDS = 30
LONGEST_LOCK_WAIT = f"{STATEMENT_TIMEOUT_SECONDS - 1}s"  # so that it ends before the statement does


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under a key: ``request_hash`` covers method, path, query and body."""

    workspace_id: str
    key: str
    request_hash: bytes


def attempt_of(request: Request, body: bytes, workspace_id: str) -> Attempt | None:
    """The attempt when the request carries a key. Raises InvalidRequest for an unusable key."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidRequest(f"{HEADER}: expected 1 to {LONGEST_KEY} printable characters")
    parts = (request.method.encode(), request.scope["path"].encode(), request.scope["query_string"], body)
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts))
    return Attempt(workspace_id, key, digest.digest())


class Waiting:
    """Lets the requests of this process with one key wait for each other without holding connections."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, attempt: Attempt) -> AsyncGenerator[None]:
        """Raises Conflict when the earlier request takes longer than 30 s."""
        place = (attempt.workspace_id, attempt.key)
        lock, users = self._locks.get(place, (asyncio.Lock(), 0))
        self._locks[place] = (lock, users + 1)
        try:
            try:
                await asyncio.wait_for(lock.acquire(), LONGEST_WAIT_SECONDS)
            except TimeoutError as error:
                raise _still_running() from error
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(place)

    def _leave(self, place: tuple[str, str]) -> None:
        lock, users = self._locks[place]
        if users == 1:
            del self._locks[place]
        else:
            self._locks[place] = (lock, users - 1)


async def begin(connection: Connection, attempt: Attempt, now: datetime) -> Response | None:
    """Claims the key, or answers with what the first request got. Raises Conflict when the key is another's.

    The claim is a row of the running transaction: a second process waits on it in the unique index.
    """
    await connection.execute("SELECT set_config('lock_timeout', %s, true)", (LONGEST_LOCK_WAIT,))
    try:
        cursor = await connection.execute(
            """
            INSERT INTO idempotency_record AS old (workspace_id, key, request_hash, created_at)
            VALUES (%(workspace)s, %(key)s, %(hash)s, %(now)s)
            ON CONFLICT (workspace_id, key) DO UPDATE
            SET request_hash = excluded.request_hash, created_at = excluded.created_at,
                status = NULL, body = NULL
            WHERE old.created_at < %(expired)s
            RETURNING 1
            """,
            {
                "workspace": attempt.workspace_id,
                "key": attempt.key,
                "hash": attempt.request_hash,
                "now": now,
                "expired": now - KEPT_FOR,
            },
        )
    except LockNotAvailable as error:
        raise _still_running() from error
    return None if await cursor.fetchone() else await _stored(connection, attempt)


async def _stored(connection: Connection, attempt: Attempt) -> Response:
    cursor = await connection.execute(
        "SELECT request_hash, status, body FROM idempotency_record WHERE workspace_id = %s AND key = %s",
        (attempt.workspace_id, attempt.key),
    )
    row = await cursor.fetchone()
    if row is None or row[0] != attempt.request_hash:
        raise Conflict(f"{HEADER} was used before for another request", code="idempotency_key_reused")
    return Response(row[2], row[1], {REPLAYED_HEADER: "true"}, "application/json")


async def finish(connection: Connection, attempt: Attempt, response: Response) -> None:
    """Stores the answer, without the secret that it may show; commits with its effect."""
    await connection.execute(
        "UPDATE idempotency_record SET status = %s, body = %s WHERE workspace_id = %s AND key = %s",
        (response.status_code, without_secret(bytes(response.body)), attempt.workspace_id, attempt.key),
    )


def without_secret(body: bytes) -> bytes:
    """An answer shows a secret once, in the field ``secret`` at its top: a replay has null there."""
    if b'"secret"' not in body:
        return body
    answer = msgspec.json.decode(body)
    if not isinstance(answer, dict) or "secret" not in answer:
        return body
    return msgspec.json.encode(answer | {"secret": None})


async def forget_expired(connection: Connection, now: datetime) -> int:
    """Deletes what is older than 24 h, a thousand at a time; answers how many."""
    cursor = await connection.execute(
        """
        DELETE FROM idempotency_record WHERE (workspace_id, key) IN (
            SELECT workspace_id, key FROM idempotency_record WHERE created_at < %s LIMIT 1000)
        """,
        (now - KEPT_FOR,),
    )
    return cursor.rowcount


def _still_running() -> Conflict:
    return Conflict("A request with this Idempotency-Key is still running", code="idempotency_in_progress")
