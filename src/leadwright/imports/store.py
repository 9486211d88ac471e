"""Reading the import records that the leads room writes."""

from typing import LiteralString

from psycopg.rows import class_row

from leadwright.imports.model import Import, RowOutcome
from leadwright.postgres import counting
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection


async def one(connection: Connection, workspace_id: str, import_id: str) -> Import | None:
    async with connection.cursor(row_factory=class_row(Import)) as cursor:
        await cursor.execute(
            """
            SELECT id, campaign_id, api_key_id, received, added, updated, duplicates, invalid, created_at
            FROM lead_import WHERE workspace_id = %s AND id = %s
            """,
            (workspace_id, import_id),
        )
        return await cursor.fetchone()


async def outcomes(connection: Connection, workspace_id: str, found: Import) -> list[RowOutcome]:
    """At most one for each of the 100 rows of a call, in their order."""
    async with connection.cursor(row_factory=class_row(RowOutcome)) as cursor:
        await cursor.execute(
            """
            SELECT o.row_index, o.outcome, o.code, l.id AS lead_id,
                   -- A key with a space in it stands in place of an erased person's.
                   CASE WHEN strpos(o.identity_key, ' ') = 0 THEN o.identity_kind || ':' || o.identity_key END
                       AS identity_key
            FROM lead_import_outcome o
            LEFT JOIN lead l ON l.workspace_id = o.workspace_id AND l.identity_kind = o.identity_kind
                AND l.identity_key = o.identity_key AND l.campaign_id = %s
            WHERE o.workspace_id = %s AND o.import_id = %s ORDER BY o.row_index
            """,
            (found.campaign_id, workspace_id, found.id),
        )
        return await cursor.fetchall()


# Texts of their own instead of one with optional conditions: each has an index that gives its rows in order.
_ALL: LiteralString = "FROM lead_import WHERE workspace_id = %(workspace)s"
_OF_CAMPAIGN: LiteralString = _ALL + " AND campaign_id = %(campaign)s"
_NO_ID = "0" * 32


async def page(
    connection: Connection,
    workspace_id: str,
    campaign_id: str | None,
    *,
    after: str | None,
    offset: int,
    limit: int,
) -> list[Import]:
    """Oldest first; of one campaign, or of all."""
    names = {"workspace": workspace_id, "campaign": campaign_id, "limit": limit, "offset": offset}
    async with connection.cursor(row_factory=class_row(Import)) as cursor:
        await cursor.execute(
            "SELECT id, campaign_id, api_key_id, received, added, updated, duplicates, invalid, created_at "
            + (_OF_CAMPAIGN if campaign_id else _ALL)
            + " AND id > %(after)s ORDER BY id LIMIT %(limit)s OFFSET %(offset)s",
            {**names, "after": after or _NO_ID},
        )
        return await cursor.fetchall()


async def count(connection: Connection, workspace_id: str, campaign_id: str | None) -> Total:
    rows: LiteralString = "SELECT " + (_OF_CAMPAIGN if campaign_id else _ALL)
    return await counting.count(connection, rows, {"workspace": workspace_id, "campaign": campaign_id})
