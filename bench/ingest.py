"""How fast leads are added over HTTP, against bare connections (the floor) and a row-by-row ORM service (the peer)."""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench import floor
from bench.batches import LEADS_A_BATCH, bodies
from bench.load import Load, post_all
from leadwright.postgres.embedded import attach

CONNECTIONS = 8


@dataclass
class Figures:
    """Leads a second, one figure a round."""

    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(command: list[str], port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A server on a port, until the end of the block."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        try:
            _wait_for(port, child)
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(20)


def _wait_for(port: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError("the server did not come up")


@dataclass(frozen=True)
class Target:
    """A running server and the key to it."""

    port: int
    key: str
    pid: int

    def call(self, method: str, path: str, body: object | None = None) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": self.key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def campaign(self) -> str:
        return str(self.call("POST", "/v1/campaigns", {"name": "bench"})["id"])

    def add(self, campaign: str, start: int, batches: int) -> Load:
        load = post_all(self.port, "/v1/leads", self.key, list(bodies(campaign, start, batches)), connections=CONNECTIONS)
        return load


@contextlib.contextmanager
def leadwright(data_dir: Path) -> Iterator[Target]:
    """``leadwright serve`` with its embedded database, as anybody would run it, with a rate limit out of the way."""
    environment = {"LEADWRIGHT_DATA_DIR": str(data_dir), "LEADWRIGHT_RATE_LIMIT": "1000000"}
    command = [sys.executable, "-m", "leadwright"]
    made = subprocess.run(
        [*command, "keys", "create", "--name", "bench"], env=os.environ | environment, capture_output=True, check=True
    )
    key = made.stdout.decode().strip().splitlines()[-1]
    port = free_port()
    with process([*command, "serve", "--port", str(port)], port, environment) as child:
        yield Target(port, key, child.pid)


@contextlib.contextmanager
def orm_service(conninfo: str) -> Iterator[Target]:
    parts = conninfo_to_dict(conninfo)
    url = f"postgresql+psycopg://{parts.get('user', '')}@/{parts['dbname']}?host={parts['host']}"
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.orm_service:app", "--port", str(port), "--no-access-log"]
    with process(command, port, {"BENCH_ORM_URL": url, "PYTHONPATH": "."}) as child:
        yield Target(port, "any", child.pid)


def floor_database(conninfo: str, name: str) -> str:
    """A fresh database with the real schema, for the bare connections."""
    from leadwright.postgres.migrate import migrate

    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    import asyncio

    asyncio.run(migrate(made := make_conninfo(conninfo, dbname=name)))
    return made


def measure(batches: int, rounds: int, *, with_peer: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="leadwright-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "data"
        with attach(data_dir) as embedded, leadwright(data_dir) as target:
            _compare(embedded.conninfo, target, batches, rounds, with_peer=with_peer)


def _compare(conninfo: str, target: Target, batches: int, rounds: int, *, with_peer: bool) -> None:
    bare = floor_database(conninfo, "floor")
    figures = {name: Figures() for name in ("floor, 1 connection", "floor, 4 connections", "floor with enrolment, 4",
                                            "leadwright", "leadwright, all duplicates")}  # fmt: skip
    leads = batches * LEADS_A_BATCH
    latencies: list[Load] = []
    campaign = target.campaign()
    target.add(campaign, 0, 20)
    for number in range(rounds):
        start = (number + 1) * leads * 10
        for name, statement, connections in (
            ("floor, 1 connection", floor.LEAD_ONLY, 1),
            ("floor, 4 connections", floor.LEAD_ONLY, 4),
            ("floor with enrolment, 4", floor.WITH_ENROLMENT, 4),
        ):
            prepared = [floor.rows_of(start + i * LEADS_A_BATCH, LEADS_A_BATCH) for i in range(batches)]
            seconds = floor.insert_all(bare, statement, prepared, connections=connections)
            figures[name].rounds.append(leads / seconds)
        load = target.add(campaign, start, batches)
        assert sum(int(str(a["leadsAdded"])) for a in load.answers) == leads
        latencies.append(load)
        figures["leadwright"].rounds.append(leads / load.seconds)
        again = target.add(campaign, start, batches)
        assert sum(int(str(a["duplicatesSkipped"])) for a in again.answers) == leads
        figures["leadwright, all duplicates"].rounds.append(leads / again.seconds)
    if with_peer:
        figures["ORM service"] = Figures()
        with orm_service(floor_database(conninfo, "orm")) as peer:
            for number in range(rounds):
                load = post_all(
                    peer.port, "/v1/leads", "any", list(bodies("camp", number * 10**6, 20)), connections=CONNECTIONS
                )
                figures["ORM service"].rounds.append(20 * LEADS_A_BATCH / load.seconds)
    _print(figures, latencies)


def _print(figures: dict[str, Figures], latencies: list[Load]) -> None:
    best = max(figures["floor, 1 connection"].median, figures["floor, 4 connections"].median)
    ours = figures["leadwright"].median
    print(f"{'what':32}{'leads/s':>12}{'of the floor':>14}")
    for name, figure in figures.items():
        print(f"{name:32}{figure.median:12,.0f}{figure.median / best:14.2f}")
    if "ORM service" in figures:
        print(f"leadwright : ORM service = {ours / figures['ORM service'].median:.0f}")
    print(f"duplicates : adding = {figures['leadwright, all duplicates'].median / ours:.2f}")
    halves = [(load.percentile(0.5), load.percentile(0.99)) for load in latencies]
    p50, p99 = statistics.median(h[0] for h in halves), statistics.median(h[1] for h in halves)
    print(f"100-lead request at concurrency {CONNECTIONS}: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, "
          f"p99 : p50 = {p99 / p50:.2f}")  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batches", type=int, default=200, help="requests of 100 leads a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--no-peer", action="store_true", help="leave the ORM service out")
    asked = options.parse_args()
    measure(asked.batches, asked.rounds, with_peer=not asked.no_peer)


if __name__ == "__main__":
    main()
