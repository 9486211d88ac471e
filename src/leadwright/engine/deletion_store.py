"""The SQL that removes actions with their leads, or with their campaign."""

from collections.abc import Sequence

from leadwright.postgres.pool import Connection


async def delete_of_leads(
    connection: Connection, workspace_id: str, lead_ids: Sequence[str]
) -> Sequence[tuple[str, Sequence[Sequence[str]]]]:
    """Removes the actions of leads; answers sender and quota of those that had not begun: plans, tasks of persons."""
    cursor = await connection.execute(
        """
        DELETE FROM action WHERE workspace_id = %s AND lead_id = ANY(%s::uuid[])
        RETURNING state = 'planned' OR (state = 'performing' AND awaiting IS NOT DISTINCT FROM 'person'),
            sender_id, quota
        """,
        (workspace_id, list(lead_ids)),
    )
    return [(row[1], row[2]) for row in await cursor.fetchall() if row[0]]


DELETED_AT_ONCE = 10_000


async def delete_of_campaign(
    connection: Connection, workspace_id: str, campaign_id: str
) -> Sequence[tuple[str, Sequence[Sequence[str]]]]:
    """Removes the actions and days of a campaign that the caller holds alone; answers as ``delete_of_leads``.

    Lead by lead in pieces, since a statement has 30 s and a campaign may have millions of leads.
    """
    await connection.execute(
        "DELETE FROM campaign_day WHERE workspace_id = %s AND campaign_id = %s", (workspace_id, campaign_id)
    )
    taken: list[tuple[str, Sequence[Sequence[str]]]] = []
    last: tuple[bool, str] = (False, "0" * 32)
    while piece := await _leads_behind(connection, workspace_id, campaign_id, last):
        taken += await delete_of_leads(connection, workspace_id, [lead_id for _, lead_id in piece])
        last = piece[-1]
    return taken


async def _leads_behind(
    connection: Connection, workspace_id: str, campaign_id: str, last: tuple[bool, str]
) -> list[tuple[bool, str]]:
    """The next leads of a campaign in the order of its index."""
    cursor = await connection.execute(
        """
        SELECT enrolled, id FROM lead WHERE workspace_id = %s AND campaign_id = %s AND (enrolled, id) > (%s, %s::uuid)
        ORDER BY enrolled, id LIMIT %s
        """,
        (workspace_id, campaign_id, *last, DELETED_AT_ONCE),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]
