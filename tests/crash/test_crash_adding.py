"""Leads that were acknowledged are there, once, whatever was killed while they were being added."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from tests.starting import SLEEPING, sender_body

CLIENTS = 8
PEOPLE_AHEAD = 300
PATIENCE = 60.0
SPELLINGS = (
    "https://www.linkedin.com/in/crash-{}",
    "http://uk.linkedin.com/in/Crash-{}/?trk=people",
    "in/CRASH-{}",
    "//linkedin.com/in/crash-{}/en#top",
)
VICTIMS = ("server", "postmaster", "guardian", "server and postmaster", "guardian and server")
Caller: TypeAlias = Any
Site: TypeAlias = Any
"""Both are classes of conftest.py, which cannot be imported."""


@dataclass
class Told:
    """What the clients of one campaign were told; all of it has to stay true."""

    campaign: str
    keyed: bool
    leads: dict[str, str] = field(default_factory=dict)
    """The identity of each lead that an answer named as added, by the lead's id."""
    imports: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Rows received, added, updated, duplicates and invalid, by the id of the import."""
    asked: int = 0
    """Different requests, answered or not."""
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, rows: int, body: dict[str, Any]) -> None:
        """Raises AssertionError for an answer that does not agree with itself or an earlier one."""
        counts = (body["leadsAdded"], body.get("leadsUpdated", 0), body["duplicatesSkipped"], body["invalidEntries"])
        assert sum(counts) == rows == len(body["results"])
        added = {r["leadId"]: r["identityKey"] for r in body["results"] if r["outcome"] == "added"}
        assert len(added) == body["leadsAdded"]
        assert body["importId"] not in self.imports
        self.leads |= added
        self.imports[body["importId"]] = (rows, *counts)
        async with self._more:
            self._more.notify_all()

    async def reached(self, answers: int) -> None:
        """Waits until so many requests have been answered."""
        async with self._more, asyncio.timeout(PATIENCE):
            await self._more.wait_for(lambda: len(self.imports) >= answers)


def batch(told: Told, dice: random.Random) -> tuple[bytes, int]:
    """A body with people whom others add too, some of them twice in it, and how many rows it has."""
    people = [dice.randrange(len(told.leads) + PEOPLE_AHEAD) for _ in range(dice.randint(1, 30))]
    rows: list[Any] = [{"linkedinUrl": dice.choice(SPELLINGS).format(n), "score": n} for n in people]
    rows += dice.choice([[], [], [None], [{"linkedinUrl": "https://www.linkedin.com/company/acme"}]])
    fill = dice.random() < 0.2
    if fill:
        rows = [row and row | {"company": f"Company {dice.randrange(9)}"} for row in rows]
    dice.shuffle(rows)
    more = {"onDuplicate": "fill"} if fill else {}
    return json.dumps({"campaignId": told.campaign, "leads": rows, **more}).encode(), len(rows)


async def keep_adding(caller: Caller, told: Told, dice: random.Random, over: asyncio.Event) -> None:
    """With keys: each request until it is answered, and some again. Without: each once, whatever comes of it."""
    path = "/v1/leads?report=full"
    while not over.is_set():
        content, rows = batch(told, dice)
        told.asked += 1
        if not told.keyed:
            answer = await caller.ask("POST", path, content=content)
            if answer is not None:
                await told.note(rows, answer.json())
            continue
        key = f"key {dice.getrandbits(64)}"
        answer = await caller.insist("POST", path, content=content, key=key)
        await told.note(rows, answer.json())
        while dice.random() < 0.25:
            again = await caller.insist("POST", path, content=content, key=key)
            assert again.content == answer.content
            assert again.headers["Idempotent-Replayed"] == "true"


async def keep_pausing(caller: Caller, campaign: str, happened: list[str], over: asyncio.Event) -> None:
    """Pauses and resumes a started campaign, and notes the events of it."""
    while not over.is_set():
        action, status = ("pause", "paused") if happened[-1] != "campaign.paused" else ("resume", "started")
        answer = await caller.ask("PATCH", f"/v1/campaigns/{campaign}", json={"action": action})
        if answer is not None or (await caller.get(f"/v1/campaigns/{campaign}"))["status"] == status:
            happened.append(f"campaign.{action}d")


async def strike(site: Site, victim: str) -> None:
    """Kills what the victim's name names, in that order, with nothing in between."""
    for part in victim.split(" and "):
        if part == "server":
            await site.kill_server()
        else:
            await asyncio.to_thread(site.kill_postmaster if part == "postmaster" else site.kill_guardian)


async def storm(site: Site, campaigns: Sequence[Told], dice: random.Random, victims: Sequence[str]) -> None:
    """One round a victim: waits for some answers, kills, looks at what is left when the server has been restarted.

    A server that was spared must go on by itself first.
    """
    keyed = campaigns[0]
    for victim in victims:
        await keyed.reached(len(keyed.imports) + dice.randint(1, 40))
        await strike(site, victim)
        if site.up.is_set():
            await keyed.reached(len(keyed.imports) + CLIENTS + dice.randint(1, 20))
            await site.kill_server()
        await site.start()
        await compare(site, campaigns)


async def compare(site: Site, campaigns: Sequence[Told]) -> None:
    """All that was told until now is stored, and no more imports are than requests."""
    told = [(one.campaign, dict(one.leads), dict(one.imports)) for one in campaigns]
    stored = await site.look()
    for campaign, leads, imports in told:
        assert leads.items() <= stored.leads[campaign].items()
        assert imports.items() <= stored.imports[campaign].items()
    for one in campaigns:
        assert len(stored.imports[one.campaign]) <= one.asked


async def compare_at_rest(site: Site, caller: Caller, campaigns: Sequence[Told], happened: Sequence[str]) -> None:
    """With every request over: a request with a key did exactly what its answer says; totals and feed agree."""
    stored = await site.look()
    listed = (await caller.get("/v1/campaigns?limit=100"))["campaigns"]
    shown = {one["id"]: one["totalLeads"] for one in listed}
    for told in campaigns:
        assert shown[told.campaign] == len(stored.leads[told.campaign])
        if told.keyed:
            assert stored.imports[told.campaign] == told.imports
            assert stored.leads[told.campaign] == told.leads
            assert len(told.imports) == told.asked
    assert await feed(caller, campaigns[0].campaign, len(happened)) == happened


async def feed(caller: Caller, campaign: str, length: int) -> list[str]:
    """The types of a campaign's events, once there are as many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen: list[str] = []
            page = {"hasMore": True, "nextCursor": ""}
            while page["hasMore"]:
                page = await caller.get(f"/v1/events?after={page['nextCursor']}")
                seen += [e["eventType"] for e in page["events"] if e["data"]["campaignId"] == campaign]
            if len(seen) >= length:
                return seen


async def survive(site: Site, make_caller: Callable[[], Caller], dice: random.Random, victims: Sequence[str]) -> None:
    caller = make_caller()
    sender = (await caller.insist("POST", "/v1/senders", json=sender_body())).json()["id"]
    ready = {"sequence": SLEEPING, "senderIds": [sender]}
    ids = [(await caller.insist("POST", "/v1/campaigns", json={"name": name, **ready})).json()["id"] for name in "AB"]
    await caller.insist("PATCH", f"/v1/campaigns/{ids[0]}", json={"action": "start"})
    campaigns = [Told(ids[0], keyed=True), Told(ids[1], keyed=False)]
    happened = ["campaign.started"]
    over = asyncio.Event()
    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            told = campaigns[number % 4 == 3]
            clients.create_task(keep_adding(make_caller(), told, random.Random(dice.random()), over))
        clients.create_task(keep_pausing(make_caller(), ids[0], happened, over))
        await storm(site, campaigns, dice, victims)
        over.set()
    await compare(site, campaigns)
    await compare_at_rest(site, caller, campaigns, happened)
    assert '"level":"error"' not in site.log.read_text()


async def test_kills_under_load_lose_and_double_nothing(site, make_caller):
    await survive(site, make_caller, random.Random(0), ["server and postmaster", "guardian and server"])


async def add_the_same(caller: Caller, told: Told, number: int) -> None:
    """All hundred in an order of its own, with a key, until it is answered."""
    told.asked += 1
    people = random.Random(number).sample(range(100), 100)
    rows = [{"linkedinUrl": SPELLINGS[number % len(SPELLINGS)].format(person)} for person in people]
    body = json.dumps({"campaignId": told.campaign, "leads": rows}).encode()
    key = f"client {number}" if told.keyed else None
    answer = await caller.insist("POST", "/v1/leads?report=full", content=body, key=key)
    await told.note(len(rows), answer.json())


@pytest.mark.parametrize("keyed", [True, False], ids=["with keys", "without"])
async def test_32_clients_add_the_same_100_leads_while_the_database_is_killed(site, make_caller, keyed):
    """With keys the answers add up to a hundred added; without, an answer that got lost took its share along."""
    caller = make_caller()
    campaign = (await caller.insist("POST", "/v1/campaigns", json={"name": "The same"})).json()["id"]
    told = Told(campaign, keyed)
    async with asyncio.TaskGroup() as clients:
        for number in range(32):
            clients.create_task(add_the_same(make_caller(), told, number))
        await told.reached(random.Random(keyed).randrange(4))
        await strike(site, "postmaster")
    stored = await site.look()
    assert len(stored.leads[campaign]) == 100
    assert len(told.imports) == 32
    assert told.imports.items() <= stored.imports[campaign].items()
    assert told.leads.items() <= stored.leads[campaign].items()
    unheard = stored.imports[campaign].keys() - told.imports.keys()
    assert len(told.leads) + sum(stored.imports[campaign][one][1] for one in unheard) == 100
    if keyed:
        assert not unheard
    assert (await caller.get(f"/v1/campaigns/{campaign}"))["totalLeads"] == 100


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_many_kills_under_load_lose_and_double_nothing(site, make_caller, seed):
    dice = random.Random(seed)
    await survive(site, make_caller, dice, [*VICTIMS, *dice.choices(VICTIMS, k=15)])
