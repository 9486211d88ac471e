"""How much of a bare claim-and-update loop's speed the engine keeps; what its rows, sleepers and shut lanes cost it."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench import proc, report
from bench.engine_fill import EngineFill
from bench.processes import ROOT, scratch_folder
from bench.report import Result
from leadwright.postgres.embedded import attach


@dataclass(frozen=True, slots=True)
class Effort:
    """``due`` leads a pass, over ``sleepers`` in ascending order, with ``shut`` due ones that nobody may look at."""

    due: int
    rounds: int
    sleepers: tuple[int, ...]
    shut: int


DEFAULT = Effort(due=4_000, rounds=2, sleepers=(20_000, 100_000), shut=50_000)
FULL = Effort(due=50_000, rounds=3, sleepers=(100_000, 1_000_000, 2_000_000, 5_000_000), shut=1_000_000)


KINDS = ("engine", "rows", "bare")
"""``rows`` writes what the engine writes and does nothing else: what becomes of ``bare`` when deeds are recorded."""


class Worker:
    """One process that works when it is told to."""

    def __init__(self, what: str, conninfo: str) -> None:
        command = (sys.executable, "-m", "bench.engine_worker", what, conninfo)
        self._child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._child.pid
        if self._read() != "ready":
            raise RuntimeError(f"a worker of kind {what} does not come up")

    def _read(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def go(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write("go\n")
        self._child.stdin.flush()

    def finished(self) -> tuple[int, float]:
        """What it did and the seconds it took, when it is done."""
        found = json.loads(self._read())
        return found["done"], found["seconds"]

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(30)


@contextmanager
def workers(what: str, conninfo: str, count: int) -> Generator[list[Worker]]:
    with ExitStack() as opened:
        found = [Worker(what, conninfo) for _ in range(count)]
        for each in found:
            opened.callback(each.close)
        yield found


class Measured:
    """Rates in leads a second of passes that take turns, so that other work on the machine hits all alike."""

    def __init__(self, fill: EngineFill, effort: Effort) -> None:
        self._fill = fill
        self._effort = effort

    def rates(self, kinds: tuple[str, ...], processes: int) -> dict[str, float]:
        """Medians; a first, smaller pass of each prepares the statements."""
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        with ExitStack() as opened:
            teams = {kind: opened.enter_context(workers(kind, self._fill.conninfo, processes)) for kind in kinds}
            for team in teams.values():
                self._pass(team, self._effort.due // 10)
            for _ in range(self._effort.rounds):
                for kind, team in teams.items():
                    found[kind].append(self._pass(team, self._effort.due))
        return {kind: median(rates) for kind, rates in found.items()}

    def _pass(self, team: list[Worker], due: int) -> float:
        self._fill.due(due)
        began = time.perf_counter()
        for each in team:
            each.go()
        done = [each.finished() for each in team]
        seconds = time.perf_counter() - began
        if sum(count for count, _ in done) != due:
            raise RuntimeError(f"{due} leads were due and {done} were done")
        return due / seconds

    def poll_milliseconds(self) -> float:
        with workers("poll", self._fill.conninfo, 1) as (worker,):
            figures: list[float] = []
            for _ in range(self._effort.rounds + 1):
                worker.go()
                done, seconds = worker.finished()
                figures.append(seconds / done * 1000)
        return median(figures[1:])

    def memory_growth(self) -> float:
        """Private memory of an engine after many passes, beside that after the first."""
        with workers("engine", self._fill.conninfo, 1) as team:
            self._pass(team, self._effort.due)
            first = proc.memory([team[0].pid]).private
            for _ in range(self._effort.rounds):
                self._pass(team, self._effort.due)
            return proc.memory([team[0].pid]).private / first


def measure(effort: Effort) -> list[Result]:
    with scratch_folder() as folder, attach(folder) as embedded:
        fill = EngineFill(embedded.conninfo)
        fill.setup()
        return _measure(Measured(fill, effort), fill, effort)


def _measure(measured: Measured, fill: EngineFill, effort: Effort) -> list[Result]:
    by_sleepers: dict[int, dict[str, float]] = {}
    for sleepers in effort.sleepers:
        fill.sleepers(sleepers - max(by_sleepers, default=0))
        fill.rest()
        by_sleepers[sleepers] = _shown(f"{sleepers:,} sleepers", measured.rates(KINDS, 1))
    most = by_sleepers[max(by_sleepers)]
    poll = measured.poll_milliseconds()
    four = _shown("four processes", measured.rates(KINDS, 4))
    fill.shut(effort.shut)
    fill.rest()
    shut = _shown(f"{effort.shut:,} due in shut lanes", measured.rates(("engine", "bare"), 1))
    fewest = by_sleepers[min(by_sleepers)]
    return [
        Result("engine : bare loop, one process", most["engine"] / most["bare"], at_least=1 / 3),
        Result("its rows alone : bare loop, one process", most["rows"] / most["bare"]),
        Result("engine : its rows alone, one process", most["engine"] / most["rows"]),
        Result("engine, most : fewest sleepers", most["engine"] / fewest["engine"], at_least=0.8),
        Result("engine, with : without shut lanes", shut["engine"] / most["engine"], at_least=0.9),
        Result("gain of four processes, engine : bare", _gain("engine", most, four), at_least=0.8),
        Result("gain of four processes, its rows alone : bare", _gain("rows", most, four)),
        Result("empty poll", poll, "ms", at_most=1.0),
        Result("memory of an engine, late : early", measured.memory_growth(), at_most=1.1),
    ]


def _gain(kind: str, one: dict[str, float], four: dict[str, float]) -> float:
    return (four[kind] / one[kind]) / (four["bare"] / one["bare"])


def _shown(what: str, rates: dict[str, float]) -> dict[str, float]:
    print(f"{what}: " + ", ".join(f"{kind} {rate:,.0f} leads/s" for kind, rate in rates.items()), flush=True)
    return rates


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true", help="up to 5 million sleepers, a million due in shut lanes")
    options.add_argument("--due", type=int, help="leads that are due in a pass")
    options.add_argument("--rounds", type=int, help="passes of each contender")
    options.add_argument("--sleepers", type=int, nargs="+", metavar="LEADS", help="numbers of sleepers, ascending")
    options.add_argument("--shut", type=int, metavar="LEADS", help="due leads in paused and capped lanes")
    asked = options.parse_args()
    usual = FULL if asked.full else DEFAULT
    effort = Effort(
        due=asked.due or usual.due,
        rounds=asked.rounds or usual.rounds,
        sleepers=tuple(asked.sleepers or usual.sleepers),
        shut=asked.shut or usual.shut,
    )
    report.show_machine()
    report.show(measure(effort))


if __name__ == "__main__":
    main()
