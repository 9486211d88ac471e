"""The private memory of the server and its database: idle, and while requests come in."""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import proc, report
from bench.batches import LEADS_A_BATCH, Batch
from bench.load import Generator, Request
from bench.proc import Memory
from bench.processes import Server, leadwright, scratch_folder
from bench.report import Result
from leadwright.postgres.embedded import EmbeddedPostgres, attach

CONNECTIONS = 8
SMALL = 20_000
FULL = 100_000
SAMPLES = 5
REQUESTS_AT_ONCE = 1_000
MOST_IDLE_MEGABYTES = 200.0
MOST_GROWTH_MEGABYTES = 10.0
"""Between the first sample under load and the last: noise, and not a leak."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Who held how much after so many requests."""

    requests: int
    server: Memory
    guardian: Memory
    database: Memory

    @property
    def total(self) -> Memory:
        return self.server + self.guardian + self.database


def sample(requests: int, server: Server, embedded: EmbeddedPostgres) -> Sample:
    guardian, postmaster = embedded.guardian_pid, embedded.postmaster_pid
    assert guardian is not None
    assert postmaster is not None
    return Sample(
        requests,
        proc.memory([server.pid]),
        proc.memory([guardian]),
        proc.memory([postmaster, *proc.children(postmaster)]),
    )


def mixed_requests(campaign: str, count: int) -> Iterator[Request]:
    """Of eight requests two add 100 new leads each, one sends 100 known ones, five read pages."""
    new = iter(range(0, count * LEADS_A_BATCH, LEADS_A_BATCH))
    kinds: tuple[Callable[[], Request], ...] = (
        lambda: Request("/v1/leads", Batch(campaign, next(new))),
        lambda: Request("/v1/leads", Batch(campaign, 0)),
        lambda: Request(f"/v1/leads?campaignId={campaign}&limit=50"),
        lambda: Request(f"/v1/leads?campaignId={campaign}&limit=50&status=PENDING"),
        lambda: Request("/v1/leads", Batch(campaign, next(new))),
        lambda: Request("/v1/leads?limit=50&full=true"),
        lambda: Request("/v1/campaigns"),
        lambda: Request(f"/v1/campaigns/{campaign}"),
    )
    return (kinds[number % len(kinds)]() for number in range(count))


def measure(requests: int) -> list[Result]:
    """Prints a sample after each fifth of the requests and returns what is idle and what it grew by."""
    with (
        scratch_folder() as folder,
        leadwright(folder) as server,
        attach(folder) as embedded,
        Generator() as generator,
    ):
        samples = [sample(0, server, embedded)]
        coming = mixed_requests(server.new_campaign(), requests)
        for number in range(1, SAMPLES + 1):
            send(server, generator, coming, requests // SAMPLES)
            samples.append(sample(number * (requests // SAMPLES), server, embedded))
    _show(samples)
    return results(samples)


def send(server: Server, generator: Generator, coming: Iterator[Request], count: int) -> None:
    """In portions, so that the bodies waiting in the generator leave room on a small machine."""
    for start in range(0, count, REQUESTS_AT_ONCE):
        portion = [next(coming) for _ in range(min(REQUESTS_AT_ONCE, count - start))]
        generator.send(server.port, server.key, portion, connections=CONNECTIONS)


def results(samples: list[Sample]) -> list[Result]:
    idle, first, last = samples[0], samples[1], samples[-1]
    growth = last.total.private - first.total.private
    between = f"from {first.requests:,} to {last.requests:,} requests"
    return [
        Result("private memory, idle", idle.total.private / 1e6, "MB", at_most=MOST_IDLE_MEGABYTES),
        Result(f"private memory after {last.requests:,} requests", last.total.private / 1e6, "MB"),
        Result(f"growth {between}", growth / 1e6, "MB", at_most=MOST_GROWTH_MEGABYTES),
    ]


def _show(samples: list[Sample]) -> None:
    head = ("private MB after requests", "server", "guardian", "database", "together", "proportional MB, together")
    print("\n" + report.table(head, [_line(each) for each in samples]))


def _line(each: Sample) -> tuple[str, ...]:
    private = (part.private for part in (each.server, each.guardian, each.database, each.total))
    return f"{each.requests:,}", *(f"{size / 1e6:.1f}" for size in (*private, each.total.proportional))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true", help=f"{FULL:,} requests: 3.8 million leads, 5 GB of disk")
    options.add_argument("--requests", type=int, default=SMALL)
    asked = options.parse_args()
    report.show_machine()
    began = time.monotonic()
    report.show(measure(FULL if asked.full else asked.requests))
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
