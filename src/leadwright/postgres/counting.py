"""How many rows a list has: counted while that is quick, estimated past that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from leadwright.postgres.pool import Connection

EXACT_COUNT = 10_000
"""So many rows of an index take PostgreSQL a millisecond; a list of millions must not cost a thousand."""


@dataclass(frozen=True, slots=True)
class Total:
    """The rows of a list. An estimate is the planner's: free of cost, and right within some percent."""

    rows: int
    estimated: bool = False


async def count(connection: Connection, rows: LiteralString, names: Mapping[str, Any]) -> Total:
    """How many rows the query ``rows`` finds, exactly up to ``EXACT_COUNT``; it needs neither columns nor an order."""
    cursor = await connection.execute(
        "SELECT count(*) FROM (SELECT FROM (" + rows + ") AS found LIMIT %(most_counted)s) AS counted",
        {**names, "most_counted": EXACT_COUNT + 1},
    )
    row = await cursor.fetchone()
    assert row is not None
    if row[0] <= EXACT_COUNT:
        return Total(row[0])
    return Total(max(row[0], await _estimate(connection, rows, names)), estimated=True)


async def _estimate(connection: Connection, rows: LiteralString, names: Mapping[str, Any]) -> int:
    cursor = await connection.execute("EXPLAIN (FORMAT JSON) " + rows, names)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0][0]["Plan"]["Plan Rows"])
