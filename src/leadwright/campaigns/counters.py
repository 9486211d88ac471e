"""The SQL of a campaign's counters: exact, and never a hot row.

Writers append deltas, one background duty folds them into a row a counter, and readers add both up. Each of
the three is one statement with one snapshot: a delta is either still there or already folded, never both or
neither.
"""

from collections import Counter as Sums
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, LiteralString

import msgspec

from leadwright.campaigns.model import Counter, Tally, Totals
from leadwright.postgres.pool import Connection


async def add(connection: Connection, workspace_id: str, campaign_id: str, deltas: Mapping[Counter | str, int]) -> None:
    """Raises ValueError for a counter that does not exist. A delta of 0 writes nothing."""
    changed = {Counter(counter).value: delta for counter, delta in deltas.items() if delta}
    if not changed:
        return
    await connection.execute(
        """
        INSERT INTO campaign_counter_delta (workspace_id, campaign_id, counter, delta)
        SELECT %s, %s, counter, delta FROM unnest(%s::text[], %s::bigint[]) AS changed (counter, delta)
        """,
        (workspace_id, campaign_id, list(changed), list(changed.values())),
    )


async def tally(connection: Connection, workspace_id: str, tallies: Sequence[Tally], day: date) -> None:
    """Counts what happened on a day (of UTC), with where it belongs; equal ones are added up first."""
    sums: Sums[tuple[str, Counter, str | None, int | None, str | None]] = Sums()
    for each in tallies:
        sums[each.campaign_id, each.counter, each.step_id, each.variant, each.sender_id] += each.delta
    rows = [(*key, delta) for key, delta in sorted(sums.items(), key=str) if delta]
    if not rows:
        return
    await connection.execute(
        """
        INSERT INTO campaign_counter_delta (workspace_id, campaign_id, counter, step_id, variant, sender_id, delta, day)
        SELECT %s, (r ->> 0)::uuid, r ->> 1, r ->> 2, (r ->> 3)::smallint, (r ->> 4)::uuid, (r ->> 5)::bigint, %s
        FROM jsonb_array_elements(%s::jsonb) AS r
        """,
        (workspace_id, day, msgspec.json.encode(rows).decode()),
    )


async def totals(connection: Connection, workspace_id: str, campaign_ids: Sequence[str]) -> Mapping[str, Totals]:
    """The totals of every campaign named, by its bare id: zeros for one that has none."""
    cursor = await connection.execute(
        """
        SELECT campaign_id, counter, sum(value)::bigint
        FROM (
            SELECT campaign_id, counter, value FROM campaign_counter
            WHERE workspace_id = %(workspace)s AND campaign_id = ANY(%(campaigns)s::uuid[]) AND dimension = ''
            UNION ALL
            SELECT campaign_id, counter, delta FROM campaign_counter_delta
            WHERE workspace_id = %(workspace)s AND campaign_id = ANY(%(campaigns)s::uuid[])
        ) AS counted
        GROUP BY campaign_id, counter
        """,
        {"workspace": workspace_id, "campaigns": list(campaign_ids)},
    )
    found: dict[str, dict[str, Any]] = {campaign_id: {} for campaign_id in campaign_ids}
    for campaign_id, counter, value in await cursor.fetchall():
        found[campaign_id][counter] = value
    return {campaign_id: Totals(**values) for campaign_id, values in found.items()}


# Under which dimensions the delta ``d`` is counted. A variant belongs to its step.
_DIMENSIONS: LiteralString = """
    SELECT dimension FROM (VALUES
        (''), ('step:' || d.step_id), ('variant:' || d.step_id || ':' || d.variant),
        ('sender:' || replace(d.sender_id::text, '-', '')), ('day:' || d.day)) AS v (dimension)
    WHERE dimension IS NOT NULL
"""


async def dimensions(connection: Connection, workspace_id: str, campaign_id: str) -> Mapping[str, Totals]:
    """All that is counted of a campaign, by dimension as the schema names them; the total is under ''."""
    cursor = await connection.execute(
        """
        SELECT dimension, counter, sum(value)::bigint
        FROM (
            SELECT dimension, counter, value FROM campaign_counter
            WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s
            UNION ALL
            SELECT p.dimension, d.counter, d.delta
            FROM campaign_counter_delta d CROSS JOIN LATERAL ("""
        + _DIMENSIONS
        + """) AS p
            WHERE d.workspace_id = %(workspace)s AND d.campaign_id = %(campaign)s
        ) AS counted
        GROUP BY dimension, counter
        """,
        {"workspace": workspace_id, "campaign": campaign_id},
    )
    found: dict[str, dict[str, Any]] = {"": {}}
    for dimension, counter, value in await cursor.fetchall():
        found.setdefault(dimension, {})[counter] = value
    return {dimension: Totals(**values) for dimension, values in found.items()}


async def leads_of_workspace(connection: Connection, workspace_id: str) -> int:
    """The leads of all campaigns, exactly."""
    cursor = await connection.execute(
        """
        SELECT (SELECT coalesce(sum(value), 0) FROM campaign_counter
                WHERE workspace_id = %(workspace)s AND counter = 'leads' AND dimension = '')
             + (SELECT coalesce(sum(delta), 0) FROM campaign_counter_delta
                WHERE workspace_id = %(workspace)s AND counter = 'leads')
        """,
        {"workspace": workspace_id},
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def fold(connection: Connection, limit: int = 10_000) -> int:
    """Folds up to ``limit`` deltas, of all workspaces, and answers how many; for a transaction of its own.

    0 also when another transaction has the duty, or nothing is to fold: then no lock is taken, and an idle
    server writes nothing to its disk. Deltas that are being deleted with their campaign are left alone.
    """
    duty = await connection.execute(
        """
        SELECT 1 FROM duty WHERE name = 'fold_counters' AND EXISTS (SELECT FROM campaign_counter_delta)
        FOR UPDATE SKIP LOCKED
        """
    )
    if await duty.fetchone() is None:
        return 0
    cursor = await connection.execute(
        """
        WITH chosen AS MATERIALIZED (
            SELECT workspace_id, campaign_id, id FROM campaign_counter_delta LIMIT %s FOR UPDATE SKIP LOCKED
        ), taken AS (
            DELETE FROM campaign_counter_delta d USING chosen
            WHERE (d.workspace_id, d.campaign_id, d.id) = (chosen.workspace_id, chosen.campaign_id, chosen.id)
            RETURNING d.*
        ), folded AS (
            INSERT INTO campaign_counter AS c (workspace_id, campaign_id, dimension, counter, value)
            SELECT d.workspace_id, d.campaign_id, p.dimension, d.counter, sum(d.delta)
            FROM taken d CROSS JOIN LATERAL ("""
        + _DIMENSIONS
        + """) AS p GROUP BY 1, 2, 3, 4
            ON CONFLICT (workspace_id, campaign_id, dimension, counter) DO UPDATE SET value = c.value + excluded.value
        )
        SELECT count(*) FROM taken
        """,
        (limit,),
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]
