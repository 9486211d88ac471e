"""The SQL of lanes: which one is to be looked at now, when the next look is, and making them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from psycopg.rows import class_row

from leadwright.engine.lanes import Lane
from leadwright.postgres.pool import Connection


async def claim(connection: Connection, now: datetime) -> Lane | None:
    """The open lane of a started campaign that has waited longest and has a lead that is due; nobody else gets it
    until the transaction ends, and whoever pauses or edits the campaign waits. None when there is none.

    A campaign that is being changed at this moment is passed over: who changes it goes on to its lanes, so waiting here
    could be for each other.

    One probe of an index for each open lane, whatever the number of leads that sleep in it; closed lanes are not seen.
    Scalar questions and not EXISTS, which the planner may answer by reading all due leads into a table of its own.
    """
    async with connection.cursor(row_factory=class_row(Lane)) as cursor:
        await cursor.execute(
            """
            SELECT l.id, l.workspace_id, l.campaign_id, l.sender_id, l.kind
            FROM lane l JOIN campaign c ON c.workspace_id = l.workspace_id AND c.id = l.campaign_id
            WHERE l.open_at <= %(now)s AND c.status = 'started'
              AND ((SELECT e.due_at FROM enrolment e WHERE e.lane_id = l.id AND e.state = 'due'
                    ORDER BY e.due_at LIMIT 1) <= %(now)s
                OR l.kind = 'enter' AND (SELECT n.id FROM lead n WHERE n.workspace_id = l.workspace_id
                    AND n.campaign_id = l.campaign_id AND NOT n.enrolled ORDER BY n.id LIMIT 1) IS NOT NULL)
            ORDER BY l.open_at, l.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED FOR SHARE OF c SKIP LOCKED
            """,
            {"now": now},
        )
        return await cursor.fetchone()


async def look_again(connection: Connection, lane: Lane, at: datetime | None) -> None:
    """Closes a claimed lane until ``at``; None: until somebody opens it."""
    await connection.execute(
        "UPDATE lane SET open_at = coalesce(%s::timestamptz, 'infinity') WHERE id = %s", (at, lane.id)
    )


async def ensure(
    connection: Connection, workspace_id: str, campaign_id: str, wanted: Iterable[tuple[str | None, str]]
) -> Mapping[tuple[str | None, str], int]:
    """The ids of a campaign's lanes by sender and kind; those that are not there are made, open."""
    pairs = sorted(set(wanted), key=lambda pair: (pair[0] or "", pair[1]))
    rows = msgspec.json.encode([{"s": sender, "k": kind} for sender, kind in pairs]).decode()
    names = {"workspace": workspace_id, "campaign": campaign_id, "rows": rows}
    found = await _ids(connection, names)
    if len(found) < len(pairs):
        await connection.execute(
            """
            INSERT INTO lane (workspace_id, campaign_id, sender_id, kind)
            SELECT %(workspace)s, %(campaign)s, s, k FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(s uuid, k text)
            ORDER BY s, k
            ON CONFLICT (workspace_id, campaign_id, sender_id, kind) DO NOTHING
            """,
            names,
        )
        found = await _ids(connection, names)
    return found


async def _ids(connection: Connection, names: Mapping[str, str]) -> dict[tuple[str | None, str], int]:
    cursor = await connection.execute(
        """
        SELECT l.sender_id, l.kind, l.id
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(s uuid, k text)
        JOIN lane l ON l.workspace_id = %(workspace)s AND l.campaign_id = %(campaign)s
            AND l.sender_id IS NOT DISTINCT FROM r.s AND l.kind = r.k
        """,
        names,
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def next_look(connection: Connection, now: datetime) -> datetime | None:
    """When the next lead of any open or closed lane could be due: for clocks that jump. None: not by itself."""
    cursor = await connection.execute(
        """
        SELECT min(greatest(l.open_at, d.due_at, %(now)s::timestamptz))
        FROM lane l JOIN campaign c ON c.workspace_id = l.workspace_id AND c.id = l.campaign_id
        CROSS JOIN LATERAL (
            (SELECT e.due_at FROM enrolment e WHERE e.lane_id = l.id AND e.state = 'due' ORDER BY e.due_at LIMIT 1)
            UNION ALL
            (SELECT n.created_at FROM lead n WHERE l.kind = 'enter' AND n.workspace_id = l.workspace_id
                AND n.campaign_id = l.campaign_id AND NOT n.enrolled LIMIT 1)
        ) AS d
        WHERE c.status = 'started' AND l.open_at < 'infinity'
        """,
        {"now": now},
    )
    row = await cursor.fetchone()
    return row[0] if row else None
