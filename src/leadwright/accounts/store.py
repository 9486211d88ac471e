"""The SQL of workspaces and API keys."""

from datetime import datetime

from psycopg.rows import class_row

from leadwright.accounts.model import ApiKey, Principal, Workspace
from leadwright.postgres.pool import Connection


async def insert_workspace(connection: Connection, workspace_id: str, name: str, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO workspace (id, name, created_at) VALUES (%s, %s, %s)", (workspace_id, name, now)
    )


async def workspaces(connection: Connection) -> list[Workspace]:
    """All of them, oldest first: for the operator's command line, not for a request."""
    async with connection.cursor(row_factory=class_row(Workspace)) as cursor:
        await cursor.execute("SELECT id, name, created_at FROM workspace ORDER BY created_at, id")
        return await cursor.fetchall()


async def workspace(connection: Connection, workspace_id: str) -> Workspace | None:
    async with connection.cursor(row_factory=class_row(Workspace)) as cursor:
        await cursor.execute("SELECT id, name, created_at FROM workspace WHERE id = %s", (workspace_id,))
        return await cursor.fetchone()


async def insert_key(connection: Connection, key: ApiKey, digest: bytes) -> None:
    await connection.execute(
        """
        INSERT INTO api_key (workspace_id, id, name, shown, digest, scopes, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            key.workspace_id,
            key.id,
            key.name,
            key.shown,
            digest,
            list(key.scopes),
            key.created_at,
            key.expires_at,
        ),
    )


async def keys(connection: Connection) -> list[ApiKey]:
    """Every key of every workspace, oldest first: for the operator's command line, not for a request."""
    async with connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        await cursor.execute(
            """
            SELECT id, workspace_id, name, shown, scopes, created_at, expires_at, revoked_at, last_used_at
            FROM api_key ORDER BY created_at, id
            """
        )
        return await cursor.fetchall()


async def rename_workspace(connection: Connection, workspace_id: str, name: str) -> None:
    await connection.execute("UPDATE workspace SET name = %s WHERE id = %s", (name, workspace_id))


async def keys_of(connection: Connection, workspace_id: str) -> list[ApiKey]:
    """Every key of one workspace, oldest first."""
    async with connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        await cursor.execute(
            """
            SELECT id, workspace_id, name, shown, scopes, created_at, expires_at, revoked_at, last_used_at
            FROM api_key WHERE workspace_id = %s ORDER BY id
            """,
            (workspace_id,),
        )
        return await cursor.fetchall()


async def revoke_key_of(connection: Connection, workspace_id: str, key_id: str, now: datetime) -> bool:
    cursor = await connection.execute(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, %s) WHERE workspace_id = %s AND id = %s",
        (now, workspace_id, key_id),
    )
    return cursor.rowcount > 0


async def revoke_key(connection: Connection, key_id: str, now: datetime) -> str | None:
    """The workspace of the key, None when there is no such key; one that was revoked before stays so."""
    cursor = await connection.execute(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, %s) WHERE id = %s RETURNING workspace_id", (now, key_id)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def revoke_keys_named(connection: Connection, workspace_id: str, name: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE api_key SET revoked_at = %s WHERE workspace_id = %s AND name = %s AND revoked_at IS NULL",
        (now, workspace_id, name),
    )


async def principal(connection: Connection, digest: bytes) -> Principal | None:
    """The holder of a key that is not revoked: the one look-up without a workspace, since it finds that."""
    cursor = await connection.execute(
        """
        SELECT id, name, workspace_id, scopes, expires_at FROM api_key
        WHERE digest = %s AND revoked_at IS NULL
        """,
        (digest,),
    )
    row = await cursor.fetchone()
    return None if row is None else Principal(row[0], row[1], row[2], tuple(row[3]), row[4])


STANDS = b"EXISTS (SELECT FROM api_key WHERE id = '%b' AND revoked_at IS NULL)"
"""Whether a key is not revoked, for a question that carries no parameters; the bare id is hexadecimal."""


async def begin_as(connection: Connection, key_id: str) -> bool:
    """Begins a transaction and tells whether the key still stands, in one round trip."""
    cursor = await connection.execute(b"BEGIN; SELECT " + STANDS % key_id.encode())
    cursor.nextset()
    row = await cursor.fetchone()
    return row is not None and row[0]


async def touch_key(connection: Connection, key_id: str, now: datetime) -> None:
    """Notes that a key was used, unless that was noted within the last minute."""
    await connection.execute(
        """
        UPDATE api_key SET last_used_at = %(now)s
        WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(now)s - interval '1 minute')
        """,
        {"id": key_id, "now": now},
    )


async def lease_requests(
    connection: Connection, key_id: str, *, block: int, rate: int, now: datetime
) -> tuple[int, int]:
    """Takes up to ``block`` requests out of the key's bucket (``rate`` a second, as many at once).

    Answers how many were granted and how many are left in the bucket.
    """
    cursor = await connection.execute(
        """
        INSERT INTO rate_bucket AS b (key_id, tokens, granted, refilled_at)
        VALUES (%(key)s, %(rate)s::float8 - %(block)s, %(block)s, %(now)s)
        ON CONFLICT (key_id) DO UPDATE SET (tokens, granted, refilled_at) = (
            SELECT filled.tokens - taken, taken, greatest(b.refilled_at, %(now)s)
            FROM (
                SELECT least(%(rate)s, b.tokens + %(rate)s * greatest(0, seconds)) AS tokens
                FROM (SELECT extract(epoch FROM %(now)s - b.refilled_at)::float8 AS seconds) AS since
            ) AS filled, LATERAL (SELECT least(%(block)s, floor(filled.tokens)) AS taken) AS request)
        RETURNING granted, floor(tokens)
        """,
        {"key": key_id, "rate": rate, "block": block, "now": now},
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
