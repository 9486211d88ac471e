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
# - With an empty suppression list or alias table their look-ups cost one probe a statement.
_JUDGED: LiteralString = """
    WITH target AS (
        SELECT c.status, c.finished_by, c.entry_lane_id, cardinality(c.sender_ids) AS sender_count,
               c.sequence_version
        FROM campaign c
        WHERE c.workspace_id = %(workspace)s AND c.id = %(campaign)s
        FOR KEY SHARE
    ), sent AS MATERIALIZED (
        SELECT r.i, r.id, r.u, r.f, r.l, r.o, r.t, r.e, r.x, r.m,
               coalesce(a.person_kind, r.k) AS kind, coalesce(a.person_key, r.p) AS key
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            i smallint, id uuid, k identity_kind, p text, u text, f text, l text, o text, t text, e text,
            x jsonb, m jsonb)
        LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = r.k AND a.key = r.p
    ), weighed AS (
        SELECT sent.*,
               (SELECT EXISTS (SELECT FROM suppression WHERE workspace_id = %(workspace)s)) AND EXISTS (
                   SELECT FROM suppression s
                   WHERE s.workspace_id = %(workspace)s AND s.kind = 'person'
                     AND s.value = sent.kind::text || ':' || sent.key
                   UNION ALL
                   SELECT FROM jsonb_array_elements(sent.m) AS pair
                   JOIN suppression s ON s.workspace_id = %(workspace)s
                    AND s.kind = (pair ->> 0)::suppression_kind AND s.value = pair ->> 1
               ) AS suppressed
        FROM sent CROSS JOIN target
    ), judged AS MATERIALIZED (
        SELECT weighed.*, count(*) FILTER (WHERE NOT suppressed) OVER (PARTITION BY kind, key ORDER BY i) AS occurrence
        FROM weighed
    ), added AS (
        INSERT INTO lead AS old (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name,
            last_name, company, title, email, custom, import_id, created_at, updated_at)
        SELECT %(workspace)s, id, %(campaign)s, kind, key, u, f, l, o, t, e, coalesce(x, '{}'), %(import)s,
               %(now)s, %(now)s
        FROM judged WHERE NOT suppressed AND occurrence = 1 ORDER BY kind, key
        ON CONFLICT (workspace_id, identity_kind, identity_key, campaign_id)
"""

_RECORDED: LiteralString = """
    ), enrolled AS (
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, lane_id, due_at, updated_at)
        SELECT %(workspace)s, added.id, %(campaign)s, target.entry_lane_id, %(now)s, %(now)s
        FROM added CROSS JOIN target WHERE added.created
    ), counted AS (
        INSERT INTO campaign_counter_delta (workspace_id, campaign_id, counter, delta)
        SELECT %(workspace)s, %(campaign)s, counter, n
        FROM (SELECT count(*) AS n FROM added WHERE created) AS new, (VALUES ('leads'), ('active')) AS c(counter)
        WHERE n > 0
    ), left_over AS MATERIALIZED (
        SELECT judged.i, judged.kind, judged.key, judged.suppressed, judged.occurrence, added.id IS NOT NULL AS updated
        FROM judged LEFT JOIN added ON added.kind = judged.kind AND added.key = judged.key AND judged.occurrence = 1
        WHERE added.id IS NULL OR NOT added.created
    ), imported AS (
        INSERT INTO lead_import (workspace_id, id, campaign_id, api_key_id, received, added, updated, duplicates,
            invalid, created_at)
        SELECT %(workspace)s, %(import)s, %(campaign)s, %(api_key)s, %(received)s,
               (SELECT count(*) FROM added WHERE created),
               count(*) FILTER (WHERE updated),
               count(*) FILTER (WHERE NOT updated AND NOT suppressed),
               count(*) FILTER (WHERE suppressed) + %(rejected_count)s,
               %(now)s
        FROM left_over
        HAVING EXISTS (SELECT FROM target)
    ), explained AS (
        INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome, code, identity_kind, identity_key)
        SELECT %(workspace)s, %(import)s, i,
               CASE WHEN suppressed THEN 'suppressed' WHEN updated THEN 'updated'
                    WHEN occurrence > 1 THEN 'duplicate_in_request' ELSE 'duplicate' END,
               CASE WHEN suppressed THEN 'suppressed' END, kind, key
        FROM left_over
    )
    SELECT (SELECT count(*) FROM added WHERE created), target.status, target.finished_by, target.sender_count,
           (SELECT jsonb_array_length(s.sequence -> 'steps') > 0 FROM campaign_sequence s
            WHERE s.workspace_id = %(workspace)s AND s.campaign_id = %(campaign)s
              AND s.version = target.sequence_version),
           (SELECT jsonb_agg(jsonb_build_array(i, kind, key, suppressed, occurrence, updated) ORDER BY i)
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


_INGEST: dict[OnDuplicate, LiteralString] = {
    OnDuplicate.SKIP: _one_line(_JUDGED + _SKIP + _RECORDED),
    OnDuplicate.FILL: _one_line(_JUDGED + _FILL + _RECORDED),
    OnDuplicate.OVERWRITE: _one_line(_JUDGED + _OVERWRITE + _RECORDED),
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


async def ingest(connection: Connection, workspace_id: str, batch: Batch) -> Ingested | None:
    """Adds a batch with its import record and counter deltas; None when there is no such campaign."""
    cursor = await connection.execute(
        _INGEST[batch.on_duplicate],
        {
            "workspace": workspace_id,
            "campaign": batch.campaign_id,
            "rows": msgspec.json.encode(batch.leads).decode(),
            "import": batch.import_id,
            "api_key": batch.api_key_id,
            "received": len(batch.leads) + len(batch.rejected),
            "rejected_count": len(batch.rejected),
            "now": batch.now,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if batch.rejected:
        await _insert_rejections(connection, workspace_id, batch)
    added, status, finished_by, sender_count, has_steps, rest = row
    return Ingested(added, tuple(NotAdded(*r) for r in rest or ()), status, finished_by, sender_count, bool(has_steps))


async def _insert_rejections(connection: Connection, workspace_id: str, batch: Batch) -> None:
    rows = [{"i": r.index, "c": r.code, "u": r.linkedin_url} for r in batch.rejected]
    await connection.execute(
        """
        INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome, code, linkedin_url)
        SELECT %s, %s, i, 'invalid', c, u
        FROM jsonb_to_recordset(%s::jsonb) AS r(i smallint, c text, u text)
        """,
        (workspace_id, batch.import_id, msgspec.json.encode(rows).decode()),
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
