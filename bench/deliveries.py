"""Delivering webhooks, against a bare aiohttp loop that posts the same signed bodies to the same receiver."""

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

import aiohttp
import uvloop

from bench import report
from bench.processes import environment, running, scratch_folder
from bench.report import Result
from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.cli.process import calm_collector
from leadwright.clock import system_clock
from leadwright.crypto import SecretBox
from leadwright.events import publisher
from leadwright.events import service as events
from leadwright.events.model import EventType
from leadwright.events.service import Fact
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.outbound.signing import Signer, new_secret
from leadwright.postgres.embedded import attach
from leadwright.postgres.migrate import migrate
from leadwright.postgres.pool import Connection, Database
from leadwright.webhooks import delivery_store, service
from leadwright.webhooks.announce import announce
from leadwright.webhooks.deliverer import Deliverer
from leadwright.webhooks.model import Settings

ENDPOINTS = 4
SLOTS = 10
SCHEDULE = (5.0, 30.0)
ALLOWED = AllowedHosts.parse(["127.0.0.1"])
ROOM = service.Endpoints(SecretBox("a key for benchmarks only"), ALLOWED)
CLAIMED = 30
FULL_LOG = 5_000_000


@dataclass(frozen=True, slots=True)
class Site:
    database: Database
    workspace_id: str
    url: str

    async def subscribe(self, path: str) -> str:
        async with self.database.transaction() as connection:
            settings = Settings("bench", f"{self.url}/{path}")
            made, _ = await service.create(connection, self.workspace_id, ROOM, settings, system_clock())
        return made.id

    async def fill(self, count: int) -> None:
        """So many events of as many leads, published: a pending delivery each for every endpoint."""
        now = system_clock()
        for start in range(0, count, 1000):
            facts = [_fact() for _ in range(min(1000, count - start))]
            async with self.database.transaction() as connection:
                await events.record_many(connection, self.workspace_id, facts, now)
        while await publisher.publish(self.database, announce=lambda c, placed: announce(c, placed, now)):
            pass

    async def accepted(self) -> int:
        async with aiohttp.ClientSession() as session, session.get(self.url) as answer:
            return int(await answer.text())

    async def clear(self) -> None:
        async with self.database.transaction() as connection:
            for webhook in await service.list_webhooks(connection, self.workspace_id, ROOM):
                await service.delete(connection, self.workspace_id, webhook.id)


def _fact() -> Fact:
    lead = ids.new_id()
    data = {
        "leadId": f"lead_{lead}",
        "campaignId": f"camp_{lead}",
        "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
        "previousStatus": "PENDING",
        "newStatus": "MESSAGE_SENT",
        "customLeadStatus": None,
    }
    return Fact(EventType.LEAD_UPDATED, data, lead_id=lead)


async def floor_rate(site: Site, count: int) -> float:
    """Posts a second of a bare loop, with bodies that are made and signed before."""
    signer, body = Signer(new_secret()), b"x" * 420
    made = [signer.headers(f"evt_{ids.new_id()}", body, 1_700_000_000) for _ in range(count)]
    waiting = iter(made)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post() -> None:
            for headers in waiting:
                async with session.post(f"{site.url}/floor", data=body, headers=headers) as answer:
                    await answer.read()

        began = perf_counter()
        await asyncio.gather(*(post() for _ in range(ENDPOINTS * SLOTS)))
        return count / (perf_counter() - began)


async def delivery_rate(site: Site, count: int, *, hanging: bool) -> float:
    """Deliveries a second to endpoints that answer, while perhaps one more does not."""
    await site.clear()
    wanted = [await site.subscribe(f"hook{number}") for number in range(ENDPOINTS)]
    if hanging:
        await site.subscribe("hang")
    await site.fill(count // ENDPOINTS)
    async with OutboundClient(ALLOWED, total=30) as client:
        deliverer = Deliverer(site.database, client, ROOM.secrets, system_clock, schedule=SCHEDULE, slots=SLOTS)
        began = perf_counter()
        deliverer.start()
        async with site.database.session() as connection:
            while await _waiting(connection, wanted):
                await asyncio.sleep(0.02)
        took = perf_counter() - began
        await deliverer.stop()
    return count / took


async def _waiting(connection: Connection, webhook_ids: Sequence[str]) -> bool:
    cursor = await connection.execute(
        "SELECT 1 FROM webhook_stream WHERE webhook_id = ANY(%s::uuid[]) LIMIT 1", (list(webhook_ids),)
    )
    return await cursor.fetchone() is not None


async def claim_milliseconds(site: Site, times: int) -> float:
    """The median of claiming some streams and reading what stands first in each; nothing is kept of it."""
    taken: list[float] = []
    for _ in range(times):
        now = system_clock()
        began = perf_counter()
        async with site.database.session() as connection, connection.transaction(force_rollback=True):
            leased = await delivery_store.claim(connection, now, now, free={}, of_others=CLAIMED, most=CLAIMED)
            await delivery_store.heads(connection, leased)
        taken.append((perf_counter() - began) * 1000)
    return statistics.median(taken)


async def fill_log(site: Site, webhook_id: str, count: int) -> None:
    """Delivered rows, as many days of traffic leave behind."""
    async with site.database.session() as connection:
        await connection.execute("SELECT set_config('statement_timeout', '0', false)")
        await connection.execute(
            """
            INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, event_type, stream, position, status,
                attempts, created_at, finished_at)
            SELECT %s, gen_random_uuid(), %s, gen_random_uuid(), 'lead.updated', 'lead_' || md5(n::text), n,
                'delivered', '[{"at": "2026-03-01T00:00:00.000Z", "statusCode": 200, "error": null, "durationMs": 12}]',
                now(), now()
            FROM generate_series(1, %s) n
            """,
            (site.workspace_id, webhook_id, count),
        )
        await connection.execute("VACUUM (ANALYZE) webhook_delivery, webhook_stream")
        await connection.execute("SELECT set_config('statement_timeout', '30s', false)")


async def claim_curve(site: Site, log: int, times: int) -> tuple[float, float]:
    """Milliseconds of a claim with an empty log and with a large one."""
    await site.clear()
    webhook = await site.subscribe("hook")
    await site.fill(2000)
    async with site.database.session() as connection:
        await connection.execute("VACUUM (ANALYZE) webhook_delivery, webhook_stream")
    await claim_milliseconds(site, times)
    before = await claim_milliseconds(site, times)
    await fill_log(site, webhook, log)
    await claim_milliseconds(site, times)
    return before, await claim_milliseconds(site, times)


async def _measure(conninfo: str, url: str, count: int, rounds: int, log: int) -> list[Result]:
    async with _site(conninfo, url) as site:
        floors, plain, beside = list[float](), list[float](), list[float]()
        for number in range(rounds + 1):
            found = (
                await floor_rate(site, count),
                await delivery_rate(site, count, hanging=False),
                await delivery_rate(site, count, hanging=True),
            )
            if number:
                for kept, rate in zip((floors, plain, beside), found, strict=True):
                    kept.append(rate)
        before, after = await claim_curve(site, log, 50)
    floor, alone, with_hanging = map(statistics.median, (floors, plain, beside))
    lines = [
        ("bare aiohttp loop", f"{floor:,.0f}"),
        ("leadwright", f"{alone:,.0f}"),
        ("leadwright, one endpoint hanging", f"{with_hanging:,.0f}"),
    ]
    print("\n" + report.table(("contender", "posts a second"), lines))
    return [
        Result("deliveries : bare aiohttp loop", alone / floor, at_least=0.5),
        Result("with one endpoint hanging : without", with_hanging / alone, at_least=0.9),
        Result(f"claim with {log:,} delivered rows : with none", after / before, at_most=1.3),
        Result("claim of 30 streams, empty log", before, "ms"),
    ]


@asynccontextmanager
async def _site(conninfo: str, url: str) -> AsyncIterator[Site]:
    await migrate(conninfo)
    database = Database(conninfo, size=4)
    await database.open()
    async with database.session() as connection:
        workspace = await accounts.default_workspace(connection)
    yield Site(database, workspace.id, url)
    await database.close()


def measure(count: int = 8_000, rounds: int = 3, log: int = 200_000) -> list[Result]:
    """The contenders take turns; the first round is not counted."""
    print(f"{count:,} posts a round, {rounds} rounds, {ENDPOINTS} endpoints with {SLOTS} posts at once each")
    command = (sys.executable, "-m", "bench.receiver")
    with scratch_folder() as folder, running(command, os.environ) as receiver:
        os.environ.update(environment(folder))
        with attach(folder) as embedded:
            url = f"http://127.0.0.1:{receiver.port}"
            calm_collector()  # for both, as in the server: each look for cycles would go through all that is imported
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_measure(embedded.conninfo, url, count, rounds, log))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=8_000, help="posts a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--log", type=int, default=200_000, help="delivered rows in the log")
    options.add_argument("--full", action="store_true", help=f"a log of {FULL_LOG:,} rows")
    asked = options.parse_args()
    report.show_machine()
    report.show(measure(asked.count, asked.rounds, FULL_LOG if asked.full else asked.log))


if __name__ == "__main__":
    main()
