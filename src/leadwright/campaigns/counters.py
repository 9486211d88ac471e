"""The SQL of a campaign's counters: exact, and never a hot row.

Writers append deltas, one background duty folds them into a row a counter, and readers add both up. Each of
the three is one statement with one snapshot: a delta is either still there or already folded, never both or
neither.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from leadwright.campaigns.model import Counter, Totals
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


async def totals(connection: Connection, workspace_id: str, campaign_ids: Sequence[str]) -> Mapping[str, Totals]:
    """The totals of every campaign named, by its bare id: zeros for one that has none."""
    cursor = await connection.execute(
        """
        SELECT campaign_id, counter, sum(value)::bigint
        FROM (
            SELECT campaign_id, counter, value FROM campaign_counter
            WHERE workspace_id = %(workspace)s AND campaign_id = ANY(%(campaigns)s::uuid[])
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


async def leads_of_workspace(connection: Connection, workspace_id: str) -> int:
    """The leads of all campaigns, exactly."""
    cursor = await connection.execute(
        """
        SELECT (SELECT coalesce(sum(value), 0) FROM campaign_counter
                WHERE workspace_id = %(workspace)s AND counter = 'leads')
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
            RETURNING d.workspace_id, d.campaign_id, d.counter, d.delta
        ), folded AS (
            INSERT INTO campaign_counter AS c (workspace_id, campaign_id, counter, value)
            SELECT workspace_id, campaign_id, counter, sum(delta) FROM taken GROUP BY 1, 2, 3
            ON CONFLICT (workspace_id, campaign_id, counter) DO UPDATE SET value = c.value + excluded.value
        )
        SELECT count(*) FROM taken
        """,
        (limit,),
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]
