"""The SQL of actions: one row an intended deed, from the plan to what became of it.

Whatever is written of an action that is being performed names the token it was begun with, so that a worker whose
lease has passed on changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg.rows import class_row

from leadwright.postgres.pool import Connection
from leadwright.senders.quotas import Taken

NEVER = datetime.max.replace(tzinfo=UTC)
"""When a channel is asked again about a deed that a person has to resolve."""


class Action(msgspec.Struct, frozen=True):
    """An action of a lead or (``lead_id`` None) a one-off of the inbox."""

    id: str
    lead_id: str | None
    campaign_id: str | None
    sender_id: str
    identity_kind: str
    identity_key: str
    linkedin_url: str
    step_id: str | None
    step_number: int | None
    sequence_version: int | None
    variant: int | None
    kind: str
    content: Mapping[str, Any]
    state: str
    attempt: int
    token: int
    quota: Sequence[Sequence[str | date]]
    planned_at: datetime
    performing_at: datetime | None
    external_id: str | None

    @property
    def text(self) -> str | None:
        return self.content.get("text")


ACTION_COLUMNS: LiteralString = """
    a.id, a.lead_id, a.campaign_id, a.sender_id, a.identity_kind, a.identity_key, a.linkedin_url, a.step_id,
    a.step_number, a.sequence_version, a.variant, a.kind, a.content, a.state, a.attempt, a.token, a.quota,
    a.planned_at, a.performing_at, a.external_id
"""
ACTION_COLUMN_COUNT = 20


class NewAction(msgspec.Struct, frozen=True):
    """A deed about to be planned; ``begins``: at once, so that its worker may perform it when that is committed."""

    id: str
    lead_id: str
    sender_id: str
    identity_kind: str
    identity_key: str
    linkedin_url: str
    step_id: str
    step_number: int | None
    sequence_version: int
    variant: int | None
    kind: str
    content: Mapping[str, object]
    quota: Sequence[Taken]
    begins: bool

    def begun(self, plan: "Plan", campaign_id: str, now: datetime) -> Action:
        """The action as it stands when it has begun with its plan."""
        return Action(
            id=plan.id,
            lead_id=self.lead_id,
            campaign_id=campaign_id,
            sender_id=self.sender_id,
            identity_kind=self.identity_kind,
            identity_key=self.identity_key,
            linkedin_url=self.linkedin_url,
            step_id=self.step_id,
            step_number=self.step_number,
            sequence_version=self.sequence_version,
            variant=self.variant,
            kind=self.kind,
            content=self.content,
            state="performing",
            attempt=plan.attempt,
            token=plan.token,
            quota=self.quota,
            planned_at=now,
            performing_at=now,
            external_id=plan.external_id,
        )


class Plan(NamedTuple):
    """What a lead's new plan goes by; one that was made before has its old id, and the attempts it had."""

    lead_id: str
    id: str
    attempt: int
    token: int
    external_id: str | None


async def plan(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    actions: Sequence[NewAction],
    lease_until: datetime,
    now: datetime,
) -> Mapping[str, Plan]:
    """Writes down what is to be done, and answers the plans of the leads for which that is new.

    A plan that was cancelled is made anew under its old id, with the attempts it had; one that is open or over stays
    as it is. What begins is its worker's until ``lease_until``.
    """
    cursor = await connection.execute(
        """
        INSERT INTO action AS a (workspace_id, id, lead_id, campaign_id, sender_id, identity_kind, identity_key,
            linkedin_url, step_id, step_number, sequence_version, variant, kind, content, due_at, quota, planned_at,
            state, attempt, performing_at, lease_until)
        SELECT %(workspace)s, id, lead_id, %(campaign)s, sender_id, identity_kind, identity_key, linkedin_url, step_id,
            step_number, sequence_version, variant, kind, content, %(now)s, quota, %(now)s,
            CASE WHEN begins THEN 'performing' ELSE 'planned' END::action_state, begins::integer,
            CASE WHEN begins THEN %(now)s::timestamptz END, CASE WHEN begins THEN %(lease)s::timestamptz END
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, lead_id uuid, sender_id uuid,
            identity_kind identity_kind, identity_key text, linkedin_url text, step_id text, step_number integer,
            sequence_version integer, variant smallint, kind text, content jsonb, quota jsonb, begins boolean)
        ON CONFLICT (workspace_id, lead_id, step_id, kind) WHERE lead_id IS NOT NULL DO UPDATE
        SET state = excluded.state, sender_id = excluded.sender_id, identity_kind = excluded.identity_kind,
            identity_key = excluded.identity_key, sequence_version = excluded.sequence_version,
            step_number = excluded.step_number, variant = excluded.variant, content = excluded.content,
            due_at = excluded.due_at, quota = excluded.quota, planned_at = excluded.planned_at,
            attempt = a.attempt + excluded.attempt, performing_at = coalesce(excluded.performing_at, a.performing_at),
            token = a.token + 1, awaiting = NULL, lease_until = excluded.lease_until, finished_at = NULL
        WHERE a.state = 'cancelled'
        RETURNING lead_id, id, attempt, token, external_id
        """,
        {
            "workspace": workspace_id,
            "campaign": campaign_id,
            "now": now,
            "lease": lease_until,
            "rows": msgspec.json.encode(actions).decode(),
        },
    )
    return {row[0]: Plan(*row) for row in await cursor.fetchall()}


async def performed_steps(
    connection: Connection, workspace_id: str, lead_ids: Sequence[str]
) -> Mapping[str, frozenset[str]]:
    """The steps that are over for each lead: done, or failed for good."""
    cursor = await connection.execute(
        """
        SELECT lead_id, array_agg(step_id) FROM action
        WHERE workspace_id = %s AND lead_id = ANY(%s::uuid[]) AND state IN ('done', 'failed') AND step_id IS NOT NULL
        GROUP BY lead_id
        """,
        (workspace_id, list(lead_ids)),
    )
    return {row[0]: frozenset(row[1]) for row in await cursor.fetchall()}


async def cancel(
    connection: Connection, workspace_id: str, reasons: Mapping[str, str], now: datetime
) -> Sequence[tuple[str, Sequence[Sequence[str]]]]:
    """Withdraws plans, each for its reason; answers sender and quota of each that was one, to be given back."""
    rows = [{"id": action_id, "reason": reason} for action_id, reason in reasons.items()]
    cursor = await connection.execute(
        """
        WITH chosen AS MATERIALIZED (
            SELECT a.id, a.sender_id, a.quota, r.reason
            FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, reason text)
            JOIN action a ON a.workspace_id = %s AND a.id = r.id
            WHERE a.state = 'planned' ORDER BY a.id FOR NO KEY UPDATE OF a
        )
        UPDATE action a SET state = 'cancelled', error_code = c.reason, finished_at = %s, token = a.token + 1,
            quota = '[]'
        FROM chosen c WHERE a.workspace_id = %s AND a.id = c.id RETURNING c.sender_id, c.quota
        """,
        (msgspec.json.encode(rows).decode(), workspace_id, now, workspace_id),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def cancel_of_leads(
    connection: Connection, workspace_id: str, lead_ids: Sequence[str], reason: str, now: datetime
) -> Sequence[tuple[str, Sequence[Sequence[str]]]]:
    """Withdraws what has not begun of these leads: plans, and tasks of persons. Answers as ``cancel``."""
    cursor = await connection.execute(
        """
        WITH chosen AS MATERIALIZED (
            SELECT id, sender_id, quota FROM action
            WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) AND step_id IS NOT NULL
              AND (state = 'planned' OR state = 'performing' AND awaiting = 'person')
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE action a SET state = 'cancelled', error_code = %(reason)s, finished_at = %(now)s, token = a.token + 1,
            awaiting = NULL, quota = '[]'
        FROM chosen c WHERE a.workspace_id = %(workspace)s AND a.id = c.id RETURNING c.sender_id, c.quota
        """,
        {"workspace": workspace_id, "leads": list(lead_ids), "reason": reason, "now": now},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def rekey(connection: Connection, workspace_id: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Keeps a person's actions under another canonical key."""
    await connection.execute(
        """
        UPDATE action SET identity_kind = %s, identity_key = %s
        WHERE workspace_id = %s AND identity_kind = %s AND identity_key = %s
        """,
        (*new, workspace_id, *old),
    )


class Settlement(msgspec.Struct, frozen=True):
    """What is written of an action after its deed; ``token`` is the one that it was begun with.

    ``due_at`` is when an uncertain one is asked about next. ``awaiting`` leaves it performing without a lease.
    ``attempt`` is how often it was tried, in earnest.
    """

    id: str
    token: int
    state: str
    due_at: datetime
    attempt: int
    awaiting: str | None = None
    external_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    keeps_quota: bool = True
    finished_at: datetime | None = None


async def settle(connection: Connection, workspace_id: str, rows: Sequence[Settlement]) -> frozenset[str]:
    """Writes what became of actions, and answers those that this worker still had."""
    cursor = await connection.execute(
        """
        UPDATE action a SET state = r.state, awaiting = r.awaiting, lease_until = NULL, due_at = r.due_at,
            attempt = r.attempt, external_id = coalesce(r.external_id, a.external_id), error_code = r.error_code,
            error_message = r.error_message, finished_at = r.finished_at, token = a.token + 1,
            quota = CASE WHEN r.keeps_quota THEN a.quota ELSE '[]' END
        FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, token bigint, state action_state, due_at timestamptz,
            attempt smallint, awaiting text, external_id text, error_code text, error_message text, keeps_quota boolean,
            finished_at timestamptz)
        WHERE a.workspace_id = %s AND a.id = r.id AND a.token = r.token AND a.state IN ('performing', 'uncertain')
        RETURNING a.id
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )
    return frozenset(row[0] for row in await cursor.fetchall())


class Lost(NamedTuple):
    """A deed that its worker had begun when it was lost; ``lead_id`` None: a one-off."""

    id: str
    lead_id: str | None
    step_id: str | None
    kind: str
    attempt: int
    simulated: bool


async def give_up_lost(connection: Connection, now: datetime, limit: int = 500) -> Mapping[str, Sequence[Lost]]:
    """Makes uncertain what was being performed when its worker was lost; asked about at once. By workspace."""
    cursor = await connection.execute(
        """
        UPDATE action a SET state = 'uncertain', lease_until = NULL, due_at = %(now)s, token = a.token + 1
        FROM (SELECT workspace_id, id FROM action
              WHERE state = 'performing' AND awaiting IS NULL AND lease_until <= %(now)s
              LIMIT %(limit)s FOR UPDATE SKIP LOCKED) AS lost
        WHERE a.workspace_id = lost.workspace_id AND a.id = lost.id
        RETURNING a.workspace_id, a.id, a.lead_id, a.step_id, a.kind, a.attempt, EXISTS (
            SELECT FROM sender s WHERE s.workspace_id = a.workspace_id AND s.id = a.sender_id
                AND s.channel = 'simulator')
        """,
        {"now": now, "limit": limit},
    )
    found: dict[str, list[Lost]] = {}
    for workspace_id, *columns in await cursor.fetchall():
        found.setdefault(workspace_id, []).append(Lost(*columns))
    return found


async def count_uncertain(connection: Connection) -> int:
    """In all workspaces."""
    cursor = await connection.execute("SELECT count(*) FROM action WHERE state = 'uncertain'")
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def ask_about(
    connection: Connection, now: datetime, again_at: datetime, limit: int
) -> Mapping[str, list[Action]]:
    """Uncertain actions to ask their channels about, by workspace; nobody else asks before ``again_at``."""
    cursor = await connection.execute(
        """
        WITH chosen AS (
            SELECT workspace_id, id FROM action WHERE state = 'uncertain' AND due_at <= %s
            ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        UPDATE action a SET due_at = %s, token = a.token + 1 FROM chosen
        WHERE a.workspace_id = chosen.workspace_id AND a.id = chosen.id RETURNING a.workspace_id,
        """
        + ACTION_COLUMNS,
        (now, limit, again_at),
    )
    found: dict[str, list[Action]] = {}
    for workspace_id, *columns in await cursor.fetchall():
        found.setdefault(workspace_id, []).append(Action(*columns))
    return found


async def action(connection: Connection, workspace_id: str, action_id: str) -> Action | None:
    async with connection.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(
            "SELECT " + ACTION_COLUMNS + " FROM action a WHERE a.workspace_id = %s AND a.id = %s",
            (workspace_id, action_id),
        )
        return await cursor.fetchone()


async def open_action(connection: Connection, workspace_id: str, action_id: str) -> Action | None:
    """An action whose outcome is still to come, None when there is no such one."""
    async with connection.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(
            "SELECT "
            + ACTION_COLUMNS
            + " FROM action a WHERE a.workspace_id = %s AND a.id = %s AND a.state IN ('performing', 'uncertain')",
            (workspace_id, action_id),
        )
        return await cursor.fetchone()


async def take_up_again(
    connection: Connection, workspace_id: str, action_id: str, quota: Sequence[Sequence[str | date]]
) -> None:
    """An action that was begun once and then given up is being performed after all, if it still is given up."""
    await connection.execute(
        """
        UPDATE action SET state = 'performing', awaiting = 'channel', lease_until = NULL, finished_at = NULL,
            error_code = NULL, error_message = NULL, quota = %s::jsonb, token = token + 1
        WHERE workspace_id = %s AND id = %s AND state IN ('planned', 'cancelled') AND performing_at IS NOT NULL
        """,
        (msgspec.json.encode(quota).decode(), workspace_id, action_id),
    )


async def next_due(connection: Connection) -> datetime | None:
    """When an action is next to be performed, given up or asked about."""
    cursor = await connection.execute(
        """
        SELECT least((SELECT min(due_at) FROM action WHERE state = 'planned' AND step_id IS NOT NULL),
            (SELECT min(lease_until) FROM action WHERE state = 'performing' AND awaiting IS NULL),
            (SELECT min(due_at) FROM action WHERE state = 'uncertain' AND due_at < %s))
        """,
        (NEVER,),
    )
    row = await cursor.fetchone()
    return row[0] if row else None
