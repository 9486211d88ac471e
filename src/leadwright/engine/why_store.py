"""The SQL of one lead as it stands: its place, what is open for it, when its sender may go on."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg.rows import class_row

from leadwright.engine.action_store import NEVER
from leadwright.engine.store import LEAD_COLUMNS, Row
from leadwright.engine.why_view import OpenDeed, Postponed, Stop
from leadwright.postgres.pool import Connection


async def row(connection: Connection, workspace_id: str, lead_id: str) -> Row | None:
    """The lead with its place; one that has not begun is PENDING and due.

    It keeps its campaign from being deleted until the transaction ends, so that what is asked next is still there.
    """
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            "SELECT "
            + LEAD_COLUMNS
            + """,
                coalesce(e.status, 'PENDING') AS status, e.custom_status, coalesce(e.state, 'due') AS state, e.step_id,
                e.step_since, e.sequence_version, e.sender_id, e.contacted_at,
                coalesce(e.messages_sent, 0) AS messages_sent, e.hold_rule
            FROM lead l JOIN campaign c ON c.workspace_id = l.workspace_id AND c.id = l.campaign_id
            LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
            WHERE l.workspace_id = %s AND l.id = %s
            FOR KEY SHARE OF c
            """,
            (workspace_id, lead_id),
        )
        return await cursor.fetchone()


async def open_deed(connection: Connection, workspace_id: str, lead_id: str, now: datetime) -> OpenDeed | None:
    """The lead's deed that is planned, under way or uncertain.

    An uncertain one that its channel is being asked about, or never again, has no end.
    """
    async with connection.cursor(row_factory=class_row(OpenDeed)) as cursor:
        await cursor.execute(
            """
            SELECT id, kind, state,
                CASE WHEN state <> 'uncertain' THEN awaiting WHEN due_at < %(never)s THEN 'channel' ELSE 'person' END
                    AS awaiting,
                coalesce(performing_at, planned_at) AS since,
                CASE WHEN state = 'performing' THEN lease_until
                     WHEN state = 'uncertain' AND due_at > %(now)s AND due_at < %(never)s THEN due_at END AS until
            FROM action
            WHERE workspace_id = %(workspace)s AND lead_id = %(lead)s
              AND state IN ('planned', 'performing', 'uncertain')
            ORDER BY id DESC LIMIT 1
            """,
            {"workspace": workspace_id, "lead": lead_id, "now": now, "never": NEVER},
        )
        return await cursor.fetchone()


async def postponed(connection: Connection, workspace_id: str, lead_id: str, now: datetime) -> Postponed | None:
    """When the lead's last deed, at the step where it stands, is tried again; None when no fault put it off.

    A plan that was taken back before it began is no fault: whatever took it back is told as a rule of its own.
    """
    cursor = await connection.execute(
        """
        SELECT e.due_at, last.error_code
        FROM enrolment e CROSS JOIN LATERAL (
            SELECT a.state, a.step_id, a.error_code, a.performing_at >= a.planned_at AS had_begun FROM action a
            WHERE a.workspace_id = e.workspace_id AND a.lead_id = e.lead_id ORDER BY a.id DESC LIMIT 1
        ) last
        WHERE e.workspace_id = %s AND e.lead_id = %s AND e.state = 'due' AND e.due_at > %s
            AND last.state = 'cancelled' AND last.had_begun AND last.step_id = e.step_id AND last.error_code IS NOT NULL
        """,
        (workspace_id, lead_id, now),
    )
    found = await cursor.fetchone()
    return None if found is None else Postponed(*found)


async def stop(connection: Connection, workspace_id: str, lead_id: str) -> Stop | None:
    """Why the lead was stopped last, as its history tells; None where it was a person who stopped it.

    Whoever replied did so as another lead of the same person, at the same moment or before.
    """
    cursor = await connection.execute(
        """
        SELECT CASE WHEN h.detail ? 'duplicateOf' THEN 'duplicate' ELSE h.detail ->> 'reason' END,
               coalesce(replace(h.detail ->> 'duplicateOf', 'lead_', ''), replied.lead_id), replied.name
        FROM (
            SELECT at, detail FROM history
            WHERE workspace_id = %(workspace)s AND lead_id = %(lead)s AND type = 'status_changed'
              AND detail ->> 'newStatus' = 'STOPPED'
            ORDER BY id DESC LIMIT 1
        ) AS h
        LEFT JOIN LATERAL (
            SELECT replace(o.id::text, '-', '') AS lead_id, c.name
            FROM lead l
            JOIN lead o ON o.workspace_id = l.workspace_id AND o.identity_kind = l.identity_kind
                AND o.identity_key = l.identity_key AND o.id <> l.id
            JOIN history r ON r.workspace_id = o.workspace_id AND r.lead_id = o.id
                AND r.type = 'replied' AND r.at <= h.at
            JOIN campaign c ON c.workspace_id = o.workspace_id AND c.id = o.campaign_id
            WHERE l.workspace_id = %(workspace)s AND l.id = %(lead)s AND h.detail ->> 'reason' = 'replied_elsewhere'
            ORDER BY r.at DESC, r.id DESC LIMIT 1
        ) AS replied ON true
        WHERE h.detail ?| ARRAY['reason', 'duplicateOf']
        """,
        {"workspace": workspace_id, "lead": lead_id},
    )
    found = await cursor.fetchone()
    return None if found is None else Stop(*found)


async def paces(connection: Connection, workspace_id: str, sender_ids: Sequence[str]) -> Mapping[str, datetime]:
    """From when on each sender may plan its next deed, for those that keep a gap."""
    cursor = await connection.execute(
        """
        SELECT sender_id, plan_at FROM sender_pace
        WHERE workspace_id = %s AND sender_id = ANY(%s::uuid[]) AND plan_at > '-infinity'
        """,
        (workspace_id, list(sender_ids)),
    )
    return {found[0]: found[1] for found in await cursor.fetchall()}
