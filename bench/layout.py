"""Measures where a lead's enrolment should live: on the lead's row, beside it, or created lazily.

`python -m bench.layout [--leads N] [--rounds R] [--only NAMES] [CONNINFO]`; the conninfo defaults to
LEADWRIGHT_BENCH_DATABASE_URL. Every layout gets a schema of its own, dropped at the end; layouts take turns
within each round, so that other work on the machine hits all alike. Times are medians, WAL is a mean.
"""

import argparse
import json
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mean, median
from typing import Any

import psycopg
from psycopg.abc import Params

WORKSPACE = "0199a000-0000-7000-8000-000000000001"
CAMPAIGNS = [f"0199a000-0000-7000-9000-{n:012d}" for n in range(10)]
SENDER = "0199a000-0000-7000-a000-000000000001"
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100
STEPS = 6
Work = Callable[[psycopg.Connection[Any], list[Any]], None]

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


# --- the tables ---


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
        columns = (
            f"workspace_id uuid NOT NULL, lead_id uuid NOT NULL, campaign_id uuid NOT NULL, {PLACE_COLUMNS}"
        )
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


# --- the statements measured ---


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
    lead = (
        "" if layout.home == "lead" else "JOIN lead l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id"
    )
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


# --- running them ---


class Bench:
    """Runs the statements against one database and collects figures by (layout, measure)."""

    def __init__(self, conninfo: str, leads: int, rounds: int, layouts: tuple[Layout, ...]) -> None:
        self.conninfo, self.leads, self.rounds, self.layouts = conninfo, leads, rounds, layouts
        self.figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.rng = random.Random(1)

    def connect(self, layout: Layout) -> psycopg.Connection[Any]:
        """A connection inside the layout's schema; every statement is prepared at its first use."""
        options = f"-c search_path={schema(layout)}"
        return psycopg.connect(self.conninfo, autocommit=True, options=options, prepare_threshold=0)

    def create(self) -> None:
        for layout in self.layouts:
            with self.connect(layout) as conn:
                run(conn, f"DROP SCHEMA IF EXISTS {schema(layout)} CASCADE")
                run(conn, f"CREATE SCHEMA {schema(layout)}")
                for statement in tables(layout):
                    run(conn, statement)

    def drop(self) -> None:
        for layout in self.layouts:
            with self.connect(layout) as conn:
                run(conn, f"DROP SCHEMA IF EXISTS {schema(layout)} CASCADE")

    def fill(self) -> None:
        """Brings every layout to N leads and vacuums it; two at a time, as no figure is taken from it."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.fill_one, self.layouts))

    def fill_one(self, layout: Layout) -> None:
        given = {"leads": self.leads, "now": START, "campaigns": CAMPAIGNS}
        with self.connect(layout) as conn:
            for statement in filling(layout):
                run(conn, statement, given)
            run(conn, "VACUUM (ANALYZE, FREEZE)")
            run(conn, "CHECKPOINT")
            self.record_sizes(conn, layout, "filled")

    def record_sizes(self, conn: psycopg.Connection[Any], layout: Layout, when: str) -> None:
        row = conn.execute(
            "SELECT sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) FROM pg_class"
            " WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'"
        ).fetchone()
        assert row
        for what, size in zip(("tables", "indexes"), row, strict=True):
            self.figures[layout.name][f"{what} MB {when}"].append(float(size) / 1e6)

    def ingest(self, stage: str, leads: int) -> None:
        """Each round adds the same `leads` new leads to every layout, by one connection and by four."""
        for _ in range(self.rounds):
            for workers in (1, 4):
                batches = [new_batch(self.rng) for _ in range(leads // BATCH)]
                for layout in self.turns():
                    sql = ingest_sql(layout)
                    self.timed(layout, f"ingest {stage} x{workers}", leads, workers, batches, ingest_one(sql))

    def turns(self) -> list[Layout]:
        return self.rng.sample(self.layouts, len(self.layouts))

    def timed(
        self, layout: Layout, measure: str, rows: int, workers: int, jobs: list[Any], work: Work
    ) -> None:
        """Shares the jobs out over the connections and records µs and WAL bytes a row."""
        conns = [self.connect(layout) for _ in range(workers)]
        shares = [jobs[n::workers] for n in range(workers)]
        lsn = wal_position(conns[0])
        began = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, conns, shares))
        self.figures[layout.name][f"{measure} us"].append((time.perf_counter() - began) * 1e6 / rows)
        self.figures[layout.name][f"{measure} wal"].append((wal_position(conns[0]) - lsn) / rows)
        for conn in conns:
            conn.close()

    def advance(self) -> None:
        """Walks the due leads on by a day a pass: lane 1 alone, then lanes 2 to 51."""
        day = 0
        for workers, leased in ((1, True), (4, True), (1, False)):
            for _ in range(self.rounds):
                day += 1
                now = START + timedelta(days=day, hours=1)
                for layout in self.turns():
                    for case, lanes in (("1 lane", [1]), ("50 lanes", list(range(2, 52)))):
                        self.advance_pass(layout, case, lanes, workers, now, leased=leased)

    def advance_pass(
        self, layout: Layout, lanes_name: str, lanes: list[int], workers: int, now: datetime, *, leased: bool
    ) -> None:
        case = f"{lanes_name} x{workers}" if leased else f"{lanes_name} x{workers} locked"
        spent = Spent()
        jobs = [lane for lane in lanes for _ in range(workers if len(lanes) == 1 else 1)]
        work = advance_lanes(layout, now, spent, leased=leased)
        self.timed(layout, f"advance {case}", 1, workers, jobs, work)
        figures = self.figures[layout.name]
        for part in ("us", "wal"):
            figures[f"advance {case} {part}"][-1] /= spent.rows
        figures[f"claim only {case} us"].append(spent.claiming * 1e6 / spent.rows)
        figures[f"rows advanced {case}"].append(spent.rows)

    def enrol(self) -> None:
        for layout in self.layouts:
            for _ in range(self.rounds if layout.lazy else 0):
                batches = self.fresh_campaigns(layout)
                self.timed(layout, "enrol x1", len(batches) * BATCH, 1, batches, enrol_all)

    def fresh_campaigns(self, layout: Layout) -> list[str]:
        """The campaigns of a share of the whole batches that still wait to be enrolled."""
        with self.connect(layout) as conn:
            found = conn.execute(
                "SELECT campaign_id::text, count(*) FROM lead WHERE NOT enrolled GROUP BY 1"
            ).fetchall()
        return [campaign for campaign, count in found for _ in range(count // BATCH // (self.rounds + 1))]

    def pages(self) -> None:
        """Milliseconds for one page; a fresh cursor position each time."""
        for _ in range(self.rounds * 10):
            campaign, place = self.rng.choice(CAMPAIGNS), self.rng.randrange(self.leads * 9 // 10)
            after = f"{1760000000000 + place:012x}" + "7000" + "8" * 16
            for layout in self.turns():
                with self.connect(layout) as conn:
                    for name, status in (("order", None), ("common status", 1), ("rare status", 9)):
                        sql = page_sql(layout, by_status=status is not None).encode()
                        given = {"campaign": campaign, "status": status, "after": after}
                        for _ in range(6):  # from the sixth execution on, a prepared statement's plan is kept
                            conn.execute(sql, given).fetchall()
                        began = time.perf_counter()
                        conn.execute(sql, given).fetchall()
                        took = time.perf_counter() - began
                        self.figures[layout.name][f"page by {name} ms"].append(took * 1e3)

    def vacuum(self) -> None:
        for layout in self.turns():
            with self.connect(layout) as conn:
                self.record_sizes(conn, layout, "after")
                began = time.perf_counter()
                for table in dict.fromkeys(("lead", layout.home)):
                    run(conn, f"VACUUM {table}")
                self.figures[layout.name]["vacuum s"].append(time.perf_counter() - began)


@dataclass(slots=True)
class Spent:
    """Rows advanced and seconds spent claiming, summed over the connections of one pass."""

    rows: int = 0
    claiming: float = 0.0


def schema(layout: Layout) -> str:
    return "bench_layout_" + layout.name.replace("-", "_")


def run(conn: psycopg.Connection[Any], statement: str, given: Params | None = None) -> None:
    conn.execute(statement.encode(), given)


def wal_position(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row
    return int(row[0])


def new_batch(rng: random.Random) -> str:
    """100 leads of 400 to 600 bytes with five custom fields of about 30 characters, as JSON."""
    return json.dumps([new_lead(rng, campaign) for campaign in [rng.choice(CAMPAIGNS)] * BATCH])


def new_lead(rng: random.Random, campaign: str) -> dict[str, object]:
    word = f"{rng.getrandbits(120):030x}"
    stamp = 1790000000000 + time.monotonic_ns() // 1_000_000
    fields = ("industry", "region", "referredBy", "icebreaker", "eventName")
    custom = {name: f"{rng.getrandbits(120):030x}" for name in fields}
    return {
        "id": f"{stamp:012x}7{rng.getrandbits(12):03x}8{rng.getrandbits(60):015x}",
        "campaign": campaign, "key": "in/" + word, "url": "https://www.linkedin.com/in/" + word,
        "first_name": "Annabel", "last_name": "Fitzgerald", "company": "Company " + word[:8],
        "title": "Director of Operations", "email": word[:12] + "@example.org", "custom": custom,
    }  # fmt: skip


def ingest_one(sql: str) -> Work:
    def work(conn: psycopg.Connection[Any], batches: list[str]) -> None:
        for rows in batches:
            if len(conn.execute(sql.encode(), {"rows": rows, "now": START}).fetchall()) != BATCH:
                raise RuntimeError("a batch of new leads was not added whole")

    return work


def enrol_all(conn: psycopg.Connection[Any], campaigns: list[str]) -> None:
    for campaign in campaigns:
        if len(conn.execute(enrol_sql().encode(), {"campaign": campaign, "now": START}).fetchall()) != BATCH:
            raise RuntimeError("the lazy layout ran out of fresh leads: ingest more before enrolling")


def advance_lanes(layout: Layout, now: datetime, spent: Spent, *, leased: bool) -> Work:
    """Claims and advances until each lane has nothing due; with leases in two transactions, else in one."""
    claim = (claim_sql(layout) if leased else lock_sql(layout)).encode()
    advance, lock = advance_sql(layout).encode(), threading.Lock()

    def step(conn: psycopg.Connection[Any], lane: int) -> bool:
        began = time.perf_counter()
        claimed = conn.execute(claim, {"lane": lane, "now": now}).fetchall()
        took = time.perf_counter() - began
        if claimed:
            conn.execute(advance, {"rows": moves(claimed, now), "now": now})
        with lock:
            spent.rows += len(claimed)
            spent.claiming += took
        return bool(claimed)

    def work(conn: psycopg.Connection[Any], lanes: list[int]) -> None:
        conn.autocommit = leased
        for lane in lanes:
            while step(conn, lane):
                conn.commit()
            conn.commit()

    return work


def moves(claimed: list[Any], now: datetime) -> str:
    """The next place of each claimed lead: another step each time, another status every second time."""
    due, day = (now + timedelta(hours=23)).isoformat(), (now - START).days
    place = {"step": f"step{day}", "status": 1 + day // 2 % 6, "due": due}
    return json.dumps([{"id": lead, "token": token, **place} for lead, token, *_ in claimed])


# --- the report ---


def report(bench: Bench) -> None:
    """Prints each measure by layout: the figure, and its ratio to the first layout."""
    names = [layout.name for layout in bench.layouts]
    for name in names:
        life = life_cost(bench.figures[name])
        bench.figures[name]["life (ingest + 6 advances) us"].append(life)
    measures = dict.fromkeys(m for name in names for m in bench.figures[name])
    print("| measure | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for measure in measures:
        print(f"| {measure} | " + " | ".join(cells(bench, measure, names)) + " |")


def cells(bench: Bench, measure: str, names: list[str]) -> Iterator[str]:
    middle = mean if measure.endswith("wal") else median
    base = bench.figures[names[0]].get(measure)
    for name in names:
        values = bench.figures[name].get(measure)
        if not values:
            yield "–"
        else:
            ratio = f" ({middle(values) / middle(base):.2f})" if base else ""
            yield f"{middle(values):.4g}{ratio}"


def life_cost(figures: dict[str, list[float]]) -> float:
    """µs of one connection's database time: one ingest at N leads and six claims with advances.

    The lazy layout's first claim is its enrolling, which walks leads in order of import as lane 1 does.
    """
    advance = mean(median(figures[f"advance {case} x1 us"]) for case in ("1 lane", "50 lanes"))
    life = median(figures["ingest full x1 us"]) + STEPS * advance
    if "enrol x1 us" in figures:
        life += median(figures["enrol x1 us"]) - median(figures["claim only 1 lane x1 us"])
    return life


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conninfo", nargs="?", default=os.environ.get("LEADWRIGHT_BENCH_DATABASE_URL"))
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="comma-separated names of layouts")
    given = parser.parse_args()
    if not given.conninfo:
        parser.error("give a conninfo or set LEADWRIGHT_BENCH_DATABASE_URL")
    chosen = tuple(la for la in LAYOUTS if not given.only or la.name in given.only.split(","))
    bench = Bench(given.conninfo, given.leads, given.rounds, chosen)
    try:
        measure(bench)
        report(bench)
    finally:
        bench.drop()


def measure(bench: Bench) -> None:
    """All phases, in the order of a lead's life."""
    phases: tuple[tuple[str, Callable[[], None]], ...] = (
        ("create", bench.create),
        ("ingest empty", lambda: bench.ingest("empty", max(BATCH, bench.leads // 50))),
        ("fill", bench.fill),
        ("ingest full", lambda: bench.ingest("full", max(BATCH, bench.leads // 50))),
        ("pages", bench.pages),
        ("advance", bench.advance),
        ("enrol", bench.enrol),
        ("vacuum", bench.vacuum),
    )
    for name, phase in phases:
        began = time.perf_counter()
        phase()
        print(f"# {name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
