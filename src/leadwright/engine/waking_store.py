"""The SQL of looking again: lanes opened, and leads made due whose time was not to come yet.

Enrolments are locked in the order of leads, as everybody does who waits for more than one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from leadwright.postgres.pool import Connection


async def open_lanes(connection: Connection, workspace_id: str, campaign_id: str, now: datetime) -> None:
    await connection.execute(
        """
        UPDATE lane SET open_at = %(now)s FROM (
            SELECT id FROM lane WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND open_at > %(now)s
            ORDER BY id FOR NO KEY UPDATE) AS closed
        WHERE lane.id = closed.id
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "now": now},
    )


async def open_lanes_of_senders(
    connection: Connection, workspace_id: str, sender_ids: Collection[str], now: datetime
) -> None:
    """Lanes of these senders, and the entry lanes of the campaigns that may use them."""
    await connection.execute(
        """
        UPDATE lane SET open_at = %(now)s FROM (
            SELECT l.id FROM lane l
            WHERE l.workspace_id = %(workspace)s AND l.open_at > %(now)s
              AND (l.sender_id = ANY(%(senders)s::uuid[]) OR l.id IN (
                SELECT c.entry_lane_id FROM campaign c
                WHERE c.workspace_id = %(workspace)s AND c.sender_ids && %(senders)s::uuid[]))
            ORDER BY l.id FOR NO KEY UPDATE) AS closed
        WHERE lane.id = closed.id
        """,
        {"workspace": workspace_id, "senders": list(sender_ids), "now": now},
    )


async def wake_held(connection: Connection, workspace_id: str, campaign_id: str, now: datetime) -> None:
    await connection.execute(
        """
        UPDATE enrolment e SET state = 'due', due_at = %(now)s FROM (
            SELECT lead_id FROM enrolment
            WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND state = 'held'
            ORDER BY lead_id FOR NO KEY UPDATE) AS held
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = held.lead_id
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "now": now},
    )


async def wake_at_steps(
    connection: Connection, workspace_id: str, campaign_id: str, step_ids: Collection[str], now: datetime
) -> None:
    """Leads that wait at these steps: when they are due is decided anew."""
    await connection.execute(
        """
        UPDATE enrolment e SET due_at = %(now)s FROM (
            SELECT lead_id FROM enrolment
            WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND state = 'due'
              AND step_id = ANY(%(steps)s) AND due_at > %(now)s
            ORDER BY lead_id FOR NO KEY UPDATE) AS waiting
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = waiting.lead_id
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "steps": list(step_ids), "now": now},
    )


async def wake_held_by(
    connection: Connection, workspace_id: str, campaign_id: str, rules: Collection[str], now: datetime
) -> None:
    """Leads that one of these rules held when they were judged last."""
    await connection.execute(
        """
        UPDATE enrolment e SET state = 'due', due_at = %(now)s FROM (
            SELECT lead_id FROM enrolment
            WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND hold_rule = ANY(%(rules)s)
              AND (state = 'held' OR state = 'due' AND due_at > %(now)s)
            ORDER BY lead_id FOR NO KEY UPDATE) AS held
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = held.lead_id
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "rules": list(rules), "now": now},
    )


async def wake_persons(
    connection: Connection, workspace_id: str, campaign_id: str, persons: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Leads of these persons that are held, or that a decision has let wait: one that was made anew may differ."""
    rows = [{"k": kind, "p": key} for kind, key in persons]
    await connection.execute(
        """
        UPDATE enrolment e SET state = 'due', due_at = %(now)s FROM (
            SELECT h.lead_id FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(k identity_kind, p text)
            JOIN lead l ON l.workspace_id = %(workspace)s AND l.campaign_id = %(campaign)s
                AND l.identity_kind = r.k AND l.identity_key = r.p
            JOIN enrolment h ON h.workspace_id = %(workspace)s AND h.lead_id = l.id
            WHERE h.state = 'held' OR h.state = 'due' AND h.hold_rule IS NOT NULL AND h.due_at > %(now)s
            ORDER BY h.lead_id FOR NO KEY UPDATE OF h) AS held
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = held.lead_id
        """,
        {
            "workspace": workspace_id,
            "campaign": campaign_id,
            "rows": msgspec.json.encode(rows).decode(),
            "now": now,
        },
    )
