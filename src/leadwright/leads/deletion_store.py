"""The SQL of deleting a campaign's leads, however many there are."""

from typing import Any, LiteralString

from leadwright.postgres.pool import Connection

DELETED_AT_ONCE = 10_000
_BEFORE_ALL = (False, "00000000000000000000000000000000")


async def delete_of_campaign(connection: Connection, workspace_id: str, campaign_id: str) -> None:
    """Removes every lead of a campaign, with its history and imports, in the caller's transaction: all or none.

    In pieces, since a statement has 30 s and a campaign may have millions of leads. Each piece begins behind the last:
    what was deleted in the same transaction stays in the index, and would be gone through again by every later piece.
    """
    start = {"workspace": workspace_id, "campaign": campaign_id, "limit": DELETED_AT_ONCE}
    for statement in (_DELETE_LEADS, _DELETE_IMPORTS):
        await _piece_by_piece(connection, statement, start)


async def _piece_by_piece(connection: Connection, statement: LiteralString, start: dict[str, Any]) -> None:
    last: tuple[Any, ...] | None = _BEFORE_ALL
    while last is not None:
        cursor = await connection.execute(statement, {**start, "enrolled": last[0], "after": last[1]})
        last = await cursor.fetchone()


_DELETE_LEADS: LiteralString = """
    WITH piece AS MATERIALIZED (
        SELECT enrolled, id FROM lead
        WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s
          AND (enrolled, id) > (%(enrolled)s, %(after)s::uuid)
        ORDER BY enrolled, id LIMIT %(limit)s
    ), past AS (
        DELETE FROM history h USING piece WHERE h.workspace_id = %(workspace)s AND h.lead_id = piece.id
    ), places AS (
        DELETE FROM enrolment e USING piece WHERE e.workspace_id = %(workspace)s AND e.lead_id = piece.id
    ), leads AS (
        DELETE FROM lead l USING piece WHERE l.workspace_id = %(workspace)s AND l.id = piece.id
    )
    SELECT enrolled, id FROM piece ORDER BY enrolled DESC, id DESC LIMIT 1
"""
_DELETE_IMPORTS: LiteralString = """
    WITH piece AS MATERIALIZED (
        SELECT id FROM lead_import
        WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND id > %(after)s::uuid
        ORDER BY id LIMIT %(limit)s
    ), outcomes AS (
        DELETE FROM lead_import_outcome o USING piece WHERE o.workspace_id = %(workspace)s AND o.import_id = piece.id
    ), imports AS (
        DELETE FROM lead_import i USING piece WHERE i.workspace_id = %(workspace)s AND i.id = piece.id
    )
    SELECT false, id FROM piece ORDER BY id DESC LIMIT 1
"""
