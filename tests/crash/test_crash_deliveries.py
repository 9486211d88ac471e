"""The deliverer is killed again and again under load: every event arrives, in order per lead, with the same bytes."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from aiohttp import web

PATIENCE = 60.0
CAMPAIGNS = 20
MOST_AHEAD = 200
Site: TypeAlias = Any
"""A class of conftest.py, which cannot be imported."""


@dataclass
class Receiver:
    """Accepts all, after a moment, and keeps what came."""

    got: list[bytes] = field(default_factory=list[bytes])
    url: str = ""
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers["svix-id"] == json.loads(body)["eventId"]
        await asyncio.sleep(0.002)  # a receiver at work, so that kills find posts under way
        async with self.more:
            self.got.append(body)
            self.more.notify_all()
        return web.Response()

    async def reached(self, count: int) -> None:
        async with self.more, asyncio.timeout(PATIENCE):
            await self.more.wait_for(lambda: len(self.got) >= count)

    @property
    def events(self) -> dict[str, list[bytes]]:
        """The bodies of each event, in the order in which events came first."""
        found: dict[str, list[bytes]] = defaultdict(list)
        for body in self.got:
            found[json.loads(body)["eventId"]].append(body)
        return found


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is for ever
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield receiver
    await runner.cleanup()


@asynccontextmanager
async def at_work(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """A ``leadwright work`` that has begun; killed at the end."""
    process = await site.start_worker("--deliveries")
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


@dataclass
class Load:
    """What the writers have caused; they wait while more than ``MOST_AHEAD`` of it has not come."""

    receiver: Receiver
    caused: int = 0
    over: bool = False

    async def end(self) -> None:
        async with self.receiver.more:
            self.over = True
            self.receiver.more.notify_all()

    async def cause(self, caller: Any, campaign: str, action: str) -> None:
        async with self.receiver.more:
            await self.receiver.more.wait_for(lambda: self.over or self.caused - len(self.receiver.got) < MOST_AHEAD)
        self.caused += 1
        await caller.insist("PATCH", f"/v1/campaigns/{campaign}", json={"action": action})


async def write(caller: Any, load: Load) -> None:
    """Events of one campaign, one after the other, as fast as the server takes them."""
    campaign = (await caller.insist("POST", "/v1/campaigns", json={"name": "Told"})).json()["id"]
    actions = ["start"]
    while not load.over:
        for action in actions:
            await load.cause(caller, campaign, action)
        actions = ["pause", "resume"]


async def survive(template: Any, shelf: Any, kills: int, between: Sequence[int]) -> None:
    site = template.copy(shelf / "deliveries")
    site.settings.update(webhook_allow_hosts="127.0.0.1", webhook_timeout="0.5", webhook_retry_schedule="0.1,0.5,1")
    await site.start("--no-work")
    caller = site.caller(template.headers)
    try:
        async with receiving() as receiver, asyncio.timeout(14 * PATIENCE):
            await caller.insist("POST", "/v1/webhooks", json={"url": receiver.url})
            load = Load(receiver)
            async with asyncio.TaskGroup() as everybody:
                for _ in range(CAMPAIGNS):
                    everybody.create_task(write(caller, load))
                for number in range(kills):
                    async with at_work(site):
                        await receiver.reached(len(receiver.got) + between[number % len(between)])
                await load.end()
            while len(wanted := await feed(caller)) < load.caused:
                continue  # the last ones are yet to get their places
            assert len(wanted) == load.caused
            async with at_work(site), receiver.more:
                await receiver.more.wait_for(lambda: len(receiver.events) >= len(wanted))
            check(receiver, wanted)
            assert '"level": "error"' not in site.log.read_text()
    finally:
        await caller.close()
        await site.close()


async def feed(caller: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    cursor, more = "", True
    while more:
        page = await caller.get(f"/v1/events?after={cursor}")
        events += page["events"]
        cursor, more = page["nextCursor"], page["hasMore"]
    return events


def check(receiver: Receiver, wanted: Sequence[dict[str, Any]]) -> None:
    """Every event at least once, always the same bytes, each campaign's in the order of the feed."""
    events = receiver.events
    assert set(events) == {event["eventId"] for event in wanted}
    assert all(len(set(bodies)) == 1 for bodies in events.values())
    campaign_of = {event["eventId"]: event["data"]["campaignId"] for event in wanted}
    came: dict[str, list[str]] = defaultdict(list)
    for event_id in events:
        came[campaign_of[event_id]].append(event_id)
    in_feed: dict[str, list[str]] = defaultdict(list)
    for event in wanted:
        in_feed[event["data"]["campaignId"]].append(event["eventId"])
    assert came == in_feed


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_deliveries_survive_kills(template, shelf):
    """As many as ``LEADWRIGHT_CRASH_KILLS`` says: 50 take some minutes."""
    await survive(template, shelf, int(os.environ.get("LEADWRIGHT_CRASH_KILLS", "10")), [1, 7, 40, 3])
