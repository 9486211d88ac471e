"""Receivers that are away for simulated hours: the deliverer on a clock of the test's own."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.crypto import SecretBox
from leadwright.events import publisher
from leadwright.events import service as events
from leadwright.events.model import EventType
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database
from leadwright.telemetry.metrics import WEBHOOKS_PAUSED
from leadwright.webhooks import delivery_store, service
from leadwright.webhooks.announce import announce
from leadwright.webhooks.deliverer import Deliverer
from leadwright.webhooks.model import Settings, Webhook

SCHEDULE = (5, 30, 120, 900, 3600)
ALLOWED = AllowedHosts.parse(["127.0.0.1"])
ENDPOINTS = service.Endpoints(SecretBox("a key for tests only"), ALLOWED)


@dataclass
class World:
    """A clock that the test moves, and the deliverer that goes by it."""

    database: Database
    workspace_id: str
    now: datetime
    client: OutboundClient

    def __post_init__(self) -> None:
        self.deliverer = self.make_deliverer()

    def make_deliverer(self, schedule: Sequence[float] = SCHEDULE) -> Deliverer:
        return Deliverer(self.database, self.client, ENDPOINTS.secrets, lambda: self.now, schedule=schedule, seconds=5)

    async def subscribe(self, url: str) -> Webhook:
        async with self.database.transaction() as connection:
            settings = Settings("test", url)
            return (await service.create(connection, self.workspace_id, ENDPOINTS, settings, self.now))[0]

    async def tell(self, lead: str, status: str) -> None:
        data = {
            "leadId": lead, "campaignId": None, "linkedinUrl": "in/jane", "previousStatus": "PENDING",
            "newStatus": status, "customLeadStatus": None,
        }  # fmt: skip
        async with self.database.transaction() as connection:
            await events.record(
                connection, self.workspace_id, type=EventType.LEAD_UPDATED, data=data, now=self.now, lead_id=lead
            )
        await publisher.publish(self.database, announce=lambda c, placed: announce(c, placed, self.now))

    async def work(self) -> None:
        """All that is due now."""
        while await self.deliverer.step():
            await self.deliverer.settle()

    async def pass_time(self, by: timedelta, step: timedelta) -> None:
        until = self.now + by
        while self.now < until:
            self.now += step
            await self.work()

    async def read(self, webhook: Webhook) -> Webhook:
        async with self.database.session() as connection:
            return await service.read(connection, self.workspace_id, ENDPOINTS, webhook.id)

    async def log(self, webhook: Webhook) -> list[Any]:
        async with self.database.session() as connection:
            return await service.deliveries(
                connection, self.workspace_id, webhook.id, status=None, before=None, limit=1000
            )


@pytest.fixture
async def world(database: Database, workspace: Workspace) -> AsyncIterator[World]:
    async with OutboundClient(ALLOWED, total=5) as client:
        made = World(database, workspace.id, datetime(2026, 3, 1, tzinfo=UTC), client)
        yield made
        async with database.transaction() as connection:
            for webhook in await service.list_webhooks(connection, workspace.id, ENDPOINTS):
                await service.delete(connection, workspace.id, webhook.id)


def by_lead(got: list[Any]) -> dict[str, list[str]]:
    """What was accepted of each lead, in order; what came twice counts once."""
    found: dict[str, list[str]] = defaultdict(list)
    seen = set[str]()
    for each in got:
        if each.event["eventId"] not in seen:
            seen.add(each.event["eventId"])
            found[each.event["data"]["leadId"]].append(each.event["data"]["newStatus"])
    return found


async def test_an_outage_of_a_day_loses_nothing_and_keeps_the_order(world, make_receiver):
    away, well = await make_receiver(), await make_receiver()
    away.answers = [503]
    down, up = await world.subscribe(away.url), await world.subscribe(well.url)
    leads = [ids.new_id() for _ in range(5)]
    told: dict[str, list[str]] = {lead: [] for lead in leads}
    for hour in range(24):
        for lead in leads:
            told[lead].append(f"STATUS_{hour}")
            await world.tell(lead, f"STATUS_{hour}")
        await world.pass_time(timedelta(hours=1), timedelta(minutes=20))
    assert by_lead(well.got) == told, "the other one was not delayed"
    assert (await world.read(down)).status == "paused"
    assert (await world.read(down)).pause_reason == "status_5xx"
    log = await world.log(down)
    assert {each.status for each in log} == {"pending"}
    assert len(log) == 24 * 5
    tried = len(away.got)
    assert tried < 100, "a paused endpoint is probed, not besieged"
    bodies = {each.event["eventId"]: each.body for each in away.got}
    away.answers = [200]
    await world.pass_time(timedelta(hours=2), timedelta(minutes=20))
    assert by_lead(away.got[tried:]) == told
    assert all(each.body == bodies.get(each.event["eventId"], each.body) for each in away.got)
    assert {each.status for each in await world.log(down)} == {"delivered"}
    assert (await world.read(down)).status == (await world.read(up)).status == "active"


async def test_a_person_resumes_a_pause_at_once(world, receiver):
    """Also what was tried less often until then, and would have waited longer."""
    receiver.answers = [500]
    webhook = await world.subscribe(receiver.url)
    await world.tell(ids.new_id(), "DONE")
    await world.pass_time(timedelta(minutes=60), timedelta(minutes=10))
    await world.tell(ids.new_id(), "DONE")
    while (await world.read(webhook)).status == "active":
        await world.pass_time(timedelta(minutes=1), timedelta(minutes=1))
    younger, _ = await world.log(webhook)
    assert len(younger.attempts) > 1
    receiver.answers = [200]
    async with world.database.transaction() as connection:
        await service.enable(connection, world.workspace_id, ENDPOINTS, webhook.id, world.now)
    await world.work()
    assert [each.status for each in await world.log(webhook)] == ["delivered"] * 2


async def test_one_event_that_is_refused_does_not_keep_a_paused_endpoint_paused(world, receiver):
    """The probes take turns over what waits: the endpoint may be well and only dislike what is first."""
    poison = ids.new_id()

    async def dislike(request: Any) -> Any:
        bad = poison in json.dumps(await request.json())
        return web.Response(status=500 if bad else 200)

    receiver.answers = [dislike]
    webhook = await world.subscribe(receiver.url)
    await world.tell(poison, "DONE")
    await world.pass_time(timedelta(hours=3), timedelta(minutes=10))
    assert (await world.read(webhook)).status == "paused"
    for _ in range(3):
        await world.tell(ids.new_id(), "DONE")
    hours = 0
    while (await world.read(webhook)).status == "paused":
        hours += 1
        await world.pass_time(timedelta(hours=1), timedelta(minutes=10))
    assert hours <= 3
    assert sorted(each.status for each in await world.log(webhook)) == ["delivered"] * 3 + ["pending"]
    await world.tell(ids.new_id(), "DONE")
    await world.pass_time(timedelta(hours=2), timedelta(minutes=10))
    assert (await world.read(webhook)).status == "active"
    assert sorted(each.status for each in await world.log(webhook)) == ["delivered"] * 4 + ["failed"]


async def test_the_log_of_a_long_outage_keeps_the_last_attempts(world, receiver):
    receiver.answers = [500]
    webhook = await world.subscribe(receiver.url)
    await world.tell(ids.new_id(), "DONE")
    await world.pass_time(timedelta(hours=3), timedelta(minutes=10))
    for _ in range(110):
        await world.pass_time(timedelta(hours=2), timedelta(hours=2))
    (delivery,) = await world.log(webhook)
    assert len(delivery.attempts) == 100
    assert delivery.attempts[-1]["at"] > delivery.attempts[0]["at"]
    assert len(receiver.got) > 110


async def test_what_an_endpoint_is_told_does_not_change_while_it_waits(world, receiver):
    receiver.answers = [500]
    webhook = await world.subscribe(receiver.url)
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    async with world.database.transaction() as connection:
        await service.edit(
            connection, world.workspace_id, ENDPOINTS, webhook.id, lambda s: _renamed(s, "legacy"), world.now
        )
    receiver.answers = [200]
    await world.pass_time(timedelta(minutes=1), timedelta(seconds=10))
    first, second = receiver.got
    assert first.body == second.body
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    assert receiver.got[-1].event["eventType"] == "lead.status.changed"


def _renamed(settings: Settings, names: Any) -> Settings:
    return replace(settings, event_names=names)


async def test_a_retry_after_is_honoured(world, receiver):
    async def later(request: Any) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "600"})

    receiver.answers = [later, 200]
    await world.subscribe(receiver.url)
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    await world.pass_time(timedelta(seconds=590), timedelta(seconds=59))
    assert len(receiver.got) == 1
    await world.pass_time(timedelta(seconds=20), timedelta(seconds=10))
    assert len(receiver.got) == 2


async def test_what_fails_beside_what_is_accepted_pauses_nothing_and_a_pause_is_told_once(world, receiver):
    """Two deliveries are written down in one go: first both fail for the last time, then one is accepted."""
    receiver.answers = [500]
    webhook = await world.subscribe(receiver.url)
    world.deliverer = world.make_deliverer(schedule=(5,))
    leads = [ids.new_id(), ids.new_id()]
    for lead in leads:
        await world.tell(lead, "DONE")
    before = WEBHOOKS_PAUSED._value.get()
    await world.work()
    await world.pass_time(timedelta(seconds=6), timedelta(seconds=6))
    assert (await world.read(webhook)).status == "paused"
    assert WEBHOOKS_PAUSED._value.get() == before + 1

    async def dislike(request: Any) -> Any:
        return web.Response(status=500 if leads[0] in json.dumps(await request.json()) else 200)

    async with world.database.transaction() as connection:
        await service.enable(connection, world.workspace_id, ENDPOINTS, webhook.id, world.now)
    receiver.answers = [dislike]
    assert await world.deliverer.step()
    async with world.database.transaction() as connection:
        await delivery_store.pause(connection, webhook.id, world.now, world.now + timedelta(hours=1), "by the other")
    await world.deliverer.settle()
    assert (await world.read(webhook)).status == "active"


async def test_a_paused_endpoint_is_not_probed_before_it_wants_to_be(world, receiver):
    async def later(request: Any) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "1800"})

    receiver.answers = [later]
    webhook = await world.subscribe(receiver.url)
    world.deliverer = world.make_deliverer(schedule=(5,))
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    await world.pass_time(timedelta(minutes=31), timedelta(minutes=31))
    assert (await world.read(webhook)).status == "paused"
    assert (await world.read(webhook)).probe_at == world.now + timedelta(minutes=30)


async def test_the_old_secret_works_for_a_day(world, receiver):
    webhook = await world.subscribe(receiver.url)
    async with world.database.transaction() as connection:
        await service.rotate_secret(connection, world.workspace_id, ENDPOINTS, webhook.id, world.now)
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    world.now += timedelta(hours=23, minutes=59)
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    world.now += timedelta(minutes=1)
    await world.tell(ids.new_id(), "DONE")
    await world.work()
    signatures = [each.headers["svix-signature"].split() for each in receiver.got]
    assert [len(each) for each in signatures] == [2, 2, 1]


async def test_many_that_hang_leave_room_for_the_others(world, make_receiver):
    """More than one process posts at a time, in all: sixty endpoints that hang, each with more to get than slots."""
    hanging, well = await make_receiver(), await make_receiver()
    release = asyncio.Event()

    async def hang(request: Any) -> web.Response:
        await release.wait()
        return web.Response()

    hanging.answers = [hang]
    for _ in range(60):
        await world.subscribe(hanging.url)
    await world.subscribe(well.url)
    for _ in range(12):
        await world.tell(ids.new_id(), "DONE")
    async with OutboundClient(ALLOWED, total=120) as patient:
        deliverer = Deliverer(
            world.database, patient, ENDPOINTS.secrets, lambda: world.now, schedule=SCHEDULE, seconds=120
        )
        deliverer.start()
        await well.wait_for(12)
        assert len(hanging.got) <= 600
        release.set()
        await hanging.wait_for(720)
        await deliverer.stop()


async def test_a_deliverer_that_is_late_writes_nothing_over_its_successors(world, make_receiver):
    """The first one's post hangs until its lease has passed on: what it finds out then counts no more."""
    slow = await make_receiver()
    release = asyncio.Event()

    async def hang(request: Any) -> Any:
        await release.wait()
        return web.Response(status=500)

    slow.answers = [hang, 200]
    webhook = await world.subscribe(slow.url)
    await world.tell(ids.new_id(), "DONE")
    await world.deliverer.step()
    await slow.wait_for(1)
    late, world.deliverer = world.deliverer, world.make_deliverer()
    world.now += timedelta(minutes=5)
    await world.work()
    assert [each.status for each in await world.log(webhook)] == ["delivered"]
    release.set()
    await late.settle()
    (delivery,) = await world.log(webhook)
    assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)


async def test_a_late_outcome_is_not_taken_for_one_of_a_stream_that_has_come_again(world, make_receiver):
    """The stream's row went when the successor had delivered all; the next event made another of the same name."""
    slow = await make_receiver()
    releases = [asyncio.Event(), asyncio.Event()]

    def hang(release: asyncio.Event, status: int) -> Any:
        async def answer(request: Any) -> Any:
            await release.wait()
            return web.Response(status=status)

        return answer

    slow.answers = [hang(releases[0], 500), 200, hang(releases[1], 200)]
    webhook, lead = await world.subscribe(slow.url), ids.new_id()
    await world.tell(lead, "FIRST")
    await world.deliverer.step()
    await slow.wait_for(1)
    late, world.deliverer = world.deliverer, world.make_deliverer()
    world.now += timedelta(minutes=5)
    await world.work()
    await world.tell(lead, "SECOND")
    await world.deliverer.step()
    await slow.wait_for(3)
    releases[0].set()
    await late.settle()
    second, first = await world.log(webhook)
    assert (first.status, second.status) == ("delivered", "pending")
    releases[1].set()
    await world.deliverer.settle()
    assert [each.status for each in await world.log(webhook)] == ["delivered", "delivered"]
    assert [each.event["data"]["newStatus"] for each in slow.got] == ["FIRST", "FIRST", "SECOND"]


async def test_no_outcome_is_lost_while_others_are_written_down(world, receiver):
    """The clock stands still, so no lease ends: what was lost would stay pending, and what was sent stays sent."""
    webhook = await world.subscribe(receiver.url)
    for _ in range(300):
        await world.tell(ids.new_id(), "DONE")
    world.deliverer.start()
    await receiver.wait_for(300)
    await world.deliverer.stop()
    log = await world.log(webhook)
    assert [(each.status, len(each.attempts)) for each in log] == [("delivered", 1)] * 300
    assert len(receiver.got) == 300
