"""How adding leads and reading pages change with the number of leads already there."""

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from bench import pages, report
from bench.batches import LEADS_A_BATCH, Batch
from bench.fill import Fill
from bench.load import Generator, Request
from bench.processes import Server, leadwright, scratch_folder
from bench.report import Result
from leadwright import ids
from leadwright.postgres.embedded import attach

CONNECTIONS = 8
SMALL = (100_000, 500_000)
FULL = (100_000, 1_000_000, 10_000_000)
MOST_SLOWER_PAGES = 3.0

_EMPTY = "TRUNCATE lead, enrolment, lead_import, lead_import_outcome, campaign_counter, campaign_counter_delta"
_BYTES = (
    "SELECT sum(pg_table_size(t)), sum(pg_indexes_size(t)) FROM unnest(ARRAY['lead', 'enrolment']::regclass[]) AS t"
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done at each size: ``rounds`` of ``batches`` for adding, ``times`` each page.

    In a first round of 100 batches each of the pool's connections prepares the statement, and PostgreSQL settles on its
    plan. More rounds of ``warm_up`` also take whole pages out of the write-ahead log, which follow the checkpoint.
    """

    batches: int = 100
    rounds: int = 5
    times: int = 40
    warm_up: int = 1


DEFAULT = Effort()


@dataclass(frozen=True, slots=True)
class Point:
    """The figures at one number of leads; speeds in leads a second, pages in seconds.

    Ratios are medians of what each round's were, so that a machine that changes its speed changes both sides.
    """

    leads: int
    empty: float
    new_campaign: float
    random_campaigns: float
    new_ratio: float
    random_ratio: float
    pages: dict[str, float]
    table_bytes: int
    index_bytes: int


class Curve:
    """Two servers take turns, one kept empty and one that grows, so that other work on the machine hits both alike."""

    def __init__(self, empty: Server, empty_conninfo: str, grown: Server, fill: Fill, generator: Generator) -> None:
        self._empty = empty
        self._empty_conninfo = empty_conninfo
        self._grown = grown
        self._fill = fill
        self._generator = generator
        self._rng = random.Random(1)
        self._next = 1_000_000

    def point(self, leads: int, effort: Effort) -> Point:
        print(f"filled to {leads:,} leads in {self._fill.reach(leads):.0f} s", flush=True)
        by_page = pages.measure(self._grown, self._fill, self._generator, effort.times)
        speeds = [self._round(effort.batches) for _ in range(effort.warm_up + effort.rounds)][effort.warm_up :]
        empty, new, scattered = (median(each) for each in zip(*speeds, strict=True))
        ratios = (median(speed[n] / speed[0] for speed in speeds) for n in (1, 2))
        return Point(leads, empty, new, scattered, *ratios, by_page, *self._bytes())

    def _round(self, batches: int) -> tuple[float, float, float]:
        with psycopg.connect(self._empty_conninfo, autocommit=True) as connection:
            connection.execute(_EMPTY)
        new = [self._grown.new_campaign()] * batches
        existing = [ids.public(ids.Prefix.CAMPAIGN, c) for c in self._rng.choices(self._fill.campaigns, k=batches)]
        return (
            self._add(self._empty, [self._empty.new_campaign()] * batches),
            self._add(self._grown, new),
            self._add(self._grown, existing),
        )

    def _add(self, server: Server, campaigns: Sequence[str]) -> float:
        """Leads a second when each campaign named gets a batch of people that nobody has seen yet."""
        leads = len(campaigns) * LEADS_A_BATCH
        firsts = range(self._next, self._next + leads, LEADS_A_BATCH)
        self._next += leads
        requests = [Request("/v1/leads", Batch(c, first)) for c, first in zip(campaigns, firsts, strict=True)]
        load = self._generator.send(server.port, server.key, requests, connections=CONNECTIONS)
        if load.counted["leadsAdded"] != leads:
            raise RuntimeError(f"{load.counted['leadsAdded']} leads were added and not {leads}")
        return leads / load.seconds

    def _bytes(self) -> tuple[int, int]:
        with psycopg.connect(self._fill.conninfo) as connection:
            found = connection.execute(_BYTES).fetchone()
        assert found is not None
        return int(found[0]), int(found[1])


def measure(sizes: Sequence[int], effort: Effort) -> list[Result]:
    """Prints both tables and returns the ratios at the last size; pages are compared with those at the first."""
    with (
        scratch_folder() as empty_folder,
        leadwright(empty_folder) as empty,
        attach(empty_folder) as empty_database,
        scratch_folder() as folder,
        leadwright(folder) as grown,
        attach(folder) as database,
        Generator() as generator,
    ):
        curve = Curve(empty, empty_database.conninfo, grown, Fill(database.conninfo), generator)
        points = [curve.point(size, effort) for size in sizes]
    _show_adding(points)
    _show_pages(points)
    return results(points)


def results(points: Sequence[Point]) -> list[Result]:
    first, last = points[0], points[-1]
    slowest = max(last.pages, key=lambda name: last.pages[name] / first.pages[name])
    at, before = report.short(last.leads), report.short(first.leads)
    return [
        Result(f"adding to a new campaign at {at} leads : at 0", last.new_ratio, at_least=0.8),
        Result(f"... to random existing ones at {at} : at 0", last.random_ratio, at_least=0.6),
        Result(
            f"slowest page at {at} : at {before} ({slowest})",
            last.pages[slowest] / first.pages[slowest],
            at_most=MOST_SLOWER_PAGES,
        ),
    ]


def _show_adding(points: Sequence[Point]) -> None:
    head = (
        "leads there",
        "leads/s at 0",
        "new campaign",
        ": at 0",
        "random campaigns",
        ": at 0",
        "tables MB",
        "indexes MB",
    )
    print("\n" + report.table(head, [_adding_line(point) for point in points]))


def _adding_line(point: Point) -> Sequence[str]:
    return (
        f"{point.leads:,}",
        f"{point.empty:,.0f}",
        f"{point.new_campaign:,.0f}",
        f"{point.new_ratio:.2f}",
        f"{point.random_campaigns:,.0f}",
        f"{point.random_ratio:.2f}",
        f"{point.table_bytes / 1e6:,.0f}",
        f"{point.index_bytes / 1e6:,.0f}",
    )


def _show_pages(points: Sequence[Point]) -> None:
    first = points[0]
    head = ("page, ms", *(f"at {report.short(point.leads)}" for point in points))
    lines = [(name, *(_page_cell(point, first, name) for point in points)) for name in first.pages]
    print("\n" + report.table(head, lines))


def _page_cell(point: Point, first: Point, name: str) -> str:
    ratio = "" if point is first else f" ({point.pages[name] / first.pages[name]:.2f})"
    return f"{point.pages[name] * 1000:.2f}{ratio}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true", help="up to 10 million leads: some 15 minutes, 25 GB of disk")
    options.add_argument("--sizes", type=int, nargs="+", metavar="LEADS", help="other numbers of leads, ascending")
    options.add_argument("--batches", type=int, default=DEFAULT.batches, help="requests of 100 leads a round")
    options.add_argument("--rounds", type=int, default=DEFAULT.rounds)
    options.add_argument("--times", type=int, default=DEFAULT.times, help="how often each page is read")
    options.add_argument("--warm-up", type=int, default=DEFAULT.warm_up, help="rounds that are not counted")
    asked = options.parse_args()
    report.show_machine()
    began = time.monotonic()
    sizes = asked.sizes or (FULL if asked.full else SMALL)
    report.show(measure(sizes, Effort(asked.batches, asked.rounds, asked.times, asked.warm_up)))
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
