"""The SQL of beginning what is planned: the longest waiting plans, and taking them to performing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from leadwright.campaigns import schedule
from leadwright.campaigns.schedule import Schedule
from leadwright.engine.action_store import ACTION_COLUMN_COUNT, ACTION_COLUMNS, Action
from leadwright.engine.store import LEAD_COLUMNS, PLACE_COLUMNS, Row
from leadwright.postgres.pool import Connection


async def waiting_workspace(connection: Connection, now: datetime) -> str | None:
    """Whose planned step of a lead has waited longest."""
    cursor = await connection.execute(
        "SELECT workspace_id FROM action WHERE state = 'planned' AND due_at <= %s AND step_id IS NOT NULL"
        " ORDER BY due_at LIMIT 1",
        (now,),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


class Candidate(msgspec.Struct, frozen=True):
    """A planned step whose lead is held."""

    action: Action
    row: Row


@dataclass(frozen=True, slots=True)
class CampaignState:
    """What a campaign says at the moment of performing; it stays so until the transaction ends."""

    is_started: bool
    schedule: Schedule | None
    version: int


async def hold_campaigns(connection: Connection, workspace_id: str, now: datetime) -> Mapping[str, CampaignState]:
    """The campaigns of the workspace's planned steps, held shared: whoever pauses one waits, and is then obeyed."""
    cursor = await connection.execute(
        """
        SELECT c.id, c.status = 'started', c.schedule, c.sequence_version FROM campaign c
        WHERE c.workspace_id = %(workspace)s AND c.id IN (SELECT a.campaign_id FROM action a
            WHERE a.workspace_id = %(workspace)s AND a.state = 'planned' AND a.due_at <= %(now)s
              AND a.step_id IS NOT NULL)
        ORDER BY c.id FOR SHARE
        """,
        {"workspace": workspace_id, "now": now},
    )
    return {
        row[0]: CampaignState(row[1], None if row[2] is None else schedule.from_json(row[2]), row[3])
        for row in await cursor.fetchall()
    }


async def candidates(
    connection: Connection, workspace_id: str, campaign_ids: Sequence[str], now: datetime, limit: int
) -> list[Candidate]:
    """Planned steps of leads, the longest waiting first; enrolments are held, those that others hold left out."""
    cursor = await connection.execute(
        "SELECT "
        + ACTION_COLUMNS
        + ","
        + LEAD_COLUMNS
        + ","
        + PLACE_COLUMNS
        + """
        FROM action a
        JOIN enrolment e ON e.workspace_id = a.workspace_id AND e.lead_id = a.lead_id
        JOIN lead l ON l.workspace_id = a.workspace_id AND l.id = a.lead_id
        WHERE a.workspace_id = %s AND a.campaign_id = ANY(%s::uuid[]) AND a.state = 'planned' AND a.due_at <= %s
          AND a.step_id IS NOT NULL
        ORDER BY a.due_at, a.id LIMIT %s FOR UPDATE OF e SKIP LOCKED
        """,
        (workspace_id, list(campaign_ids), now, limit),
    )
    return [
        Candidate(Action(*row[:ACTION_COLUMN_COUNT]), Row(*row[ACTION_COLUMN_COUNT:]))
        for row in await cursor.fetchall()
    ]


async def postpone(connection: Connection, workspace_id: str, due_at: Mapping[str, datetime]) -> None:
    """Puts planned actions off."""
    rows = [{"id": action_id, "at": at} for action_id, at in due_at.items()]
    await connection.execute(
        """
        UPDATE action a SET due_at = r.at FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, at timestamptz)
        WHERE a.workspace_id = %s AND a.id = r.id AND a.state = 'planned'
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )


async def begin(
    connection: Connection, workspace_id: str, action_ids: Sequence[str], lease_until: datetime, now: datetime
) -> Mapping[str, int]:
    """Takes planned actions to performing, and answers the token of each that was still planned."""
    cursor = await connection.execute(
        """
        UPDATE action SET state = 'performing', performing_at = %s, lease_until = %s, token = token + 1,
            attempt = attempt + 1
        WHERE workspace_id = %s AND id = ANY(%s::uuid[]) AND state = 'planned' RETURNING id, token
        """,
        (now, lease_until, workspace_id, list(action_ids)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}
