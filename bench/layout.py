"""Measures where a lead's enrolment should live: on the lead's row, beside it, or created lazily.

`python -m bench.layout [--leads N] [--rounds R] [--only NAMES] [CONNINFO]`; the conninfo defaults to
LEADWRIGHT_BENCH_DATABASE_URL, and that to an embedded database in a scratch folder. Every layout gets a schema of
its own, dropped at the end; layouts take turns within each round, so that other work on the machine hits all alike.
Times are medians, WAL is a mean.
"""

import argparse
import contextlib
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any

import psycopg

from bench.layout_sql import BATCH, CAMPAIGNS, LAYOUTS, START, Layout, filling, ingest_sql, page_sql, tables
from bench.layout_work import Spent, Work, advance_lanes, enrol_all, ingest_one, new_batch, run, schema, wal_position
from bench.processes import scratch_folder
from leadwright.postgres.embedded import attach

STEPS = 6


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

    def timed(self, layout: Layout, measure: str, rows: int, workers: int, jobs: list[Any], work: Work) -> None:
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
        share = [campaign for campaign, count in found for _ in range(count // BATCH // (self.rounds + 1))]
        if not share:
            raise RuntimeError("too few leads were ingested to enrol a batch a round: give more --leads")
        return share

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
    chosen = tuple(la for la in LAYOUTS if not given.only or la.name in given.only.split(","))
    with contextlib.ExitStack() as opened:
        conninfo = given.conninfo or opened.enter_context(attach(opened.enter_context(scratch_folder()))).conninfo
        bench = Bench(conninfo, given.leads, given.rounds, chosen)
        opened.callback(bench.drop)
        measure(bench)
        report(bench)


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
