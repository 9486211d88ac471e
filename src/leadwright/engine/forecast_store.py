"""The SQL of a campaign's leads as a forecast sees them: how many are alike, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadwright.engine.preview_fields import Place
from leadwright.engine.preview_store import LEAD_FIELDS, PLACES, VALUE, place_names
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Alike:
    """Leads that stand at one place since about the same time and have the same to say. ``values``: what they have at
    the tested places, ``lacking``: the numbers of the needed places that are empty. ``hold_rule`` only where the lead
    is out of the due index. Moments are rounded down to the quarter of an hour."""

    leads: int
    lacking: Sequence[int]
    values: Sequence[Any]
    sender_id: str | None
    step_id: str | None
    sequence_version: int | None
    since: datetime | None
    due_at: datetime | None
    hold_rule: str | None
    invited_at: datetime | None
    connected_at: datetime | None


async def groups(
    connection: Connection, workspace_id: str, campaign_id: str, places: Sequence[Place], needed: int
) -> list[Alike]:
    """The campaign's leads that are not through. The first ``needed`` places are needed, the others tested."""
    cursor = await connection.execute(
        "WITH "
        + PLACES
        + """
        SELECT count(*), lacking, tested, sender_id, step_id, sequence_version, since, due_at, hold_rule, invited_at,
               connected_at
        FROM (
            SELECT ARRAY(SELECT p.n FROM asked p WHERE p.n < %(needed)s AND ("""
        + VALUE
        + """) IS NULL ORDER BY p.n) AS lacking,
                   (SELECT coalesce(jsonb_agg(
        """
        + VALUE
        + """ ORDER BY p.n), '[]') FROM asked p WHERE p.n >= %(needed)s) AS tested,
                   d.*
            FROM (
                SELECT """
        + LEAD_FIELDS
        + """ AS doc, e.sender_id, e.step_id, e.sequence_version,
                    date_bin('15 minutes', e.step_since, 'epoch') AS since,
                    CASE WHEN e.state = 'due' THEN date_bin('15 minutes', e.due_at, 'epoch') END AS due_at,
                    CASE WHEN e.state <> 'due' THEN e.hold_rule END AS hold_rule,
                    date_bin('15 minutes', r.invited_at, 'epoch') AS invited_at,
                    date_bin('15 minutes', r.connected_at, 'epoch') AS connected_at
                FROM lead l
                LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
                LEFT JOIN relationship r ON r.workspace_id = e.workspace_id AND r.sender_id = e.sender_id
                    AND r.identity_kind = l.identity_kind AND r.identity_key = l.identity_key
                WHERE l.workspace_id = %(workspace)s AND l.campaign_id = %(campaign)s
                    AND e.state IS DISTINCT FROM 'done' OFFSET 0
            ) AS d
        ) AS leads
        GROUP BY lacking, tested, sender_id, step_id, sequence_version, since, due_at, hold_rule, invited_at,
                 connected_at
        ORDER BY since NULLS LAST, due_at, lacking, tested
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "needed": needed, **place_names(places)},
    )
    return [Alike(*row) for row in await cursor.fetchall()]


async def begun_on(connection: Connection, workspace_id: str, campaign_id: str, day: date) -> int:
    """How many leads began on the day."""
    cursor = await connection.execute(
        "SELECT new_leads FROM campaign_day WHERE workspace_id = %s AND campaign_id = %s AND day = %s",
        (workspace_id, campaign_id, day),
    )
    row = await cursor.fetchone()
    return row[0] if row else 0
