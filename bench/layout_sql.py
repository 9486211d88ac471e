"""The tables and statements that ``bench.layout`` compares: one lead with its enrolment, laid out in several ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

WORKSPACE = "0199a000-0000-7000-8000-000000000001"
CAMPAIGNS = [f"0199a000-0000-7000-9000-{n:012d}" for n in range(10)]
SENDER = "0199a000-0000-7000-a000-000000000001"
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100

PERSON = "first_name, last_name, company, title, email, custom"
IDENTITY = "workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url"
LEAD = f"{IDENTITY}, {PERSON}, import_id, created_at"
PLACE = "status, custom_status, state, step_id, sender_id, lane_id, due_at, lease_until, token, updated_at"

LEAD_COLUMNS = """workspace_id uuid NOT NULL, id uuid NOT NULL, campaign_id uuid NOT NULL,
    identity_kind smallint NOT NULL, identity_key text COLLATE "C" NOT NULL, linkedin_url text,
    first_name text, last_name text, company text, title text, email text, custom jsonb NOT NULL,
    import_id uuid NOT NULL, created_at timestamptz NOT NULL"""
PLACE_COLUMNS = """status smallint NOT NULL, custom_status smallint, state smallint NOT NULL, step_id text,
    sender_id uuid, lane_id bigint NOT NULL, due_at timestamptz, lease_until timestamptz,
    token bigint NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL"""
ROWS = """jsonb_to_recordset(%(rows)s::jsonb) AS n(id uuid, campaign uuid, key text, url text,
    first_name text, last_name text, company text, title text, email text, custom jsonb)"""
ROW_VALUES = f"""'{WORKSPACE}'::uuid, id, campaign, 1, key, url, {PERSON},
    '{SENDER}'::uuid, %(now)s::timestamptz"""
# Ingested leads sleep in a lane that no claim of this benchmark opens.
FRESH_PLACE = f"""1, NULL::smallint, 1, 'visit', '{SENDER}'::uuid, 1000,
    %(now)s::timestamptz + interval '60 days', NULL::timestamptz, 0, %(now)s::timestamptz"""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to lay the tables out. `home` is the table that holds the enrolment's columns."""

    name: str
    home: str = "enrolment"
    fillfactor: int = 100
    status_index: bool = True
    order_index: bool = True
    lazy: bool = False
    foreign_key: bool = False

    @property
    def key(self) -> str:
        """The column of `home` that holds the lead's id."""
        return "id" if self.home == "lead" else "lead_id"


LAYOUTS = (
    Layout("row", home="lead"),
    Layout("row-80", home="lead", fillfactor=80),
    Layout("row-80-lean", home="lead", fillfactor=80, order_index=False),
    Layout("beside"),
    Layout("beside-80", fillfactor=80),
    Layout("beside-80-lean", fillfactor=80, order_index=False),
    Layout("beside-nostatus", fillfactor=80, status_index=False),
    Layout("beside-fk", fillfactor=80, foreign_key=True),
    Layout("lazy", fillfactor=80, lazy=True),
)


def tables(layout: Layout) -> Iterator[str]:
    """The statements that create one layout's tables, in its own schema."""
    on_row = layout.home == "lead"
    place = f", {PLACE_COLUMNS}" if on_row else ""
    flag = ", enrolled boolean NOT NULL DEFAULT false" if layout.lazy else ""
    fill = f"WITH (autovacuum_enabled = false, fillfactor = {layout.fillfactor})"
    lead_fill = fill if on_row else "WITH (autovacuum_enabled = false)"
    yield f"CREATE TABLE lead ({LEAD_COLUMNS}{place}{flag}, PRIMARY KEY (workspace_id, id)) {lead_fill}"
    yield "CREATE UNIQUE INDEX ON lead (workspace_id, identity_kind, identity_key, campaign_id)"
    if not on_row:
        link = ", FOREIGN KEY (workspace_id, lead_id) REFERENCES lead" if layout.foreign_key else ""
        columns = f"workspace_id uuid NOT NULL, lead_id uuid NOT NULL, campaign_id uuid NOT NULL, {PLACE_COLUMNS}"
        yield f"CREATE TABLE enrolment ({columns}, PRIMARY KEY (workspace_id, lead_id){link}) {fill}"
    if layout.order_index:
        yield "CREATE INDEX ON lead (workspace_id, campaign_id, id)"
    if layout.status_index:
        yield f"CREATE INDEX ON {layout.home} (workspace_id, campaign_id, status, {layout.key})"
    yield f"CREATE INDEX ON {layout.home} (lane_id, due_at) WHERE state = 1"
    if layout.lazy:
        yield "CREATE INDEX ON lead (campaign_id, id) WHERE NOT enrolled"


SOURCE = """CREATE TEMP TABLE source AS SELECT i, md5(i::text) AS h,
    (lpad(to_hex(1760000000000 + i), 12, '0') || '70008' || substr(md5(i::text), 1, 15))::uuid AS id,
    (%(campaigns)s::uuid[])[1 + i / 100 %% 10] AS campaign FROM generate_series(1, %(leads)s) i"""
SOURCE_LEAD = f"""'{WORKSPACE}'::uuid, id, campaign, 1, 'in/' || h, 'https://www.linkedin.com/in/' || h,
    'Annabel', 'Fitzgerald', 'Company ' || left(h, 8), 'Director of Operations', left(h, 12) || '@a.example',
    jsonb_build_object('industry', h, 'region', h, 'referredBy', h, 'icebreaker', h, 'eventName', h),
    '{SENDER}'::uuid, %(now)s::timestamptz"""
# Of each 20 leads one is due and stands among others of its import (lane 1), one is due and stands alone
# (lanes 2 to 51), the rest sleep. One in 2000 has the rare status 9.
SOURCE_PLACE = f"""CASE i %% 2000 WHEN 7 THEN 9 ELSE 1 END, NULL::smallint, 1, 'visit', '{SENDER}'::uuid,
    CASE WHEN i <= %(leads)s / 20 THEN 1 WHEN i %% 19 = 0 THEN 2 + i / 19 %% 50 ELSE 1000 END,
    %(now)s::timestamptz + i * interval '1 millisecond'
      + CASE WHEN i <= %(leads)s / 20 OR i %% 19 = 0 THEN interval '0' ELSE interval '60 days' END,
    NULL::timestamptz, 0, %(now)s::timestamptz"""


def filling(layout: Layout) -> Iterator[str]:
    """The statements that fill the tables on the server."""
    yield SOURCE
    if layout.home == "lead":
        yield f"""INSERT INTO lead ({LEAD}, {PLACE})
            SELECT {SOURCE_LEAD}, {SOURCE_PLACE} FROM source ORDER BY i"""
        return
    flag, true = (", enrolled", ", true") if layout.lazy else ("", "")
    yield f"INSERT INTO lead ({LEAD}{flag}) SELECT {SOURCE_LEAD}{true} FROM source ORDER BY i"
    yield f"""INSERT INTO enrolment (workspace_id, lead_id, campaign_id, {PLACE})
        SELECT '{WORKSPACE}'::uuid, id, campaign, {SOURCE_PLACE} FROM source ORDER BY i"""


def ingest_sql(layout: Layout) -> str:
    """Adds a batch, given as one JSON parameter."""
    if layout.home == "lead":
        return f"""INSERT INTO lead ({LEAD}, {PLACE}) SELECT {ROW_VALUES}, {FRESH_PLACE} FROM {ROWS}
            ON CONFLICT DO NOTHING RETURNING id"""
    lead = f"INSERT INTO lead ({LEAD}) SELECT {ROW_VALUES} FROM {ROWS} ON CONFLICT DO NOTHING RETURNING id"
    if layout.lazy:
        return lead
    return f"""WITH added AS ({lead}, campaign_id)
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, {PLACE})
        SELECT '{WORKSPACE}'::uuid, id, campaign_id, {FRESH_PLACE} FROM added RETURNING lead_id"""


def enrol_sql() -> str:
    """The first claim of the lazy layout: flags the leads and creates their enrolments, leased."""
    return f"""WITH fresh AS (SELECT workspace_id, id FROM lead
            WHERE campaign_id = %(campaign)s AND NOT enrolled
            ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED),
        flagged AS (UPDATE lead l SET enrolled = true FROM fresh f
            WHERE l.workspace_id = f.workspace_id AND l.id = f.id RETURNING l.id, l.campaign_id, {PERSON}),
        placed AS (INSERT INTO enrolment (workspace_id, lead_id, campaign_id, {PLACE})
            SELECT '{WORKSPACE}'::uuid, id, campaign_id, {FRESH_PLACE} FROM flagged)
        SELECT * FROM flagged"""


def claim_sql(layout: Layout) -> str:
    """Leases up to 100 due enrolments of a lane and returns what a step is rendered from."""
    home, key = layout.home, layout.key
    claimed = f"""WITH due AS (SELECT workspace_id, {key} FROM {home}
            WHERE lane_id = %(lane)s AND state = 1 AND due_at <= %(now)s
              AND (lease_until IS NULL OR lease_until < %(now)s)
            ORDER BY due_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED),
        claimed AS (UPDATE {home} e SET lease_until = %(now)s + interval '1 minute', token = token + 1
            FROM due d WHERE e.workspace_id = d.workspace_id AND e.{key} = d.{key} RETURNING e.*)"""
    if layout.home == "lead":
        return f"{claimed} SELECT id::text, token, status, step_id, {PERSON} FROM claimed"
    return f"""{claimed} SELECT c.lead_id::text, c.token, c.status, c.step_id, {PERSON}
        FROM claimed c JOIN lead l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id"""


def lock_sql(layout: Layout) -> str:
    """Claims by row locks alone, for a planner that advances the batch in the same transaction."""
    lead = "" if layout.home == "lead" else "JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id"
    return f"""SELECT e.{layout.key}::text, e.token, e.status, e.step_id, {PERSON} FROM {layout.home} e {lead}
        WHERE e.lane_id = %(lane)s AND e.state = 1 AND e.due_at <= %(now)s
          AND (e.lease_until IS NULL OR e.lease_until < %(now)s)
        ORDER BY e.due_at LIMIT {BATCH} FOR UPDATE OF e SKIP LOCKED"""


def advance_sql(layout: Layout) -> str:
    """Moves a batch on, given as one JSON parameter; a row whose token has moved is left alone."""
    return f"""UPDATE {layout.home} e SET step_id = n.step, status = n.status, state = 1, due_at = n.due,
            token = e.token + 1, lease_until = NULL, updated_at = %(now)s
        FROM jsonb_to_recordset(%(rows)s::jsonb)
          AS n(id uuid, token bigint, step text, status smallint, due timestamptz)
        WHERE e.workspace_id = '{WORKSPACE}' AND e.{layout.key} = n.id AND e.token = n.token"""


def page_sql(layout: Layout, *, by_status: bool) -> str:
    """One page of 50 leads in campaign order, all columns; optionally of one status."""
    beside = "JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id"
    source = "lead l" if layout.home == "lead" else f"lead l {beside}"
    place, key = ("l", "l.id") if layout.home == "lead" else ("e", "e.lead_id")
    if by_status and layout.status_index:
        return status_page(source, place, key, "%(status)s")
    if layout.order_index:
        status = f"AND {place}.status = %(status)s" if by_status else ""
        return f"""SELECT * FROM {source} WHERE l.workspace_id = '{WORKSPACE}'
            AND l.campaign_id = %(campaign)s AND l.id > %(after)s {status} ORDER BY l.id LIMIT 50"""
    each = status_page(source, place, key, "s.status")
    return f"SELECT p.* FROM generate_series(1, 12) s(status), LATERAL ({each}) p ORDER BY p.id LIMIT 50"


def status_page(source: str, place: str, key: str, status: str) -> str:
    return f"""SELECT * FROM {source} WHERE {place}.workspace_id = '{WORKSPACE}'
        AND {place}.campaign_id = %(campaign)s AND {place}.status = {status}
        AND {key} > %(after)s ORDER BY {key} LIMIT 50"""
