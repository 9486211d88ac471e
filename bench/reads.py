"""How long every list takes for one caller, with 100,000 leads and events and with many more."""

import argparse
import time
from collections.abc import Generator as Yields
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench import pages, report
from bench.load import Generator
from bench.pages import Path
from bench.processes import Server, leadwright, scratch_folder
from bench.reads_fill import (
    SENDERS,
    ReadsFill,
)
from bench.reads_pages import Places
from bench.report import Result
from leadwright import ids
from leadwright.postgres.embedded import attach

SMALL, DEFAULT = 100_000, (300_000,)
FULL = (1_000_000, 10_000_000)
MOST_SLOWER = 3.0
TURN = 5
"""Pages read of one server before it is the other's turn."""
DEFAULT_TIMES = 20


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two servers that take turns."""

    server: Server
    fill: ReadsFill


class Comparison:
    """Two servers take turns, one that stays small and one that grows: other work on the machine hits both alike."""

    def __init__(self, small: Side, grown: Side, generator: Generator, times: int) -> None:
        self._small = small
        self._grown = grown
        self._generator = generator
        self._times = times

    def measure(self, leads: int) -> list[Result]:
        """Prints every page's time at both sizes; answers the slowest of each list, as a ratio."""
        print(f"filled to {leads:,} leads and events in {self._grown.fill.reach(leads):.0f} s", flush=True)
        small, grown = (Places(side.fill).paths() for side in (self._small, self._grown))
        times = {
            of: {name: self._compare(small[of][name], path) for name, path in named.items()}
            for of, named in grown.items()
        }
        sizes = report.short(self._small.fill.fill.leads), report.short(leads)
        _show(times, sizes)
        return [_slowest(of, named, sizes) for of, named in times.items()]

    def _compare(self, small: Path, grown: Path) -> tuple[float, float]:
        """Medians in seconds, when the connections of both servers' pools have settled on their plans."""
        both = ((self._small.server, small), (self._grown.server, grown))
        for server, path in both:
            pages.read(server, self._generator, path, pages.WARM_UP_TIMES * self._times)
        read: list[list[float]] = [[], []]
        while len(read[0]) < self._times and sum(read[1]) < pages.LONGEST_SECONDS:
            for (server, path), latencies in zip(both, read, strict=True):
                latencies += pages.read(server, self._generator, path, TURN)
        return median(read[0]), median(read[1])


Times = Mapping[str, tuple[float, float]]
"""Of each page, in seconds: with few leads and with many."""


def _show(times: Mapping[str, Times], sizes: tuple[str, str]) -> None:
    head = ("page, ms", *(f"at {size}" for size in sizes), "ratio")
    rows = [(name, *_cells(*both)) for named in times.values() for name, both in named.items()]
    print("\n" + report.table(head, rows), flush=True)


def _cells(small: float, grown: float) -> tuple[str, str, str]:
    return f"{small * 1000:.2f}", f"{grown * 1000:.2f}", f"{grown / small:.2f}"


def _slowest(of: str, times: Times, sizes: tuple[str, str]) -> Result:
    name = max(times, key=lambda each: times[each][1] / times[each][0])
    small, grown = times[name]
    what = f"{of} at {sizes[1]} : at {sizes[0]} (slowest: {name})"
    return Result(what, grown / small, at_most=MOST_SLOWER)


@contextmanager
def _side(size: int) -> Yields[Side]:
    """A server with senders, filled to a size."""
    with scratch_folder() as folder, leadwright(folder) as server, attach(folder) as database:
        fill = ReadsFill(database.conninfo, [_new_sender(server, number) for number in range(SENDERS)])
        if size:
            fill.reach(size)
        yield Side(server, fill)


def _new_sender(server: Server, number: int) -> str:
    url = f"https://www.linkedin.com/in/bench-sender-{number}"
    made = server.call("POST", "/v1/senders", {"name": f"Sender {number}", "linkedinUrl": url, "channel": "simulator"})
    found = ids.bare(ids.Prefix.SENDER, made["id"])
    assert found is not None
    return found


def measure(sizes: Sequence[int], times: int = DEFAULT_TIMES, *, small: int = SMALL) -> list[Result]:
    with Generator() as generator, _side(small) as base, _side(0) as grown:
        comparison = Comparison(base, grown, generator, times)
        return [result for size in sizes for result in comparison.measure(size)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true", help="up to 10 million of each: see docs/benchmarks.md")
    options.add_argument("--sizes", type=int, nargs="+", metavar="LEADS", help="other numbers, ascending")
    options.add_argument("--small", type=int, default=SMALL, metavar="LEADS", help="the number to compare with")
    options.add_argument("--times", type=int, default=DEFAULT_TIMES, help="how often each page is read")
    asked = options.parse_args()
    report.show_machine()
    began = time.monotonic()
    report.show(measure(asked.sizes or (FULL if asked.full else DEFAULT), asked.times, small=asked.small))
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
