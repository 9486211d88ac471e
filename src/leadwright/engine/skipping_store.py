"""The SQL of leads whose person must not be approached any more: found, and taken out of what they wait for.

Enrolments are locked in the order of leads, as everybody does who waits for more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from leadwright.identity import Identity
from leadwright.postgres.pool import Connection


async def leads_of_persons(connection: Connection, workspace_id: str, persons: Sequence[Identity]) -> list[str]:
    """Leads on their way, in all campaigns. Those that have not begun are judged when they do."""
    rows = [{"k": person.kind.value, "p": person.key} for person in persons]
    cursor = await connection.execute(
        """
        SELECT e.lead_id FROM jsonb_to_recordset(%s::jsonb) AS r(k identity_kind, p text)
        JOIN lead l ON l.workspace_id = %s AND l.identity_kind = r.k AND l.identity_key = r.p AND l.enrolled
        JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id AND e.state <> 'done'
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def lock(connection: Connection, workspace_id: str, lead_ids: Sequence[str]) -> list[str]:
    """Holds their enrolments, and answers the leads for which a deed is planned or under way."""
    cursor = await connection.execute(
        """
        SELECT lead_id, state = 'leased' FROM enrolment WHERE workspace_id = %s AND lead_id = ANY(%s::uuid[])
        ORDER BY lead_id FOR UPDATE
        """,
        (workspace_id, list(lead_ids)),
    )
    return [lead_id for lead_id, is_leased in await cursor.fetchall() if is_leased]


async def judge(connection: Connection, workspace_id: str, lead_ids: Sequence[str], now: datetime) -> None:
    """Lets leads that are held be judged at once, in a lane that nothing closes, but for those with an open deed."""
    names = {"workspace": workspace_id, "leads": list(lead_ids), "now": now}
    await connection.execute(
        """
        INSERT INTO lane (workspace_id, campaign_id, sender_id, kind)
        SELECT DISTINCT workspace_id, campaign_id, sender_id, 'judge' FROM enrolment
        WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) AND sender_id IS NOT NULL
        ORDER BY 2, 3
        ON CONFLICT (workspace_id, campaign_id, sender_id, kind) DO NOTHING
        """,
        names,
    )
    await connection.execute(
        """
        UPDATE enrolment e SET state = 'due', due_at = %(now)s, token = e.token + 1, lane_id = coalesce((
            SELECT l.id FROM lane l WHERE l.workspace_id = %(workspace)s AND l.campaign_id = e.campaign_id
                AND l.sender_id = e.sender_id AND l.kind = 'judge'), e.lane_id)
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = ANY(%(leads)s::uuid[]) AND e.state <> 'done'
          AND NOT EXISTS (SELECT FROM action a WHERE a.workspace_id = e.workspace_id AND a.lead_id = e.lead_id
            AND a.step_id IS NOT NULL AND a.state IN ('planned', 'performing', 'uncertain'))
        """,
        names,
    )


async def begin_walk(connection: Connection, workspace_id: str) -> None:
    """Has the leads of a workspace walked through; those of a walk under way once more behind it."""
    await connection.execute(
        """
        INSERT INTO suppression_walk (workspace_id) VALUES (%s)
        ON CONFLICT (workspace_id) DO UPDATE SET again = true
        """,
        (workspace_id,),
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """``behind``: the lead that was looked at last. ``again``: from the start, once all have been looked at."""

    workspace_id: str
    behind: str
    again: bool


async def take_walk(connection: Connection) -> Walk | None:
    """One that nobody else is on; it is the caller's until the transaction ends."""
    cursor = await connection.execute(
        "SELECT workspace_id, behind, again FROM suppression_walk LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    row = await cursor.fetchone()
    return Walk(*row) if row else None


@dataclass(frozen=True, slots=True)
class Passed:
    """A lead on its way, with what the do-not-contact list may know it by."""

    lead_id: str
    identity_kind: str
    identity_key: str
    email: str | None
    company: str | None


async def next_of(connection: Connection, walk: Walk, limit: int) -> list[Passed]:
    """The leads that come next."""
    cursor = await connection.execute(
        """
        SELECT e.lead_id, l.identity_kind, l.identity_key, l.email, l.company
        FROM enrolment e JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id
        WHERE e.workspace_id = %s AND e.lead_id > %s AND e.state <> 'done' ORDER BY e.lead_id LIMIT %s
        """,
        (walk.workspace_id, walk.behind, limit),
    )
    return [Passed(*row) for row in await cursor.fetchall()]


async def go_on(connection: Connection, walk: Walk, behind: str) -> None:
    await connection.execute(
        "UPDATE suppression_walk SET behind = %s WHERE workspace_id = %s", (behind, walk.workspace_id)
    )


async def end(connection: Connection, walk: Walk) -> None:
    """Ends a walk, or begins it anew when that was asked for."""
    if walk.again:
        await connection.execute(
            "UPDATE suppression_walk SET behind = DEFAULT, again = false WHERE workspace_id = %s", (walk.workspace_id,)
        )
    else:
        await connection.execute("DELETE FROM suppression_walk WHERE workspace_id = %s", (walk.workspace_id,))
