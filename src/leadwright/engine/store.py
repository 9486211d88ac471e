"""The SQL of leads on their way: a campaign's course, the leads that are due, and where they stand next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import msgspec

from leadwright.campaigns import schedule
from leadwright.campaigns.schedule import Schedule
from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Course:
    """What the engine reads of a campaign; ``schedule`` None: always open."""

    id: str
    sender_ids: Sequence[str]
    schedule: Schedule | None
    version: int
    skips_missing: bool
    acceptance_timeout: timedelta
    max_new_leads_per_day: int | None
    approach_despite_other_conversation: bool
    entry_lane_id: int

    @property
    def was_edited(self) -> bool:
        """Whether its sequence is another than the first, so that leads can stand before steps they have done."""
        return self.version > 1


async def courses(connection: Connection, workspace_id: str, campaign_ids: Sequence[str]) -> dict[str, Course]:
    """Those of the campaigns that there are."""
    cursor = await connection.execute(
        """
        SELECT id, sender_ids, schedule, sequence_version, missing_variable = 'skip_step', acceptance_timeout,
               max_new_leads_per_day, approach_despite_other_conversation, entry_lane_id
        FROM campaign WHERE workspace_id = %s AND id = ANY(%s::uuid[])
        """,
        (workspace_id, list(campaign_ids)),
    )
    return {
        row[0]: Course(row[0], row[1], None if row[2] is None else schedule.from_json(row[2]), *row[3:])
        for row in await cursor.fetchall()
    }


async def sequence_source(
    connection: Connection, workspace_id: str, campaign_id: str, version: int
) -> Mapping[str, object]:
    """A version of a campaign's sequence as it was saved."""
    cursor = await connection.execute(
        "SELECT sequence FROM campaign_sequence WHERE workspace_id = %s AND campaign_id = %s AND version = %s",
        (workspace_id, campaign_id, version),
    )
    row = await cursor.fetchone()
    assert row is not None, "a version that a lead stands in is never deleted before the lead"
    return row[0]


class Row(msgspec.Struct, frozen=True):
    """A lead that is due, with its place; without a step it has not begun."""

    lead_id: str
    campaign_id: str
    linkedin_url: str
    identity_kind: str
    identity_key: str
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None
    email: str | None
    custom: Mapping[str, Any]
    created_at: datetime
    status: str = "PENDING"
    custom_status: str | None = None
    state: str = "due"
    step_id: str | None = None
    step_since: datetime | None = None
    sequence_version: int | None = None
    sender_id: str | None = None
    contacted_at: datetime | None = None
    messages_sent: int = 0
    hold_rule: str | None = None
    enrolled: bool = True

    @property
    def identity(self) -> Identity:
        return Identity(KINDS[self.identity_kind], self.identity_key)

    @property
    def name(self) -> str | None:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None

    @property
    def fields(self) -> dict[str, Any]:
        """As templates name them: a standard field hides a custom one of its name."""
        standard = {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "company": self.company,
            "title": self.title,
            "email": self.email,
            "linkedinUrl": self.linkedin_url,
        }
        return {**self.custom, **standard}


KINDS = {kind.value: kind for kind in IdentityKind}
"""A look-up of a dictionary is a tenth of what the enumeration's own costs, and each lead needs several."""

# The columns in the order of Row: reading them by position takes a third of what names take.
LEAD_COLUMNS: LiteralString = """
    l.id AS lead_id, l.campaign_id, l.linkedin_url, l.identity_kind, l.identity_key, l.first_name, l.last_name,
    l.company, l.title, l.email, l.custom, l.created_at
"""
PLACE_COLUMNS: LiteralString = """
    e.status, e.custom_status, e.state, e.step_id, e.step_since, e.sequence_version, e.sender_id, e.contacted_at,
    e.messages_sent, e.hold_rule
"""


async def due(connection: Connection, workspace_id: str, lane_id: int, now: datetime, limit: int) -> list[Row]:
    """Leads of a lane whose time has come, the longest due first, held until the transaction ends."""
    cursor = await connection.execute(
        "SELECT "
        + LEAD_COLUMNS
        + ","
        + PLACE_COLUMNS
        + """
        FROM enrolment e JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id
        WHERE e.workspace_id = %s AND e.lane_id = %s AND e.state = 'due' AND e.due_at <= %s
        ORDER BY e.due_at, e.lead_id LIMIT %s FOR UPDATE OF e SKIP LOCKED
        """,
        (workspace_id, lane_id, now, limit),
    )
    return [Row(*row) for row in await cursor.fetchall()]


async def entering(connection: Connection, workspace_id: str, campaign_id: str, limit: int) -> list[Row]:
    """The next leads without an enrolment, oldest first, held; the caller gives them one: ``place``."""
    cursor = await connection.execute(
        "SELECT "
        + LEAD_COLUMNS
        + """
        FROM lead l WHERE l.workspace_id = %s AND l.campaign_id = %s AND NOT l.enrolled
        ORDER BY l.id LIMIT %s FOR UPDATE OF l SKIP LOCKED
        """,
        (workspace_id, campaign_id, limit),
    )
    return [Row(*row, enrolled=False) for row in await cursor.fetchall()]


async def lock(connection: Connection, workspace_id: str, lead_ids: Sequence[str]) -> dict[str, Row]:
    """The enrolments of these leads, held; waits for whoever holds one, in one order."""
    cursor = await connection.execute(
        "SELECT "
        + LEAD_COLUMNS
        + ","
        + PLACE_COLUMNS
        + """
        FROM enrolment e JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id
        WHERE e.workspace_id = %s AND e.lead_id = ANY(%s::uuid[]) ORDER BY e.lead_id FOR UPDATE OF e
        """,
        (workspace_id, list(lead_ids)),
    )
    return {row[0]: Row(*row) for row in await cursor.fetchall()}


class Place(msgspec.Struct):
    """Where a lead stands from now on. ``state``: due, leased (an open action has it), held or done.

    ``enrolled``: whether it stood anywhere before.
    """

    lead_id: str
    status: str
    state: str
    step_id: str | None
    step_since: datetime
    sequence_version: int
    sender_id: str | None
    lane_id: int
    due_at: datetime
    hold_rule: str | None = None
    hold_detail: Mapping[str, object] = {}
    contacted_at: datetime | None = None
    messages_sent: int = 0
    enrolled: bool = True


async def place(
    connection: Connection, workspace_id: str, campaign_id: str, places: Sequence[Place], now: datetime
) -> None:
    """Writes where leads stand, whose rows the caller holds; one that has no enrolment gets it."""
    names = {"workspace": workspace_id, "campaign": campaign_id, "now": now}
    if moving := [place for place in places if place.enrolled]:
        await connection.execute(_MOVE, {**names, "rows": msgspec.json.encode(moving).decode()})
    if entering := [place for place in places if not place.enrolled]:
        await connection.execute(_ENROL, {**names, "rows": msgspec.json.encode(entering).decode()})


_PLACES: LiteralString = """
    jsonb_to_recordset(%(rows)s::jsonb) AS r(lead_id uuid, status lead_status, state enrolment_state, step_id text,
        step_since timestamptz, sequence_version integer, sender_id uuid, lane_id bigint, due_at timestamptz,
        hold_rule text, hold_detail jsonb, contacted_at timestamptz, messages_sent integer)
"""
# Not one INSERT … ON CONFLICT for both: finding the conflict costs as much again as the change.
_MOVE: LiteralString = (
    """
    UPDATE enrolment e SET status = r.status, state = r.state, step_id = r.step_id, step_since = r.step_since,
        sequence_version = r.sequence_version, sender_id = r.sender_id, lane_id = r.lane_id, due_at = r.due_at,
        hold_rule = r.hold_rule, hold_detail = nullif(r.hold_detail, '{}'), contacted_at = r.contacted_at,
        messages_sent = r.messages_sent, lease_until = NULL, token = e.token + 1,
        updated_at = CASE WHEN e.status = r.status THEN e.updated_at ELSE %(now)s END
    FROM """
    + _PLACES
    + """
    WHERE e.workspace_id = %(workspace)s AND e.lead_id = r.lead_id
    """
)
_ENROL: LiteralString = (
    """
    WITH placed AS MATERIALIZED (SELECT * FROM """
    + _PLACES
    + """
    ), entered AS (
        UPDATE lead SET enrolled = true FROM placed
        WHERE lead.workspace_id = %(workspace)s AND lead.id = placed.lead_id
    )
    INSERT INTO enrolment (workspace_id, lead_id, campaign_id, status, state, step_id, step_since, sequence_version,
        sender_id, lane_id, due_at, hold_rule, hold_detail, contacted_at, messages_sent, updated_at)
    SELECT %(workspace)s, lead_id, %(campaign)s, status, state, step_id, step_since, sequence_version, sender_id,
        lane_id, due_at, hold_rule, nullif(hold_detail, '{}'), contacted_at, messages_sent, %(now)s
    FROM placed
    """
)


class Mark(msgspec.Struct):
    """What is new of a lead that stays where it is."""

    lead_id: str
    status: str
    contacted_at: datetime | None
    messages_sent: int


async def mark(connection: Connection, workspace_id: str, marks: Sequence[Mark], now: datetime) -> None:
    """Writes what is new of leads whose rows the caller holds."""
    await connection.execute(
        """
        UPDATE enrolment e SET status = r.status, contacted_at = r.contacted_at, messages_sent = r.messages_sent,
            updated_at = CASE WHEN e.status = r.status THEN e.updated_at ELSE %s END
        FROM jsonb_to_recordset(%s::jsonb) AS r(lead_id uuid, status lead_status, contacted_at timestamptz,
            messages_sent integer)
        WHERE e.workspace_id = %s AND e.lead_id = r.lead_id
        """,
        (now, msgspec.json.encode(marks).decode(), workspace_id),
    )


async def free(
    connection: Connection, workspace_id: str, lane_id: int, entry_lane_id: int, now: datetime, limit: int
) -> int:
    """Moves leads of a lane that nobody has contacted back to where senders are given; answers how many."""
    cursor = await connection.execute(
        """
        UPDATE enrolment e SET lane_id = %(entry)s, sender_id = NULL, due_at = %(now)s, token = e.token + 1
        FROM (SELECT lead_id FROM enrolment WHERE workspace_id = %(workspace)s AND lane_id = %(lane)s
                AND state = 'due' AND contacted_at IS NULL
              LIMIT %(limit)s FOR UPDATE SKIP LOCKED) AS chosen
        WHERE e.workspace_id = %(workspace)s AND e.lead_id = chosen.lead_id
        """,
        {"workspace": workspace_id, "lane": lane_id, "entry": entry_lane_id, "now": now, "limit": limit},
    )
    return cursor.rowcount


async def new_leads_of_day(connection: Connection, workspace_id: str, campaign_id: str, day: date) -> int:
    """How many leads began on the day; the row is held, so that the count stands until the transaction ends."""
    cursor = await connection.execute(
        """
        INSERT INTO campaign_day AS d (workspace_id, campaign_id, day) VALUES (%s, %s, %s)
        ON CONFLICT (workspace_id, campaign_id, day) DO UPDATE SET new_leads = d.new_leads RETURNING new_leads
        """,
        (workspace_id, campaign_id, day),
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def count_new_leads(connection: Connection, workspace_id: str, campaign_id: str, day: date, count: int) -> None:
    await connection.execute(
        """
        INSERT INTO campaign_day AS d (workspace_id, campaign_id, day, new_leads) VALUES (%s, %s, %s, %s)
        ON CONFLICT (workspace_id, campaign_id, day) DO UPDATE SET new_leads = d.new_leads + excluded.new_leads
        """,
        (workspace_id, campaign_id, day, count),
    )


async def through(connection: Connection, limit: int = 20) -> list[tuple[str, str]]:
    """Started campaigns, each with its workspace, of whose leads none is on the way, by the counters."""
    cursor = await connection.execute(
        """
        SELECT c.workspace_id, c.id FROM campaign c
        WHERE c.status = 'started'
          AND (SELECT coalesce(sum(k.value), 0) FROM campaign_counter k WHERE k.workspace_id = c.workspace_id
               AND k.campaign_id = c.id AND k.counter = 'active')
            + (SELECT coalesce(sum(d.delta), 0) FROM campaign_counter_delta d WHERE d.workspace_id = c.workspace_id
               AND d.campaign_id = c.id AND d.counter = 'active') <= 0
          AND EXISTS (SELECT FROM lead l WHERE l.workspace_id = c.workspace_id AND l.campaign_id = c.id)
        LIMIT %s
        """,
        (limit,),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]
