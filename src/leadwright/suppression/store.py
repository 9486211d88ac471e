"""The SQL of the do-not-contact list."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from leadwright.identity import Identity
from leadwright.postgres.pool import Connection
from leadwright.suppression.model import Suppression, SuppressionKind


async def insert(connection: Connection, workspace_id: str, rows: Sequence[Suppression]) -> int:
    """Adds what is not there yet and answers how many that were; the rows must differ in kind or value.

    Rows go in in the order of the unique index, so that two callers with the same entries wait for each other
    instead of deadlocking.
    """
    new = [
        {"id": row.id, "kind": row.kind, "value": row.value, "shown": row.shown, "reason": row.reason, "at": row.created_at}
        for row in rows
    ]
    cursor = await connection.execute(
        """
        INSERT INTO suppression (workspace_id, id, kind, value, shown, reason, created_at)
        SELECT %s, id, kind, value, shown, reason, at
        FROM jsonb_to_recordset(%s::jsonb)
            AS r(id uuid, kind suppression_kind, value text, shown text, reason text, at timestamptz)
        ORDER BY kind, value COLLATE "C"
        ON CONFLICT (workspace_id, kind, value) DO NOTHING
        """,
        (workspace_id, msgspec.json.encode(new).decode()),
    )
    return cursor.rowcount


async def rekey_person(connection: Connection, workspace_id: str, old: Identity, new: Identity) -> None:
    """Keeps a person suppressed under another canonical key; when both keys were, the new one's row stays."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM suppression WHERE workspace_id = %(workspace)s AND kind = 'person' AND value = %(old)s
            RETURNING *
        )
        INSERT INTO suppression (workspace_id, id, kind, value, shown, reason, created_at)
        SELECT workspace_id, id, kind, %(new)s, shown, reason, created_at FROM gone
        ON CONFLICT (workspace_id, kind, value) DO NOTHING
        """,
        {"workspace": workspace_id, "old": old.text, "new": new.text},
    )


async def delete(connection: Connection, workspace_id: str, suppression_id: str) -> bool:
    """Whether there was such a row."""
    cursor = await connection.execute(
        "DELETE FROM suppression WHERE workspace_id = %s AND id = %s", (workspace_id, suppression_id)
    )
    return cursor.rowcount > 0


_ROWS: dict[bool, LiteralString] = {
    False: "SELECT * FROM suppression WHERE workspace_id = %(workspace)s AND id > %(after)s",
    True: "SELECT * FROM suppression WHERE workspace_id = %(workspace)s AND kind = %(kind)s AND id > %(after)s",
}
_NO_ID = "0" * 32
