"""The SQL of what people did: each fact once, and the leads that it is about."""

from dataclasses import dataclass
from datetime import datetime

from leadwright.identity import Identity
from leadwright.postgres.pool import Connection


async def channel_of(connection: Connection, workspace_id: str, sender_id: str) -> str | None:
    """The channel of a sender, removed or not; None when there is no such sender."""
    cursor = await connection.execute(
        "SELECT channel FROM sender WHERE workspace_id = %s AND id = %s", (workspace_id, sender_id)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def is_news(
    connection: Connection, workspace_id: str, sender_id: str, external_id: str, kind: str, now: datetime
) -> bool:
    """Notes a fact under its channel's name of it; waits for whoever is noting the same."""
    cursor = await connection.execute(
        """
        INSERT INTO inbound_fact (workspace_id, sender_id, external_id, type, received_at) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (workspace_id, sender_id, external_id) DO NOTHING RETURNING 1
        """,
        (workspace_id, sender_id, external_id, kind, now),
    )
    return await cursor.fetchone() is not None


async def name_lead(connection: Connection, workspace_id: str, sender_id: str, external_id: str, lead_id: str) -> None:
    """Which lead a fact was about, for whoever tells it again."""
    await connection.execute(
        "UPDATE inbound_fact SET lead_id = %s WHERE workspace_id = %s AND sender_id = %s AND external_id = %s",
        (lead_id, workspace_id, sender_id, external_id),
    )


async def lead_of(connection: Connection, workspace_id: str, sender_id: str, external_id: str) -> str | None:
    cursor = await connection.execute(
        "SELECT lead_id FROM inbound_fact WHERE workspace_id = %s AND sender_id = %s AND external_id = %s",
        (workspace_id, sender_id, external_id),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def enrol_person(connection: Connection, workspace_id: str, person: Identity) -> None:
    """Gives each lead of a person its enrolment, so that it can be stopped; waits for whoever is planning for one."""
    await connection.execute(
        """
        WITH entering AS (
            UPDATE lead SET enrolled = true FROM (
                SELECT id FROM lead WHERE workspace_id = %(workspace)s AND identity_kind = %(kind)s
                    AND identity_key = %(key)s AND NOT enrolled ORDER BY id FOR NO KEY UPDATE) AS chosen
            WHERE lead.workspace_id = %(workspace)s AND lead.id = chosen.id
            RETURNING lead.workspace_id, lead.id, lead.campaign_id, lead.created_at
        )
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, lane_id, due_at, updated_at)
        SELECT n.workspace_id, n.id, n.campaign_id, c.entry_lane_id, n.created_at, n.created_at
        FROM entering n JOIN campaign c ON c.workspace_id = n.workspace_id AND c.id = n.campaign_id
        """,
        {"workspace": workspace_id, "kind": person.kind.value, "key": person.key},
    )


async def leads_of_person(connection: Connection, workspace_id: str, person: Identity) -> list[str]:
    """The leads of a person, in all campaigns, the oldest first."""
    cursor = await connection.execute(
        """
        SELECT id FROM lead WHERE workspace_id = %s AND identity_kind = %s AND identity_key = %s AND enrolled
        ORDER BY id
        """,
        (workspace_id, person.kind.value, person.key),
    )
    return [row[0] for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Answered:
    """The step that a person's answer belongs to."""

    step_id: str | None = None
    variant: int | None = None


async def last_step_done(connection: Connection, workspace_id: str, lead_id: str, kinds: list[str]) -> Answered:
    """The last step of these kinds that was done for a lead."""
    cursor = await connection.execute(
        """
        SELECT step_id, variant FROM action
        WHERE workspace_id = %s AND lead_id = %s AND kind = ANY(%s) AND state = 'done' AND step_id IS NOT NULL
        ORDER BY finished_at DESC LIMIT 1
        """,
        (workspace_id, lead_id, kinds),
    )
    row = await cursor.fetchone()
    return Answered(*row) if row else Answered()


async def has_replied(connection: Connection, workspace_id: str, lead_id: str) -> bool:
    """Whether the lead's history knows of a reply."""
    cursor = await connection.execute(
        "SELECT 1 FROM history WHERE workspace_id = %s AND lead_id = %s AND type = 'replied' LIMIT 1",
        (workspace_id, lead_id),
    )
    return await cursor.fetchone() is not None


async def withdrawing(connection: Connection, workspace_id: str, lead_ids: list[str]) -> frozenset[str]:
    """Of these leads, which the caller holds, those whose invitation is about to be withdrawn: nobody has begun."""
    cursor = await connection.execute(
        """
        SELECT lead_id FROM action WHERE workspace_id = %s AND lead_id = ANY(%s::uuid[])
          AND kind = 'withdraw_connection' AND (state = 'planned' OR state = 'performing' AND awaiting = 'person')
        """,
        (workspace_id, lead_ids),
    )
    return frozenset(row[0] for row in await cursor.fetchall())
