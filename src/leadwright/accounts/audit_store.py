"""The SQL of the audit log: who did what, written with the change itself and never changed."""

from datetime import datetime
from typing import LiteralString

from psycopg import sql
from psycopg.rows import class_row

from leadwright.accounts.model import AuditEntry
from leadwright.postgres.pool import Connection
from leadwright.postgres.together import SMALLINT, TEXT, UUID

_INSERT = """
    INSERT INTO audit_entry (id, workspace_id, at, action, path, status, key_id, key_name, address, request_id)
    VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {})
"""
_INSERT_AND_COMMIT = sql.SQL(_INSERT + "; COMMIT")


# A part of a statement that makes a change and commits by itself: one entry when its ``target`` is there.
ENTRY_OF_TARGET: LiteralString = """
    INSERT INTO audit_entry (id, workspace_id, at, action, path, status, key_id, key_name, address, request_id)
    SELECT %(audit)s, %(workspace)s, %(now)s, %(action)s, %(path)s, %(status)s, %(api_key)s, %(key_name)s, %(address)s,
           %(request)s
    FROM target
"""
TYPES = {
    "audit": UUID,
    "action": TEXT,
    "path": TEXT,
    "status": SMALLINT,
    "key_name": TEXT,
    "address": TEXT,
    "request": TEXT,
}
"""The parameters of ENTRY_OF_TARGET beside ``workspace``, ``now`` and ``api_key``, which the change has anyway."""


def values(entry: AuditEntry) -> dict[str, bytes | None]:
    """What the parameters of TYPES are for an entry, in PostgreSQL's text form."""
    return {
        "audit": entry.id.encode(),
        "action": entry.action.encode(),
        "path": entry.path.encode(),
        "status": b"%d" % entry.status,
        "key_name": entry.key_name.encode(),
        "address": None if entry.address is None else entry.address.encode(),
        "request": None if entry.request_id is None else entry.request_id.encode(),
    }


async def insert_and_commit(connection: Connection, workspace_id: str, entry: AuditEntry) -> None:
    """Ends the transaction with its entry, in one message: a request that adds leads pays no round trip for it."""
    await connection.execute(_INSERT_AND_COMMIT.format(*_literals(workspace_id, entry)).as_bytes(connection))


async def insert(connection: Connection, workspace_id: str, entry: AuditEntry) -> None:
    await connection.execute(sql.SQL(_INSERT).format(*_literals(workspace_id, entry)))


def _literals(workspace_id: str, entry: AuditEntry) -> list[sql.Literal]:
    values = (
        entry.id,
        workspace_id,
        entry.at,
        entry.action,
        entry.path,
        entry.status,
        entry.key_id,
        entry.key_name,
        entry.address,
        entry.request_id,
    )
    return [sql.Literal(value) for value in values]


# Conditions that are there only when they are asked for: each has an index that gives its rows in order.
_OF_KEY: LiteralString = " AND key_id = %(key)s::uuid"
_OF_ACTION: LiteralString = " AND action = %(action)s::text"
_NO_ID = "0" * 32


async def page(
    connection: Connection, workspace_id: str, *, key_id: str | None, action: str | None, after: str | None, limit: int
) -> list[AuditEntry]:
    """Entries behind the id ``after``, oldest first; ids are in the order of time."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            """
            SELECT id, at, action, path, status, key_id, key_name, address, request_id FROM audit_entry
            WHERE workspace_id = %(workspace)s AND id > %(after)s::uuid
            """
            + ("" if key_id is None else _OF_KEY)
            + ("" if action is None else _OF_ACTION)
            + " ORDER BY id LIMIT %(limit)s",
            {"workspace": workspace_id, "after": after or _NO_ID, "key": key_id, "action": action, "limit": limit},
        )
        return await cursor.fetchall()


async def forget_before(connection: Connection, moment: datetime, *, limit: int = 1000) -> int:
    """Removes up to ``limit`` entries older than a time, of all workspaces; answers how many."""
    await connection.execute("SELECT set_config('leadwright.retention', 'on', true)")
    cursor = await connection.execute(
        """
        DELETE FROM audit_entry WHERE (workspace_id, id) IN (
            SELECT workspace_id, id FROM audit_entry WHERE at < %s LIMIT %s)
        """,
        (moment, limit),
    )
    return cursor.rowcount
