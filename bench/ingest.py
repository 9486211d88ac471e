"""How fast leads are added over HTTP, against bare connections (the floor) and a row-by-row ORM service (the peer)."""

import argparse
import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import psycopg

from bench import proc, report
from bench.batches import LEADS_A_BATCH, Batch
from bench.floor import LEAD, Floor, make_database, open_floor, rows_of
from bench.load import Generator, Load, Request, percentile
from bench.processes import Process, Server, leadwright, orm_service, scratch_folder
from bench.report import Result
from leadwright.postgres.embedded import EmbeddedPostgres, attach

CONNECTIONS = 8
PEER_TAKES_FEWER = 10
"""It gets a tenth of the requests, which still takes it longest."""
WARM_UP_ROUNDS = 1
"""At 100 batches each of the pool's connections has prepared the statement then, and PostgreSQL settled on its plan."""

LEADWRIGHT = "leadwright"
DUPLICATES = "leadwright, all duplicates"
PEER = "ORM service, row by row"


@dataclass(slots=True)
class Rounds:
    """One contender's rounds: leads a second, and the processor seconds that its leads took by where they ran."""

    speeds: list[float] = field(default_factory=list[float])
    leads: int = 0
    in_database: float = 0.0
    in_own: float = 0.0

    @property
    def speed(self) -> float:
        return median(self.speeds)


@dataclass(frozen=True, slots=True)
class Contender:
    """``prepare(start, batches)`` makes ready the leads from ``start`` on; what it returns sends them: seconds."""

    name: str
    pid: int
    prepare: Callable[[int, int], Callable[[], float]]
    fewer: int = 1


class Ingest:
    """The contenders of one run on one machine, taking turns."""

    def __init__(self, embedded: EmbeddedPostgres, key: str, generator: Generator) -> None:
        assert embedded.postmaster_pid is not None
        self.rounds: dict[str, Rounds] = defaultdict(Rounds)
        self.latencies: list[float] = []
        self.floors: list[Floor] = []
        self.conninfo = embedded.conninfo
        self._postmaster = embedded.postmaster_pid
        self._key = key
        self._generator = generator
        self._contenders: list[Contender] = []

    def admit_floor(self, floor: Floor) -> None:
        def prepare(start: int, batches: int) -> Callable[[], float]:
            prepared = [rows_of(first) for first in _firsts(start, batches)]
            return lambda: floor.insert(prepared)

        self.floors.append(floor)
        self._contenders.append(Contender(floor.name, os.getpid(), prepare))

    def admit_server(self, server: Server) -> None:
        campaign = server.new_campaign()

        def adding(start: int, batches: int) -> Callable[[], float]:
            return lambda: self._add(server.port, campaign, start, batches)

        def sending_again(start: int, batches: int) -> Callable[[], float]:
            return lambda: self._send(server.port, campaign, start, batches, "duplicatesSkipped").seconds

        self._contenders += [
            Contender(LEADWRIGHT, server.pid, adding),
            Contender(DUPLICATES, server.pid, sending_again),
        ]

    def admit_peer(self, peer: Process) -> None:
        def prepare(start: int, batches: int) -> Callable[[], float]:
            return lambda: self._send(peer.port, "bench", start, batches, "leadsAdded").seconds

        self._contenders.append(Contender(PEER, peer.pid, prepare, fewer=PEER_TAKES_FEWER))

    def run(self, batches: int, rounds: int) -> None:
        """Each round every contender adds the same new leads."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        for number in range(WARM_UP_ROUNDS + rounds):
            if number == WARM_UP_ROUNDS:
                self.rounds.clear()
                self.latencies.clear()
            self._round(number * batches * LEADS_A_BATCH, batches)

    def _round(self, start: int, batches: int) -> None:
        for contender in self._contenders:
            self._take_turn(contender, start, max(1, batches // contender.fewer))

    def _take_turn(self, contender: Contender, start: int, batches: int) -> None:
        send = contender.prepare(start, batches)
        rounds = self.rounds[contender.name]
        database = proc.processor_seconds(self._postmaster)
        own = proc.processor_seconds(contender.pid)
        rounds.speeds.append(batches * LEADS_A_BATCH / send())
        rounds.in_database += proc.processor_seconds(self._postmaster) - database
        rounds.in_own += proc.processor_seconds(contender.pid) - own
        rounds.leads += batches * LEADS_A_BATCH

    def _add(self, port: int, campaign: str, start: int, batches: int) -> float:
        load = self._send(port, campaign, start, batches, "leadsAdded")
        self.latencies += load.latencies
        return load.seconds

    def _send(self, port: int, campaign: str, start: int, batches: int, expected: str) -> Load:
        requests = [Request("/v1/leads", Batch(campaign, first)) for first in _firsts(start, batches)]
        load = self._generator.send(port, self._key, requests, connections=CONNECTIONS)
        if load.counted[expected] != batches * LEADS_A_BATCH:
            raise RuntimeError(f"of {batches * LEADS_A_BATCH} rows {load.counted[expected]} were {expected}")
        return load


def _firsts(start: int, batches: int) -> range:
    return range(start, start + batches * LEADS_A_BATCH, LEADS_A_BATCH)


FLOORS = (
    ("floor, 1 connection", LEAD, 1),
    ("floor, 4 connections", LEAD, 4),
)


def measure(batches: int, rounds: int, *, with_peer: bool = True) -> list[Result]:
    """Prints the contenders and returns the ratios. ``batches``: requests of 100 leads a round."""
    with (
        scratch_folder() as folder,
        leadwright(folder) as server,
        attach(folder) as embedded,
        Generator() as generator,
        contextlib.ExitStack() as opened,
    ):
        ingest = Ingest(embedded, server.key, generator)
        for number, (name, statement, connections) in enumerate(FLOORS):
            database = make_database(embedded.conninfo, f"floor_{number}")
            ingest.admit_floor(opened.enter_context(open_floor(name, database, statement, connections)))
        ingest.admit_server(server)
        if with_peer:
            ingest.admit_peer(opened.enter_context(orm_service(make_database(embedded.conninfo, "orm"))))
        ingest.run(batches, rounds)
        _show(ingest)
        _show_widths(ingest)
        return results(ingest)


def results(ingest: Ingest) -> list[Result]:
    rounds = ingest.rounds
    ours = rounds[LEADWRIGHT].speed
    p50, p99 = percentile(ingest.latencies, 0.5), percentile(ingest.latencies, 0.99)
    found = [
        Result("adding leads : floor", ours / _best_floor(ingest), at_least=0.5),
        Result("sending known leads : adding", rounds[DUPLICATES].speed / ours, at_least=1.0),
        Result("p99 : p50 of a 100-lead request, 8 at once", p99 / p50, at_most=3.0),
        Result("p50 of a 100-lead request, 8 at once", p50 * 1000, "ms"),
    ]
    if PEER in rounds:
        found.insert(1, Result("adding leads : ORM service", ours / rounds[PEER].speed, at_least=25.0))
    return found


def _best_floor(ingest: Ingest) -> float:
    return max(ingest.rounds[floor.name].speed for floor in ingest.floors)


def _show(ingest: Ingest) -> None:
    best = _best_floor(ingest)
    head = ("contender", "leads/s", ": floor", "lowest", "highest", "µs/lead: database", "server or sender")
    print(report.table(head, [_line(name, rounds, best) for name, rounds in ingest.rounds.items()]))


def _line(name: str, rounds: Rounds, best: float) -> Sequence[str]:
    return (
        name,
        f"{rounds.speed:,.0f}",
        f"{rounds.speed / best:.2f}",
        f"{min(rounds.speeds):,.0f}",
        f"{max(rounds.speeds):,.0f}",
        f"{rounds.in_database / rounds.leads * 1e6:.1f}",
        f"{rounds.in_own / rounds.leads * 1e6:.1f}",
    )


_WIDTHS = """
    SELECT (SELECT avg(pg_column_size(lead.*)) FROM lead),
           pg_table_size('lead') / (SELECT count(*) FROM lead)::float8,
           pg_indexes_size('lead') / (SELECT count(*) FROM lead)::float8
"""


def _show_widths(ingest: Ingest) -> None:
    """Raises RuntimeError when a floor writes other rows than the server, which would make it no floor."""
    widths = {LEADWRIGHT: _widths(ingest.conninfo)}
    widths |= {floor.name: _widths(floor.conninfo) for floor in ingest.floors}
    head = ("bytes", "lead", "table of leads a row", "its indexes a row")
    print("\n" + report.table(head, [(n, *(f"{w:.1f}" for w in found)) for n, found in widths.items()]))
    ours = widths[LEADWRIGHT][0]
    if any(abs(found[0] / ours - 1) > 0.01 for found in widths.values()):
        raise RuntimeError("the floor's rows are not as wide as the server's")


def _widths(conninfo: str) -> tuple[float, ...]:
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(_WIDTHS).fetchone()
    assert found is not None
    return tuple(map(float, found))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batches", type=int, default=200, help="requests of 100 leads a round")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--no-peer", action="store_true", help="leave the ORM service out")
    asked = options.parse_args()
    report.show_machine()
    began = time.monotonic()
    found = measure(asked.batches, asked.rounds, with_peer=not asked.no_peer)
    report.show(found)
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
