"""The SQL of adding leads: the one statement that everything about a batch happens in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import msgspec

from leadwright.leads.model import NewLead, OnDuplicate, Rejection
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class NotAdded:
    """A row that the statement did not add; its identity is the canonical one."""

    index: int
    kind: str
    key: str
    suppressed: bool
    occurrence: int
    updated: bool
    courtesy: str | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one run of the ingest statement did."""

    added: int
    not_added: tuple[NotAdded, ...]
    campaign_status: str
    finished_by: str | None
    sender_count: int
    has_steps: bool


# One statement, one round trip, whatever the number of rows:
# - The campaign row is held FOR KEY SHARE: ordinary changes of it (pause, edit) do not wait for imports, but one that
#   finishes by itself takes FOR UPDATE, waits for us, and then sees our leads.
# - The rows are inserted in the order of the unique index, so that two imports of the same people cannot deadlock.
# - ON CONFLICT decides duplicates; nothing is read first, so nothing can happen in between.
_SENT: LiteralString = """
    WITH target AS (
        SELECT c.status, c.finished_by, cardinality(c.sender_ids) AS sender_count, c.sequence_version
        FROM campaign c
        WHERE c.workspace_id = %(workspace)s AND c.id = %(campaign)s
        FOR KEY SHARE
    ), sent AS MATERIALIZED (
        SELECT r.*, coalesce(a.person_kind, r.k) AS kind, coalesce(a.person_key, r.p) AS key
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            i smallint, id uuid, k identity_kind, p text, u text, f text, l text, o text, t text, e text,
            x jsonb, m jsonb, h jsonb, c text)
        LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = r.k AND a.key = r.p
        CROSS JOIN target
"""

# For a workspace that has aliases, a do-not-contact list or erased persons: who is suppressed, and who stands here
# twice. Of a person who was erased nothing is written down anew, not even that they were sent again.
_JUDGED: LiteralString = """
    ), weighed AS MATERIALIZED (
        SELECT sent.*, EXISTS (
                   SELECT FROM jsonb_array_elements_text(sent.h) AS known(digest)
                   JOIN erased_person g ON g.workspace_id = %(workspace)s AND g.digest = known.digest
               ) AS erased, EXISTS (
                   SELECT FROM suppression s
                   WHERE s.workspace_id = %(workspace)s AND s.kind = 'person'
                     AND s.value = sent.kind::text || ':' || sent.key
                   UNION ALL
                   SELECT FROM jsonb_array_elements(sent.m) AS pair
                   JOIN suppression s ON s.workspace_id = %(workspace)s
                    AND s.kind = (pair ->> 0)::suppression_kind AND s.value = pair ->> 1
               ) AS listed
        FROM sent
    ), judged AS MATERIALIZED (
        SELECT w.*, erased OR listed AS suppressed,
            count(*) FILTER (WHERE NOT (erased OR listed)) OVER (PARTITION BY kind, key ORDER BY i) AS occurrence
        FROM weighed w
"""

_ADDED: LiteralString = """
    ), added AS (
        INSERT INTO lead AS old (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name,
            last_name, company, title, email, custom, import_id, created_at, updated_at)
        SELECT %(workspace)s, id, %(campaign)s, kind, key, u, f, l, o, t, e, coalesce(x, '{}'), %(import)s,
               %(now)s, %(now)s
"""
_FROM_SENT: LiteralString = " FROM sent"
_FROM_JUDGED: LiteralString = " FROM judged WHERE NOT suppressed AND occurrence = 1 AND c IS NULL"
_CONFLICT: LiteralString = """
        ORDER BY kind, key
        ON CONFLICT (workspace_id, identity_kind, identity_key, campaign_id)
"""

_LEFT_OF_SENT: LiteralString = """
    ), left_over AS MATERIALIZED (
        SELECT sent.i, sent.kind, sent.key, false AS erased, false AS suppressed, 1 AS occurrence,
               false AS updated, NULL AS c
        FROM sent WHERE NOT EXISTS (SELECT FROM added WHERE added.id = sent.id)
"""
_LEFT_OF_JUDGED: LiteralString = """
    ), left_over AS MATERIALIZED (
        SELECT judged.i, judged.kind, judged.key, judged.erased, judged.suppressed, judged.occurrence,
               added.id IS NOT NULL AS updated, judged.c
        FROM judged LEFT JOIN added ON added.kind = judged.kind AND added.key = judged.key AND judged.occurrence = 1
        WHERE added.id IS NULL OR NOT added.created
"""

_RECORDED: LiteralString = """
    ), counted AS (
        INSERT INTO campaign_counter_delta (workspace_id, campaign_id, counter, delta, day)
        SELECT %(workspace)s, %(campaign)s, counter, n, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date
        FROM (SELECT count(*) AS n FROM added WHERE created) AS new, (VALUES ('leads'), ('active')) AS c(counter)
        WHERE n > 0
    ), imported AS (
        INSERT INTO lead_import (workspace_id, id, campaign_id, api_key_id, received, added, updated, duplicates,
            invalid, created_at)
        SELECT %(workspace)s, %(import)s, %(campaign)s, %(api_key)s, %(received)s,
               (SELECT count(*) FROM added WHERE created),
               count(*) FILTER (WHERE updated),
               count(*) FILTER (WHERE NOT updated AND NOT suppressed) + %(repeated_count)s,
               count(*) FILTER (WHERE suppressed) + %(rejected_count)s,
               %(now)s
        FROM left_over
        HAVING EXISTS (SELECT FROM target)
    ), explained AS (
        INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome, code, identity_kind, identity_key)
        SELECT %(workspace)s, %(import)s, i,
               CASE WHEN suppressed THEN 'suppressed' WHEN updated THEN 'updated' WHEN c IS NOT NULL THEN 'duplicate'
                    WHEN occurrence > 1 THEN 'duplicate_in_request' ELSE 'duplicate' END,
               CASE WHEN suppressed THEN 'suppressed' ELSE c END, CASE WHEN NOT erased THEN kind END,
               CASE WHEN NOT erased THEN key END
        FROM left_over
    )
    SELECT (SELECT count(*) FROM added WHERE created), target.status, target.finished_by, target.sender_count,
           (SELECT jsonb_array_length(s.sequence -> 'steps') > 0 FROM campaign_sequence s
            WHERE s.workspace_id = %(workspace)s AND s.campaign_id = %(campaign)s
              AND s.version = target.sequence_version),
           (SELECT jsonb_agg(jsonb_build_array(i, kind, key, suppressed, occurrence, updated, c) ORDER BY i)
            FROM left_over)
    FROM target
"""

_SKIP: LiteralString = """
        DO NOTHING RETURNING old.id, old.identity_kind AS kind, old.identity_key AS key, true AS created
"""

# xmax is 0 only on a row that this statement inserted. A row that would stay the same is not written, and counts as a
# duplicate.
_FILL: LiteralString = """
        DO UPDATE SET
            first_name = coalesce(nullif(old.first_name, ''), excluded.first_name),
            last_name = coalesce(nullif(old.last_name, ''), excluded.last_name),
            company = coalesce(nullif(old.company, ''), excluded.company),
            title = coalesce(nullif(old.title, ''), excluded.title),
            email = coalesce(nullif(old.email, ''), excluded.email),
            custom = excluded.custom || (SELECT coalesce(jsonb_object_agg(key, value), '{}')
                FROM jsonb_each(old.custom) WHERE value NOT IN ('null', '""')),
            updated_at = excluded.updated_at
        WHERE (coalesce(old.first_name, '') = '' AND excluded.first_name <> '')
           OR (coalesce(old.last_name, '') = '' AND excluded.last_name <> '')
           OR (coalesce(old.company, '') = '' AND excluded.company <> '')
           OR (coalesce(old.title, '') = '' AND excluded.title <> '')
           OR (coalesce(old.email, '') = '' AND excluded.email <> '')
           OR EXISTS (SELECT FROM jsonb_each(excluded.custom) AS new
                WHERE new.value NOT IN ('null', '""')
                  AND coalesce(old.custom -> new.key, 'null') IN ('null', '""'))
        RETURNING old.id, old.identity_kind AS kind, old.identity_key AS key, old.xmax = 0 AS created
"""

_OVERWRITE: LiteralString = """
        DO UPDATE SET
            first_name = coalesce(excluded.first_name, old.first_name),
            last_name = coalesce(excluded.last_name, old.last_name),
            company = coalesce(excluded.company, old.company),
            title = coalesce(excluded.title, old.title),
            email = coalesce(excluded.email, old.email),
            custom = old.custom || excluded.custom,
            updated_at = excluded.updated_at
        WHERE (coalesce(excluded.first_name, old.first_name), coalesce(excluded.last_name, old.last_name),
               coalesce(excluded.company, old.company), coalesce(excluded.title, old.title),
               coalesce(excluded.email, old.email), old.custom || excluded.custom)
            IS DISTINCT FROM (old.first_name, old.last_name, old.company, old.title, old.email, old.custom)
        RETURNING old.id, old.identity_kind AS kind, old.identity_key AS key, old.xmax = 0 AS created
"""


def _one_line(sql: LiteralString) -> LiteralString:
    """psycopg parses a query for its parameters at each call when it is longer than 4,096 characters: 0.2 ms here."""
    return " ".join(sql.split())


_PLAIN: LiteralString = _one_line(_SENT + _ADDED + _FROM_SENT + _CONFLICT + _SKIP + _LEFT_OF_SENT + _RECORDED)
"""For most workspaces, which have neither aliases nor a do-not-contact list: a third less work for PostgreSQL."""

_BEFORE: LiteralString = _SENT + _JUDGED + _ADDED + _FROM_JUDGED + _CONFLICT
_FULL: dict[OnDuplicate, LiteralString] = {
    OnDuplicate.SKIP: _one_line(_BEFORE + _SKIP + _LEFT_OF_JUDGED + _RECORDED),
    OnDuplicate.FILL: _one_line(_BEFORE + _FILL + _LEFT_OF_JUDGED + _RECORDED),
    OnDuplicate.OVERWRITE: _one_line(_BEFORE + _OVERWRITE + _LEFT_OF_JUDGED + _RECORDED),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one add call, judged: what goes in, and what was refused before."""

    import_id: str
    campaign_id: str
    api_key_id: str
    leads: Sequence[NewLead]
    rejected: Sequence[Rejection]
    on_duplicate: OnDuplicate
    now: datetime


async def ingest(connection: Connection, workspace_id: str, batch: Batch, *, plain: bool) -> Ingested | None:
    """Adds a batch with its import record and counter deltas; None when there is no such campaign.

    ``plain`` says that the workspace has neither aliases nor a do-not-contact list.
    """
    plain = plain and batch.on_duplicate is OnDuplicate.SKIP
    first, repeated = _without_repeats(batch.leads) if plain else (batch.leads, [])
    cursor = await connection.execute(
        _PLAIN if plain else _FULL[batch.on_duplicate],
        {
            "workspace": workspace_id,
            "campaign": batch.campaign_id,
            "rows": msgspec.json.encode(first).decode(),
            "import": batch.import_id,
            "api_key": batch.api_key_id,
            "received": len(batch.leads) + len(batch.rejected),
            "repeated_count": len(repeated),
            "rejected_count": len(batch.rejected),
            "now": batch.now,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if repeated or batch.rejected:
        await _insert_outcomes(connection, workspace_id, batch, repeated)
    added, status, finished_by, sender_count, has_steps, rest = row
    not_added = (*(NotAdded(*r) for r in rest or ()), *repeated)
    return Ingested(added, not_added, status, finished_by, sender_count, bool(has_steps))


def _without_repeats(leads: Sequence[NewLead]) -> tuple[list[NewLead], list[NotAdded]]:
    """The first of each person, and the later ones. Without aliases equal keys are all there is to a person."""
    first: dict[tuple[str, str], NewLead] = {}
    repeated: list[NotAdded] = []
    for lead in leads:
        person = (lead.kind, lead.key)
        if first.setdefault(person, lead) is not lead:
            repeated.append(NotAdded(lead.index, *person, suppressed=False, occurrence=2, updated=False))
    return list(first.values()), repeated


async def _insert_outcomes(
    connection: Connection, workspace_id: str, batch: Batch, repeated: Sequence[NotAdded]
) -> None:
    """The rows that the ingest statement was not given."""
    refused = [{"i": r.index, "o": "invalid", "c": r.code, "u": r.linkedin_url} for r in batch.rejected]
    twice = [{"i": r.index, "o": "duplicate_in_request", "k": r.kind, "p": r.key} for r in repeated]
    await connection.execute(
        """
        INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome, code, identity_kind,
            identity_key, linkedin_url)
        SELECT %s, %s, i, o, c, k, p, u
        FROM jsonb_to_recordset(%s::jsonb) AS r(i smallint, o text, c text, k identity_kind, p text, u text)
        """,
        (workspace_id, batch.import_id, msgspec.json.encode([*refused, *twice]).decode()),
    )


async def ids_of_persons(
    connection: Connection, workspace_id: str, campaign_id: str, persons: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """The leads that these canonical keys have in a campaign. Sees what others committed meanwhile."""
    cursor = await connection.execute(
        """
        SELECT l.identity_kind, l.identity_key, l.id
        FROM jsonb_to_recordset(%s::jsonb) AS r(k identity_kind, p text)
        JOIN lead l ON l.workspace_id = %s AND l.identity_kind = r.k AND l.identity_key = r.p AND l.campaign_id = %s
        """,
        (msgspec.json.encode([{"k": k, "p": p} for k, p in persons]).decode(), workspace_id, campaign_id),
    )
    return {(kind, key): lead_id for kind, key, lead_id in await cursor.fetchall()}
