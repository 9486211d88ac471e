"""The SQL of leads that are there: reading them, changing where they stand, taking them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg.rows import class_row

from leadwright.leads.model import Filter, Lead, LeadStatus
from leadwright.postgres import counting
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection

# A lead that has not been enrolled is PENDING and has no sender.
_LEAD: LiteralString = """
    SELECT l.id, l.campaign_id, l.linkedin_url, l.identity_kind, l.identity_key, l.first_name, l.last_name,
           l.company, l.title, l.email, coalesce(e.status, 'PENDING') AS status, e.custom_status, e.sender_id,
           l.created_at, greatest(l.updated_at, e.updated_at) AS updated_at, l.import_id, l.custom, l.profile, l.tags
    FROM lead l LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
"""


async def lead(connection: Connection, workspace_id: str, lead_id: str) -> Lead | None:
    async with connection.cursor(row_factory=class_row(Lead)) as cursor:
        await cursor.execute(_LEAD + " WHERE l.workspace_id = %s AND l.id = %s", (workspace_id, lead_id))
        return await cursor.fetchone()


# Texts of their own instead of one with optional conditions: each has indexes that give its rows in order.
_NOT_ENROLLED_OF_WORKSPACE: LiteralString = """
    SELECT id FROM lead WHERE workspace_id = %(workspace)s AND NOT enrolled AND id > %(after)s
"""
_NOT_ENROLLED_OF_CAMPAIGN: LiteralString = """
    SELECT id FROM lead
    WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND NOT enrolled AND id > %(after)s
"""
_ENROLLED_OF_CAMPAIGN: LiteralString = """
    SELECT id FROM lead
    WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND enrolled AND id > %(after)s
"""
_OF_WORKSPACE: LiteralString = "SELECT id FROM lead WHERE workspace_id = %(workspace)s AND id > %(after)s"
_OF_WORKSPACE_WITH_STATUS: LiteralString = """
    SELECT lead_id AS id FROM enrolment
    WHERE workspace_id = %(workspace)s AND status = %(status)s AND lead_id > %(after)s
"""
_OF_CAMPAIGN_WITH_STATUS: LiteralString = """
    SELECT lead_id AS id FROM enrolment
    WHERE workspace_id = %(workspace)s AND campaign_id = %(campaign)s AND status = %(status)s AND lead_id > %(after)s
"""


def _halves(which: Filter) -> tuple[LiteralString, ...]:
    """One or two queries, which share no row, of the ids that a filter shows behind ``after``."""
    pending = which.status == LeadStatus.PENDING
    if which.campaign_id is None:
        if which.status is None:
            return (_OF_WORKSPACE,)
        return (_NOT_ENROLLED_OF_WORKSPACE, _OF_WORKSPACE_WITH_STATUS) if pending else (_OF_WORKSPACE_WITH_STATUS,)
    if which.status is None:
        return (_NOT_ENROLLED_OF_CAMPAIGN, _ENROLLED_OF_CAMPAIGN)
    return (_NOT_ENROLLED_OF_CAMPAIGN, _OF_CAMPAIGN_WITH_STATUS) if pending else (_OF_CAMPAIGN_WITH_STATUS,)


def _matching(which: Filter) -> LiteralString:
    """The ids that a filter shows, behind ``after``, in no order."""
    return " UNION ALL ".join(_halves(which))


def _first_matching(which: Filter) -> LiteralString:
    """The first of them, enough for a page. Each half is ordered and cut by its own index.

    PostgreSQL is not left to merge the halves by itself: it sorted them whole, 90 ms a page of 10 million leads.
    """
    return " UNION ALL ".join("(" + half + " ORDER BY id LIMIT %(reach)s)" for half in _halves(which))


_NO_ID = "0" * 32
_MOST_ROWS = 2**63 - 1


async def leads(
    connection: Connection, workspace_id: str, which: Filter, *, after: str | None, offset: int, limit: int
) -> list[Lead]:
    """A page of leads, oldest first: those behind the id ``after``, less the first ``offset``."""
    page = {"after": after or _NO_ID, "limit": limit, "offset": offset, "reach": min(offset + limit, _MOST_ROWS)}
    async with connection.cursor(row_factory=class_row(Lead)) as cursor:
        await cursor.execute(
            _LEAD
            + " JOIN (SELECT id FROM ("
            + _first_matching(which)
            + ") AS matching ORDER BY id LIMIT %(limit)s OFFSET %(offset)s) AS page ON page.id = l.id"
            + " WHERE l.workspace_id = %(workspace)s ORDER BY l.id",
            _parameters(workspace_id, which) | page,
        )
        return await cursor.fetchall()


async def count(connection: Connection, workspace_id: str, which: Filter) -> Total:
    """How many leads the filter shows."""
    return await counting.count(connection, _matching(which), _parameters(workspace_id, which) | {"after": _NO_ID})


def _parameters(workspace_id: str, which: Filter) -> dict[str, Any]:
    return {"workspace": workspace_id, "campaign": which.campaign_id, "status": which.status}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a lead stands, read under its row lock."""

    campaign_id: str
    linkedin_url: str
    status: str
    custom_status: str | None
    state: str


async def enrol(connection: Connection, workspace_id: str, lead_id: str) -> None:
    """Gives a lead its enrolment, due since it came, in its campaign's entry lane; one that has it stays as it is."""
    await connection.execute(
        """
        WITH entering AS (
            UPDATE lead SET enrolled = true
            WHERE workspace_id = %s AND id = %s AND NOT enrolled
            RETURNING workspace_id, id, campaign_id, created_at
        )
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, lane_id, due_at, updated_at)
        SELECT n.workspace_id, n.id, n.campaign_id, c.entry_lane_id, n.created_at, n.created_at
        FROM entering n JOIN campaign c ON c.workspace_id = n.workspace_id AND c.id = n.campaign_id
        """,
        (workspace_id, lead_id),
    )


async def lock(connection: Connection, workspace_id: str, lead_id: str) -> Standing | None:
    """Holds the lead's enrolment until the transaction ends: whatever changes its status or position does so first."""
    await enrol(connection, workspace_id, lead_id)
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(
            """
            SELECT e.campaign_id, l.linkedin_url, e.status, e.custom_status, e.state
            FROM enrolment e JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id
            WHERE e.workspace_id = %s AND e.lead_id = %s FOR UPDATE OF e
            """,
            (workspace_id, lead_id),
        )
        return await cursor.fetchone()


async def stop(connection: Connection, workspace_id: str, lead_id: str, now: datetime) -> None:
    """Ends the lead's way as STOPPED. The token fences off a worker that holds it."""
    await connection.execute(
        """
        UPDATE enrolment SET status = 'STOPPED', state = 'done', lease_until = NULL, token = token + 1, updated_at = %s
        WHERE workspace_id = %s AND lead_id = %s
        """,
        (now, workspace_id, lead_id),
    )


async def set_outcome(
    connection: Connection,
    workspace_id: str,
    lead_id: str,
    *,
    status: str,
    custom_status: str | None,
    ends: bool,
    now: datetime,
) -> None:
    """What a person said of the lead; with ``ends`` its way is over, and the token fences off whoever holds it."""
    await connection.execute(
        """
        UPDATE enrolment SET status = %(status)s, custom_status = %(custom)s, updated_at = %(now)s,
            state = CASE WHEN %(ends)s THEN 'done' ELSE state END,
            lease_until = CASE WHEN %(ends)s THEN NULL ELSE lease_until END,
            token = CASE WHEN %(ends)s THEN token + 1 ELSE token END
        WHERE workspace_id = %(workspace)s AND lead_id = %(lead)s
        """,
        {
            "status": status,
            "custom": custom_status,
            "ends": ends,
            "now": now,
            "workspace": workspace_id,
            "lead": lead_id,
        },
    )


async def learn(
    connection: Connection, workspace_id: str, profiles: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    """Adds to the profiles of leads whose enrolments the caller holds; the news stand before what was known."""
    rows = [{"l": lead_id, "p": profile} for lead_id, profile in profiles.items()]
    await connection.execute(
        """
        UPDATE lead SET profile = coalesce(lead.profile, '{}') || r.p, updated_at = %s
        FROM jsonb_to_recordset(%s::jsonb) AS r(l uuid, p jsonb) WHERE lead.workspace_id = %s AND lead.id = r.l
        """,
        (now, msgspec.json.encode(rows).decode(), workspace_id),
    )


async def tags(connection: Connection, workspace_id: str, lead_id: str) -> tuple[str, ...]:
    cursor = await connection.execute(
        "SELECT tags FROM lead WHERE workspace_id = %s AND id = %s", (workspace_id, lead_id)
    )
    row = await cursor.fetchone()
    return tuple(row[0]) if row else ()


async def set_tags(
    connection: Connection, workspace_id: str, lead_id: str, tags: tuple[str, ...], now: datetime
) -> None:
    await connection.execute(
        "UPDATE lead SET tags = %s, updated_at = %s WHERE workspace_id = %s AND id = %s",
        (list(tags), now, workspace_id, lead_id),
    )


async def purge(connection: Connection, workspace_id: str, lead_id: str) -> None:
    """Removes every row of one lead. Its import keeps the counters it had, and its public events stay."""
    for statement in (
        """
        INSERT INTO former_lead (workspace_id, lead_id, identity_kind, identity_key)
        SELECT workspace_id, id, identity_kind, identity_key FROM lead
        WHERE workspace_id = %s AND id = %s AND enrolled
        """,
        "DELETE FROM history WHERE workspace_id = %s AND lead_id = %s",
        "DELETE FROM enrolment WHERE workspace_id = %s AND lead_id = %s",
        "DELETE FROM lead WHERE workspace_id = %s AND id = %s",
    ):
        await connection.execute(statement, (workspace_id, lead_id))


async def add_history(
    connection: Connection,
    workspace_id: str,
    lead_id: str,
    *,
    kind: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    await connection.execute(
        "INSERT INTO history (workspace_id, lead_id, at, type, detail) VALUES (%s, %s, %s, %s, %s)",
        (workspace_id, lead_id, now, kind, msgspec.json.encode(detail).decode()),
    )


class NewEntry(msgspec.Struct, frozen=True):
    """An entry of a lead's history that is about to be written."""

    lead_id: str
    kind: str
    step_id: str | None
    detail: Mapping[str, Any]


async def add_entries(connection: Connection, workspace_id: str, entries: Sequence[NewEntry], now: datetime) -> None:
    """Writes entries of many leads in their order, in one statement."""
    await connection.execute(
        """
        INSERT INTO history (workspace_id, lead_id, at, type, step_id, detail)
        SELECT %s, lead_id, %s, kind, step_id, detail
        FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (lead_id uuid, kind text, step_id text, detail jsonb))
            WITH ORDINALITY AS r(lead_id, kind, step_id, detail, place)
        ORDER BY place
        """,
        (workspace_id, now, msgspec.json.encode(entries).decode()),
    )


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """``id`` is 0 for the first entry, which is told by the lead's import."""

    id: int
    at: datetime
    type: str
    step_id: str | None
    detail: dict[str, Any]


async def history(
    connection: Connection, workspace_id: str, lead_id: str, *, start: int, limit: int
) -> list[HistoryEntry]:
    """A lead's entries from the id ``start`` on, oldest first; the first of all has 0."""
    async with connection.cursor(row_factory=class_row(HistoryEntry)) as cursor:
        await cursor.execute(
            """
            SELECT 0 AS id, l.created_at AS at, 'added' AS type, NULL AS step_id,
                   jsonb_build_object('importId', 'imp_' || replace(l.import_id::text, '-', ''),
                       'apiKeyId', 'key_' || replace(i.api_key_id::text, '-', '')) AS detail
            FROM lead l LEFT JOIN lead_import i ON i.workspace_id = l.workspace_id AND i.id = l.import_id
            WHERE l.workspace_id = %(workspace)s AND l.id = %(lead)s AND %(start)s = 0
            UNION ALL
            (SELECT id, at, type, step_id, detail FROM history
             WHERE workspace_id = %(workspace)s AND lead_id = %(lead)s AND id >= %(start)s
             ORDER BY id LIMIT %(limit)s)
            ORDER BY id LIMIT %(limit)s
            """,
            {"workspace": workspace_id, "lead": lead_id, "start": start, "limit": limit},
        )
        return await cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two leads of one campaign that are one person; ``older`` is the one that stays."""

    older: str
    younger: str
    older_has_old_key: bool


async def pairs(connection: Connection, workspace_id: str, old: tuple[str, str], new: tuple[str, str]) -> list[Pair]:
    """The campaigns in which both keys have a lead; ids are ordered by the time they were given."""
    cursor = await connection.execute(
        """
        SELECT a.id, b.id FROM lead a JOIN lead b
            ON b.workspace_id = a.workspace_id AND b.campaign_id = a.campaign_id
            AND b.identity_kind = %s AND b.identity_key = %s
        WHERE a.workspace_id = %s AND a.identity_kind = %s AND a.identity_key = %s
        ORDER BY a.id
        """,
        (*new, workspace_id, *old),
    )
    return [
        Pair(with_old, with_new, True) if with_old < with_new else Pair(with_new, with_old, False)
        for with_old, with_new in await cursor.fetchall()
    ]


async def swap_keys(
    connection: Connection, workspace_id: str, pair: Pair, old: tuple[str, str], new: tuple[str, str]
) -> None:
    """Gives the older lead the new key and the younger the old one.

    The unique index checks row by row, so it takes a third key, which no person can have: it holds a space.
    """
    parked = (old[0], f"{old[1]} {pair.younger}")
    for lead_id, (kind, key) in ((pair.younger, parked), (pair.older, new), (pair.younger, old)):
        await connection.execute(
            "UPDATE lead SET identity_kind = %s, identity_key = %s WHERE workspace_id = %s AND id = %s",
            (kind, key, workspace_id, lead_id),
        )


async def rekey(connection: Connection, workspace_id: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Moves the leads under the old key to the new one, but for those whose campaign has a lead under it already."""
    await connection.execute(
        """
        UPDATE lead l SET identity_kind = %(new_kind)s, identity_key = %(new_key)s
        WHERE l.workspace_id = %(workspace)s AND l.identity_kind = %(old_kind)s AND l.identity_key = %(old_key)s
          AND NOT EXISTS (SELECT FROM lead o WHERE o.workspace_id = l.workspace_id AND o.campaign_id = l.campaign_id
              AND o.identity_kind = %(new_kind)s AND o.identity_key = %(new_key)s)
        """,
        {
            "workspace": workspace_id,
            "old_kind": old[0],
            "old_key": old[1],
            "new_kind": new[0],
            "new_key": new[1],
        },
    )
