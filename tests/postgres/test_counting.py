"""Totals of lists: exact as long as counting is quick, then an estimate that says so."""

import pytest

from leadwright import ids
from leadwright.postgres.counting import EXACT_COUNT, Total
from leadwright.postgres.pool import Connection, Database
from leadwright.suppression import service, store
from leadwright.suppression.model import SuppressionKind

FILL = """
    INSERT INTO suppression (workspace_id, id, kind, value, shown, created_at)
    SELECT %(workspace)s, gen_random_uuid(), 'company', 'company ' || n, 'Company', now()
    FROM generate_series(1, %(rows)s) AS n
"""


async def fill(connection: Connection, rows: int) -> str:
    workspace_id = ids.new_id()
    await connection.execute(FILL, {"workspace": workspace_id, "rows": rows})
    return workspace_id


@pytest.mark.parametrize("rows", [0, 1, EXACT_COUNT])
async def test_a_short_list_is_counted(database: Database, rows: int) -> None:
    async with database.transaction() as connection:
        workspace_id = await fill(connection, rows)
        assert await store.count(connection, workspace_id, None) == Total(rows)
        assert await store.count(connection, workspace_id, SuppressionKind.EMAIL) == Total(0)


async def test_a_long_one_is_estimated_and_never_below_what_was_seen(database: Database) -> None:
    """Before PostgreSQL has looked at the table its guess is worth nothing, so it is not told."""
    async with database.session() as connection:
        workspace_id = await fill(connection, EXACT_COUNT + 2_000)
        unknown = await store.count(connection, workspace_id, None)
        assert unknown.estimated
        assert unknown.rows > EXACT_COUNT
        await connection.execute("ANALYZE suppression")
        listing = await service.list_suppressions(connection, workspace_id, None, after=None, offset=0, limit=1)
        assert listing.total.estimated
        assert listing.total.rows == pytest.approx(EXACT_COUNT + 2_000, rel=0.1)
