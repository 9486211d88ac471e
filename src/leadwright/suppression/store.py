"""The SQL of the do-not-contact list."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple

import msgspec

from leadwright.identity import Identity
from leadwright.postgres import counting
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.suppression.model import Suppression, SuppressionKind


async def insert(
    connection: Connection, workspace_id: str, rows: Sequence[Suppression]
) -> frozenset[tuple[SuppressionKind, str]]:
    """Adds what is not there yet and answers kind and value of that; the rows must differ in them.

    Rows go in in the order of the unique index, so that two callers with the same entries wait for each other
    instead of deadlocking.
    """
    new = [
        {
            "id": row.id,
            "kind": row.kind,
            "value": row.value,
            "shown": row.shown,
            "reason": row.reason,
            "at": row.created_at,
        }
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
        RETURNING kind, value
        """,
        (workspace_id, msgspec.json.encode(new).decode()),
    )
    return frozenset((SuppressionKind(row[0]), row[1]) for row in await cursor.fetchall())


# The first half of the advisory locks' number, the workspace is the other. A collision only costs waiting.
_LOCK = 711_391


async def hold(connection: Connection, workspace_id: str) -> None:
    """Keeps the list from growing until the transaction ends; many may hold at once. Before any row lock."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", (_LOCK, workspace_id))


async def hold_alone(connection: Connection, workspace_id: str) -> None:
    """Waits until nobody holds the list as it is."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, workspace_id))


async def among(
    connection: Connection, workspace_id: str, wanted: Sequence[tuple[SuppressionKind, str]]
) -> frozenset[tuple[SuppressionKind, str]]:
    """Those of the kinds and values that are on the list."""
    rows = [{"kind": kind, "value": value} for kind, value in wanted]
    cursor = await connection.execute(
        """
        SELECT s.kind, s.value FROM jsonb_to_recordset(%s::jsonb) AS r(kind suppression_kind, value text)
        JOIN suppression s ON s.workspace_id = %s AND s.kind = r.kind AND s.value = r.value
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )
    return frozenset((SuppressionKind(row[0]), row[1]) for row in await cursor.fetchall())


class Kept(NamedTuple):
    """Whether a workspace has a list, and what its erased persons are hashed under, None when it has none."""

    has_entries: bool
    erasure_key: bytes | None


async def kept(connection: Connection, workspace_id: str) -> Kept:
    """What there is to be looked through: nothing, in most workspaces."""
    cursor = await connection.execute(
        """
        SELECT EXISTS (SELECT FROM suppression WHERE workspace_id = %(workspace)s),
            (SELECT key FROM erasure_key WHERE EXISTS (SELECT FROM erased_person WHERE workspace_id = %(workspace)s))
        """,
        {"workspace": workspace_id},
    )
    row = await cursor.fetchone()
    assert row is not None
    return Kept(*row)


async def any_erasure_key(connection: Connection) -> bytes:
    """The key of this installation, whether it was ever used or not."""
    cursor = await connection.execute("SELECT key FROM erasure_key")
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def insert_erased(connection: Connection, workspace_id: str, digests: Sequence[str], now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO erased_person (workspace_id, digest, erased_at)
        SELECT %s, digest, %s FROM unnest(%s::text[]) AS given (digest)
        ON CONFLICT (workspace_id, digest) DO NOTHING
        """,
        (workspace_id, now, list(digests)),
    )


async def erased_among(connection: Connection, workspace_id: str, digests: Sequence[str]) -> frozenset[str]:
    """Those of the digests that are an erased person's."""
    cursor = await connection.execute(
        "SELECT digest FROM erased_person WHERE workspace_id = %s AND digest = ANY(%s)", (workspace_id, list(digests))
    )
    return frozenset(row[0] for row in await cursor.fetchall())


async def delete_values(
    connection: Connection, workspace_id: str, values: Sequence[tuple[SuppressionKind, str]]
) -> None:
    """Takes entries off the list by what they match."""
    rows = [{"kind": kind, "value": value} for kind, value in values]
    await connection.execute(
        """
        DELETE FROM suppression s USING jsonb_to_recordset(%s::jsonb) AS r(kind suppression_kind, value text)
        WHERE s.workspace_id = %s AND s.kind = r.kind AND s.value = r.value
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )


async def rekey_person(connection: Connection, workspace_id: str, old: Identity, new: Identity) -> None:
    """Keeps a person suppressed under another canonical key; when both keys were, the new one's row stays."""
    names = {"workspace": workspace_id, "old": old.text, "new": new.text}
    await connection.execute(
        """
        UPDATE suppression SET value = %(new)s
        WHERE workspace_id = %(workspace)s AND kind = 'person' AND value = %(old)s AND NOT EXISTS (
            SELECT FROM suppression
            WHERE workspace_id = %(workspace)s AND kind = 'person' AND value = %(new)s)
        """,
        names,
    )
    await connection.execute(
        "DELETE FROM suppression WHERE workspace_id = %(workspace)s AND kind = 'person' AND value = %(old)s",
        names,
    )


async def delete(connection: Connection, workspace_id: str, suppression_id: str) -> bool:
    """Whether there was such a row."""
    cursor = await connection.execute(
        "DELETE FROM suppression WHERE workspace_id = %s AND id = %s", (workspace_id, suppression_id)
    )
    return cursor.rowcount > 0


_ALL: LiteralString = "FROM suppression WHERE workspace_id = %(workspace)s"
_OF_KIND: LiteralString = _ALL + " AND kind = %(kind)s"
_NO_ID = "0" * 32


async def page(
    connection: Connection,
    workspace_id: str,
    kind: SuppressionKind | None,
    *,
    after: str | None,
    offset: int,
    limit: int,
) -> list[Suppression]:
    """Rows of one kind or all, oldest first: those behind the id ``after``, less the first ``offset``."""
    cursor = await connection.execute(
        "SELECT id, kind, value, shown, reason, created_at "
        + (_OF_KIND if kind else _ALL)
        + " AND id > %(after)s ORDER BY id LIMIT %(limit)s OFFSET %(offset)s",
        {"workspace": workspace_id, "kind": kind, "after": after or _NO_ID, "limit": limit, "offset": offset},
    )
    return [
        Suppression(row[0], SuppressionKind(row[1]), row[2], row[3], row[4], row[5]) for row in await cursor.fetchall()
    ]


async def count(connection: Connection, workspace_id: str, kind: SuppressionKind | None) -> Total:
    rows: LiteralString = "SELECT " + (_OF_KIND if kind else _ALL)
    return await counting.count(connection, rows, {"workspace": workspace_id, "kind": kind})
