"""The SQL of adding leads: the one statement that everything about a batch happens in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import msgspec

from leadwright.accounts import audit_store
from leadwright.accounts.model import AuditEntry
from leadwright.leads.model import NewLead, OnDuplicate, Rejection
from leadwright.postgres.pool import Connection
from leadwright.postgres.together import (
    BIGINT,
    INTEGER,
    JSONB,
    TIMESTAMP,
    UUID,
    Asked,
    Row,
    Statement,
    numbered,
    together,
)


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


# One statement, one round trip, whatever the number of rows:
# - The campaign row is held FOR KEY SHARE: ordinary changes of it (pause, edit) do not wait for imports, but one that
#   finishes by itself takes FOR UPDATE, waits for us, and then sees our leads.
# - The rows are inserted in the order of the unique index, so that two imports of the same people cannot deadlock.
# - ON CONFLICT decides duplicates; nothing is read first, so nothing can happen in between.
_TARGET: LiteralString = """
    WITH target AS (
        SELECT c.status, c.finished_by
        FROM campaign c
        WHERE c.workspace_id = %(workspace)s AND c.id = %(campaign)s
"""

# For the statement that commits by itself: what the transaction around the others asks before and does after them is a
# condition here. Where it does not hold there is no target, and nothing is written.
_AT_ONCE: LiteralString = """
          AND c.finished_by IS DISTINCT FROM 'system'
          AND EXISTS (SELECT FROM api_key WHERE id = %(api_key)s AND revoked_at IS NULL)
"""
_NOBODY_ERASED: LiteralString = """
          AND NOT EXISTS (SELECT FROM erased_person WHERE workspace_id = %(workspace)s)
"""
_UNLISTED: LiteralString = """
          AND NOT EXISTS (SELECT FROM alias WHERE workspace_id = %(workspace)s)
          AND NOT EXISTS (SELECT FROM suppression WHERE workspace_id = %(workspace)s)
"""

_SENT: LiteralString = """
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
"""

_ANSWER: LiteralString = """
    SELECT (SELECT count(*) FROM added WHERE created), target.status, target.finished_by,
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


_ROWS: LiteralString = _SENT + _ADDED + _FROM_SENT + _CONFLICT + _SKIP + _LEFT_OF_SENT + _RECORDED
_PLAIN: LiteralString = _one_line(_TARGET + _ROWS + _ANSWER)
"""For most workspaces, which have neither aliases nor a do-not-contact list: a third less work for PostgreSQL."""

_BEFORE: LiteralString = _SENT + _JUDGED + _ADDED + _FROM_JUDGED + _CONFLICT
_JUDGED_ROWS: dict[OnDuplicate, LiteralString] = {
    OnDuplicate.SKIP: _BEFORE + _SKIP + _LEFT_OF_JUDGED + _RECORDED,
    OnDuplicate.FILL: _BEFORE + _FILL + _LEFT_OF_JUDGED + _RECORDED,
    OnDuplicate.OVERWRITE: _BEFORE + _OVERWRITE + _LEFT_OF_JUDGED + _RECORDED,
}
_FULL: dict[OnDuplicate, LiteralString] = {
    mode: _one_line(_TARGET + rows + _ANSWER) for mode, rows in _JUDGED_ROWS.items()
}

_TYPES = {
    "workspace": UUID,
    "campaign": UUID,
    "rows": JSONB,
    "import": UUID,
    "api_key": UUID,
    "received": INTEGER,
    "repeated_count": BIGINT,
    "rejected_count": BIGINT,
    "now": TIMESTAMP,
} | audit_store.TYPES


def _at_once(name: bytes, conditions: LiteralString, rows: LiteralString) -> Statement:
    audited = ", audited AS (" + audit_store.ENTRY_OF_TARGET + ")"
    return numbered(name, _one_line(_TARGET + conditions + rows + audited + _ANSWER), _TYPES)


_PLAIN_AT_ONCE = _at_once(b"leads_plain", _AT_ONCE + _NOBODY_ERASED + _UNLISTED, _ROWS)
_FULL_AT_ONCE = _at_once(b"leads_skip", _AT_ONCE + _NOBODY_ERASED, _JUDGED_ROWS[OnDuplicate.SKIP])


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
    added, status, finished_by, rest = row
    not_added = (*(NotAdded(*r) for r in rest or ()), *repeated)
    return Ingested(added, not_added, status, finished_by)


async def ingest_at_once(
    connection: Connection, workspace_id: str, batch: Batch, entry: AuditEntry, held: Asked, *, plain: bool
) -> Ingested | None:
    """``ingest`` with its entry in the audit log, committed, in one round trip; ``held`` keeps aliases as they are.

    For batches that skip duplicates. None when nothing was done, since it needs a transaction of its own: the key no
    longer stands, there is no such campaign or it finished by itself, somebody of the workspace was erased, or with
    ``plain`` it has aliases or a do-not-contact list.
    """
    first, repeated = _without_repeats(batch.leads) if plain else (batch.leads, [])
    values = {
        "workspace": workspace_id.encode(),
        "campaign": batch.campaign_id.encode(),
        "rows": msgspec.json.encode(first),
        "import": batch.import_id.encode(),
        "api_key": batch.api_key_id.encode(),
        "received": b"%d" % (len(batch.leads) + len(batch.rejected)),
        "repeated_count": b"%d" % len(repeated),
        "rejected_count": b"%d" % len(batch.rejected),
        "now": batch.now.isoformat().encode(),
    } | audit_store.values(entry)
    statement = _PLAIN_AT_ONCE if plain else _FULL_AT_ONCE
    asked = [held, Asked(statement, list(values.values()))]
    if repeated or batch.rejected:
        asked.append(_outcomes_asked(workspace_id, batch, repeated))
    rows = (await together(connection, asked))[1]
    return _ingested(rows[0], repeated) if rows else None


def _ingested(row: Row, repeated: Sequence[NotAdded]) -> Ingested:
    """What the statement's one row tells, in PostgreSQL's text form."""
    added, status, finished_by, rest = row
    not_added = () if rest is None else (NotAdded(*r) for r in msgspec.json.decode(rest))
    return Ingested(
        int(added or b"0"),
        (*not_added, *repeated),
        (status or b"").decode(),
        None if finished_by is None else finished_by.decode(),
    )


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
    await connection.execute(
        _OUTCOMES,
        {
            "workspace": workspace_id,
            "import": batch.import_id,
            "outcomes": _outcomes(batch, repeated).decode(),
        },
    )


# Joined with its import record, since the statement before it may have found no target.
_OUTCOMES: LiteralString = """
    INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome, code, identity_kind, identity_key)
    SELECT m.workspace_id, m.id, r.i, r.o, r.c, r.k, r.p
    FROM lead_import m,
         jsonb_to_recordset(%(outcomes)s::jsonb) AS r(i smallint, o text, c text, k identity_kind, p text)
    WHERE m.workspace_id = %(workspace)s AND m.id = %(import)s
"""
_OUTCOMES_AT_ONCE = numbered(b"lead_outcomes", _OUTCOMES, {"workspace": UUID, "import": UUID, "outcomes": JSONB})


def _outcomes_asked(workspace_id: str, batch: Batch, repeated: Sequence[NotAdded]) -> Asked:
    return Asked(_OUTCOMES_AT_ONCE, (workspace_id.encode(), batch.import_id.encode(), _outcomes(batch, repeated)))


def _outcomes(batch: Batch, repeated: Sequence[NotAdded]) -> bytes:
    refused = [{"i": r.index, "o": "invalid", "c": r.code} for r in batch.rejected]
    twice = [{"i": r.index, "o": "duplicate_in_request", "k": r.kind, "p": r.key} for r in repeated]
    return msgspec.json.encode([*refused, *twice])


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
