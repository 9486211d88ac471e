"""The SQL of one-off deeds: whom they are for, their actions, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg.rows import class_row

from leadwright import ids
from leadwright.engine.action_store import Action
from leadwright.engine.sequence import StepType
from leadwright.engine.store import LEAD_COLUMNS, Row
from leadwright.identity import Identity
from leadwright.postgres.pool import Connection

PROMISED = {StepType.MESSAGE: "messageId", StepType.CONNECT: "requestId"}
"""Under which name an action's content holds the id that its caller is promised, before there is anything of it."""

_LEAD: LiteralString = (
    "SELECT "
    + LEAD_COLUMNS
    + """, e.sender_id FROM lead l
    LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
    WHERE l.workspace_id = %(workspace)s
    """
)


async def lead(connection: Connection, workspace_id: str, lead_id: str) -> Row | None:
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(_LEAD + "AND l.id = %(id)s", {"workspace": workspace_id, "id": lead_id})
        return await cursor.fetchone()


async def lead_of(
    connection: Connection, workspace_id: str, identity: Identity, campaign_id: str | None, contacted: str | None
) -> Row | None:
    """The person's lead, in a campaign or in any: the one that was ``contacted`` last, else the newest."""
    names = {"kind": identity.kind.value, "key": identity.key, "campaign": campaign_id, "contacted": contacted}
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            _LEAD
            + """AND l.identity_kind = %(kind)s AND l.identity_key = %(key)s
              AND (%(campaign)s::uuid IS NULL OR l.campaign_id = %(campaign)s)
            ORDER BY l.id IS NOT DISTINCT FROM %(contacted)s::uuid DESC, l.id DESC LIMIT 1""",
            {"workspace": workspace_id, **names},
        )
        return await cursor.fetchone()


async def has_campaign(connection: Connection, workspace_id: str, campaign_id: str) -> bool:
    cursor = await connection.execute(
        "SELECT 1 FROM campaign WHERE workspace_id = %s AND id = %s", (workspace_id, campaign_id)
    )
    return await cursor.fetchone() is not None


async def connected_sender(connection: Connection, workspace_id: str, identity: Identity) -> str | None:
    """The sender that is connected to the person and wrote to them last."""
    cursor = await connection.execute(
        """
        SELECT r.sender_id FROM relationship r
        JOIN sender s ON s.workspace_id = r.workspace_id AND s.id = r.sender_id AND s.removed_at IS NULL
        WHERE r.workspace_id = %s AND r.identity_kind = %s AND r.identity_key = %s AND r.state = 'connected'
        ORDER BY r.last_sent_at DESC NULLS LAST, r.sender_id LIMIT 1
        """,
        (workspace_id, identity.kind.value, identity.key),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def begin(
    connection: Connection, workspace_id: str, action: Action, lease_until: datetime, now: datetime
) -> Action:
    """Writes a deed down as being performed, and answers it with its token; one that did not happen begins anew.

    Raises RuntimeError when the action is open or over: the caller holds what guards it.
    """
    cursor = await connection.execute(
        """
        INSERT INTO action AS a (workspace_id, id, lead_id, campaign_id, sender_id, identity_kind, identity_key,
            linkedin_url, kind, content, state, attempt, due_at, lease_until, token, quota, planned_at, performing_at)
        VALUES (%(workspace)s, %(id)s, %(lead)s, %(campaign)s, %(sender)s, %(identity_kind)s, %(identity_key)s,
            %(url)s, %(kind)s, %(content)s::jsonb, 'performing', 1, %(now)s, %(lease)s, 1, %(quota)s::jsonb, %(now)s,
            %(now)s)
        ON CONFLICT (workspace_id, id) DO UPDATE
        SET state = 'performing', attempt = a.attempt + 1, token = a.token + 1, lead_id = excluded.lead_id,
            campaign_id = excluded.campaign_id, sender_id = excluded.sender_id,
            identity_kind = excluded.identity_kind, identity_key = excluded.identity_key,
            content = excluded.content, due_at = excluded.due_at, lease_until = excluded.lease_until,
            quota = excluded.quota, performing_at = excluded.performing_at, awaiting = NULL, error_code = NULL,
            error_message = NULL, finished_at = NULL
        WHERE a.state = 'cancelled'
        RETURNING token, attempt
        """,
        {
            "workspace": workspace_id,
            "id": action.id,
            "lead": action.lead_id,
            "campaign": action.campaign_id,
            "sender": action.sender_id,
            "identity_kind": action.identity_kind,
            "identity_key": action.identity_key,
            "url": action.linkedin_url,
            "kind": action.kind,
            "content": msgspec.json.encode(action.content).decode(),
            "quota": msgspec.json.encode(action.quota).decode(),
            "lease": lease_until,
            "now": now,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a one-off deed was begun twice")
    return msgspec.structs.replace(action, token=row[0], attempt=row[1])


@dataclass(frozen=True, slots=True)
class Told:
    """What has become of a one-off deed. ``at``: when it was over, before that when it was planned.

    ``conversation_id`` is that of sender and person; ``is_connected`` what they are to each other now.
    ``is_step``: an invitation of a lead's sequence, which a caller asked for as well.
    """

    id: str
    lead_id: str | None
    linkedin_url: str
    kind: str
    content: Mapping[str, Any]
    state: str
    error_code: str | None
    error_message: str | None
    quota: Sequence[Any]
    at: datetime
    conversation_id: str | None
    is_connected: bool
    is_step: bool

    @property
    def promised_id(self) -> str:
        """What the message or the request is called; another one when the content was erased."""
        return self.content.get(PROMISED[StepType(self.kind)]) or ids.new_id()


async def told(connection: Connection, workspace_id: str, action_id: str) -> Told | None:
    async with connection.cursor(row_factory=class_row(Told)) as cursor:
        await cursor.execute(
            """
            SELECT a.id, a.lead_id, a.linkedin_url, a.kind, a.content, a.state, a.error_code, a.error_message, a.quota,
                   coalesce(a.finished_at, a.planned_at) AS at, c.id AS conversation_id,
                   coalesce(r.state = 'connected', false) AS is_connected, a.step_id IS NOT NULL AS is_step
            FROM action a
            LEFT JOIN alias k ON k.workspace_id = a.workspace_id AND k.kind = a.identity_kind AND k.key = a.identity_key
            LEFT JOIN conversation c ON c.workspace_id = a.workspace_id AND c.sender_id = a.sender_id
                AND c.identity_kind = coalesce(k.person_kind, a.identity_kind)
                AND c.identity_key = coalesce(k.person_key, a.identity_key)
            LEFT JOIN relationship r ON r.workspace_id = a.workspace_id AND r.sender_id = a.sender_id
                AND r.identity_kind = coalesce(k.person_kind, a.identity_kind)
                AND r.identity_key = coalesce(k.person_key, a.identity_key)
            WHERE a.workspace_id = %s AND a.id = %s
            """,
            (workspace_id, action_id),
        )
        return await cursor.fetchone()
