"""Deliverers are killed again and again under load: every event arrives, in order per lead, with the same bytes."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from tests.starting import SLEEPING, sender_body

PATIENCE = 180.0
CAMPAIGNS = 150
"""So many that those whose leases a killed one leaves behind, for 17 seconds, leave enough to do for the next ones."""
WRITERS = 10
MOST_AHEAD = 450
SETTINGS = {
    "webhook_allow_hosts": "127.0.0.1",
    "webhook_timeout": "3",
    "webhook_retry_schedule": "0.1,0.5,1",
    "webhook_concurrency": "2",
}
Site: TypeAlias = Any
"""A class of conftest.py, which cannot be imported."""


@dataclass
class Receiver:
    """Accepts all, after a moment, and keeps what came: the bodies of each event, in the order in which events came
    first."""

    events: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict[str, list[bytes]](list))
    got: int = 0
    url: str = ""
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(0.002)  # a receiver at work, so that kills find posts under way
        async with self.more:
            self.events[request.headers["svix-id"]].append(body)
            self.got += 1
            self.more.notify_all()
        return web.Response()

    async def reached(self, count: int) -> None:
        async with self.more, asyncio.timeout(PATIENCE):
            await self.more.wait_for(lambda: self.got >= count)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is for ever
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Nursery:
    """A process that forks deliverers, one at a time."""

    process: asyncio.subprocess.Process

    async def begin(self) -> int:
        """The process of a new one, when it is at work."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        pid = int((await self.line()).removeprefix("begun "))
        assert "is at work" in await self.line()
        return pid

    async def kill(self, pid: int) -> None:
        """Returns when it is gone."""
        os.kill(pid, signal.SIGKILL)
        assert await self.line() == "gone\n"

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)).decode()


@asynccontextmanager
async def nursery(site: Site) -> AsyncIterator[Nursery]:
    """All of it is killed at the end."""
    command = (sys.executable, "-P", str(Path(__file__).with_name("forking.py")), "work", "--deliveries")
    with site.log.open("a") as log:
        pipe = subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, env=site.environment, stdin=pipe, stdout=pipe, stderr=log, start_new_session=True
        )
    try:
        made = Nursery(process)
        assert await made.line() == "loaded\n"
        yield made
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


BECOMES = {"start": "started", "pause": "paused", "resume": "started"}


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
            await self.receiver.more.wait_for(lambda: self.over or self.caused - self.receiver.got < MOST_AHEAD)
        if self.over:
            return
        self.caused += 1
        path = f"/v1/campaigns/{campaign}"
        while await caller.ask("PATCH", path, json={"action": action}) is None:
            if (await caller.insist("GET", path)).json()["status"] == BECOMES[action]:
                return  # only the answer was lost


async def write(caller: Any, load: Load, sender: str) -> None:
    """Events of some campaigns in turn, as fast as the server takes them."""
    told = {"name": "Told", "sequence": SLEEPING, "senderIds": [sender]}
    made = [await caller.insist("POST", "/v1/campaigns", json=told) for _ in range(CAMPAIGNS // WRITERS)]
    campaigns = [each.json()["id"] for each in made]
    actions = itertools.chain(["start"], itertools.cycle(["pause", "resume"]))
    while not load.over:
        action = next(actions)
        for campaign in campaigns:
            await load.cause(caller, campaign, action)


async def kill_often(site: Site, receiver: Receiver, kills: int, between: Sequence[int]) -> None:
    """One deliverer after the other, each killed when so many posts have come since it began."""
    async with nursery(site) as made:
        for number in range(kills):
            pid = await made.begin()
            await receiver.reached(receiver.got + between[number % len(between)])
            await made.kill(pid)


async def survive(template: Any, shelf: Any, kills: int, between: Sequence[int]) -> None:
    """Two deliverers at a time, so that the one has what the other leaves behind."""
    site = template.copy(shelf / "deliveries")
    site.settings.update(SETTINGS)
    await site.start("--no-work")
    caller = site.caller(template.headers)
    try:
        async with receiving() as receiver, asyncio.timeout(5 * PATIENCE):
            await caller.insist("POST", "/v1/webhooks", json={"url": receiver.url})
            sender = (await caller.insist("POST", "/v1/senders", json=sender_body())).json()["id"]
            load = Load(receiver)
            async with asyncio.TaskGroup() as everybody:
                for _ in range(WRITERS):
                    everybody.create_task(write(caller, load, sender))
                async with asyncio.TaskGroup() as killers:
                    killers.create_task(kill_often(site, receiver, kills // 2, between))
                    killers.create_task(kill_often(site, receiver, kills - kills // 2, between[::-1]))
                await load.end()
            while len(wanted := await feed(caller)) < load.caused:
                continue  # the last ones are yet to get their places
            assert len(wanted) == load.caused
            async with nursery(site) as last, receiver.more:
                await last.begin()
                await receiver.more.wait_for(lambda: len(receiver.events) >= len(wanted))
            check(receiver, wanted)
            assert '"level":"error"' not in site.log.read_text()
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
    assert all(json.loads(bodies[0])["eventId"] == event_id for event_id, bodies in events.items())
    campaign_of = {event["eventId"]: event["data"]["campaignId"] for event in wanted}
    came: dict[str, list[str]] = defaultdict(list)
    for event_id in events:
        came[campaign_of[event_id]].append(event_id)
    in_feed: dict[str, list[str]] = defaultdict(list)
    for event in wanted:
        in_feed[event["data"]["campaignId"]].append(event["eventId"])
    assert came == in_feed


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_deliveries_survive_kills(template, shelf):
    """As many as ``LEADWRIGHT_CRASH_KILLS`` says."""
    await survive(template, shelf, int(os.environ.get("LEADWRIGHT_CRASH_KILLS", "50")), [1, 7, 40, 3])
