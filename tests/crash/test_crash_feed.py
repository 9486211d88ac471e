"""A reader of the event feed beside eight writers, while server and database are killed under them."""

import asyncio
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from tests.starting import SLEEPING, sender_body

WRITERS = 8
PATIENCE = 60.0
Caller: TypeAlias = Any
Site: TypeAlias = Any
"""Both are classes of conftest.py, which cannot be imported."""


@dataclass
class Happened:
    """The events that the writers know of, in the order of each campaign."""

    types: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    total: int = 0
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, campaign: str, event_type: str) -> None:
        async with self._more:
            self.types[campaign].append(event_type)
            self.total += 1
            self._more.notify_all()

    async def reached(self, total: int) -> None:
        async with self._more, asyncio.timeout(PATIENCE):
            await self._more.wait_for(lambda: self.total >= total)


async def write(caller: Caller, happened: Happened, number: int, over: asyncio.Event) -> None:
    """Starts a campaign, then pauses and resumes it; after a lost answer its status tells what happened."""
    made = await caller.insist("POST", "/v1/senders", json=sender_body(), key=uuid.uuid4().hex)
    sender = made.json()["id"]
    name = {"name": f"Campaign {number}", "sequence": SLEEPING, "senderIds": [sender]}
    campaign = (await caller.insist("POST", "/v1/campaigns", json=name, key=uuid.uuid4().hex)).json()["id"]
    action, event_type, status = "start", "campaign.started", "started"
    while not over.is_set():
        answer = await caller.ask("PATCH", f"/v1/campaigns/{campaign}", json={"action": action})
        if answer is None and (await caller.get(f"/v1/campaigns/{campaign}"))["status"] != status:
            continue
        await happened.note(campaign, event_type)
        paused = action != "pause"
        action, event_type, status = (
            ("pause", "campaign.paused", "paused") if paused else ("resume", "campaign.resumed", "started")
        )


async def follow(
    caller: Caller, cursor: str, seen: list[dict[str, Any]], happened: Happened, over: asyncio.Event
) -> None:
    """Reads on from cursor to cursor until it has seen as much as there is."""
    while True:
        page = await caller.get(f"/v1/events?limit=7&after={cursor}")
        seen += page["events"]
        cursor = page["nextCursor"]
        if over.is_set() and len(seen) >= happened.total and not page["hasMore"]:
            return


async def strike(site: Site, victim: str) -> None:
    """The server is restarted when it was killed; else it goes on by itself."""
    if victim == "server":
        await site.kill_server()
        await site.start()
    else:
        await asyncio.to_thread(site.kill_postmaster if victim == "postmaster" else site.kill_guardian)


async def survive(site: Site, make_caller: Callable[[], Caller], dice: random.Random, victims: Sequence[str]) -> None:
    begin, _ = await read_all(make_caller(), "")
    happened, seen = Happened(), list[dict[str, Any]]()
    written, read = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(10 * PATIENCE), asyncio.TaskGroup() as everybody:
        everybody.create_task(follow(make_caller(), begin, seen, happened, read))
        async with asyncio.TaskGroup() as writers:
            for number in range(WRITERS):
                writers.create_task(write(make_caller(), happened, number, written))
            for victim in victims:
                await happened.reached(happened.total + dice.randint(5, 60))
                await strike(site, victim)
            await happened.reached(happened.total + 2 * WRITERS)
            written.set()
        read.set()
    check(seen, happened)
    assert (await read_all(make_caller(), begin))[1] == seen
    await site.look()
    assert '"level":"error"' not in site.log.read_text()


def check(seen: Sequence[dict[str, Any]], happened: Happened) -> None:
    """Nothing twice, nothing missed, each campaign's in order."""
    assert len({event["eventId"] for event in seen}) == len({event["cursor"] for event in seen}) == len(seen)
    by_campaign: dict[str, list[str]] = defaultdict(list)
    for event in seen:
        by_campaign[event["data"]["campaignId"]].append(event["eventType"])
    assert by_campaign == happened.types


async def read_all(caller: Caller, cursor: str) -> tuple[str, list[dict[str, Any]]]:
    """The end of the feed, and what lies between."""
    events: list[dict[str, Any]] = []
    more = True
    while more:
        page = await caller.get(f"/v1/events?after={cursor}")
        events += page["events"]
        cursor, more = page["nextCursor"], page["hasMore"]
    return cursor, events


async def test_a_reader_misses_nothing_and_sees_nothing_twice_across_kills(site, make_caller):
    await survive(site, make_caller, random.Random(0), ["postmaster", "server"])


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_reader_misses_nothing_and_sees_nothing_twice_across_many_kills(site, make_caller):
    dice = random.Random(1)
    victims = ["server", "postmaster", "guardian", *dice.choices(["server", "postmaster", "guardian"], k=17)]
    await survive(site, make_caller, dice, victims)
