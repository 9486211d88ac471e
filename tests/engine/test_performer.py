"""The performer of a process: outcomes are written down whenever they come, and it stops in good order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.engine.conftest import Recorder, World, step

from leadwright.channels.channel import Deed, Done, Outcome
from leadwright.engine.performer import Performer
from leadwright.engine.performing import DEED_SECONDS, LEASE
from leadwright.engine.slots import SLOW_FOR_EACH_SLOT

NEVER = 3600.0


@dataclass
class Slow(Recorder):
    """Does nothing before it is let."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, deed: Deed) -> Outcome:
        self.deeds.append(deed)
        self.started.set()
        await self.let.wait()
        return Done()


def performing(
    channel: Recorder,
    world: World,
    *,
    slots: int,
    settled: Callable[[], None] = lambda: None,
    slow_after: float = NEVER,
) -> Performer:
    """A performer that has started."""
    engine = world.engine
    performer = Performer(
        engine.beginner,
        engine.settler,
        channel,
        lambda: world.now,
        slots=slots,
        settled=settled,
        slow_after=slow_after,
    )
    performer.start()
    return performer


async def test_a_stop_ends_what_is_under_way_and_gives_back_the_rest(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})])
    leads = await world.add(campaign, "ada", "bob")
    await world.plan()
    slow = Slow()
    performer = performing(slow, world, slots=1)
    await slow.started.wait()
    stopping = asyncio.create_task(performer.stop())
    await asyncio.sleep(0)
    slow.let.set()
    await stopping
    assert len(slow.deeds) == 1
    assert sorted(await world.statuses(*leads)) == ["CONNECTION_SENT", "PENDING"]
    assert await world.rows("SELECT count(*)::int FROM action WHERE state IN ('performing', 'uncertain')") == [(0,)]
    await world.run()
    assert world.recorder.kinds() == ["connect"]
    assert await world.statuses(*leads) == ["CONNECTION_SENT", "CONNECTION_SENT"]


async def test_a_deed_that_waited_for_most_of_its_lease_is_given_back(world: World) -> None:
    """A process that slept, or whose channel was slow: by then somebody else may have done it."""
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})])
    leads = await world.add(campaign, "ada", "bob")
    await world.plan()
    slow, wrote = Slow(), asyncio.Event()
    performer = performing(slow, world, slots=1, settled=wrote.set)
    async with asyncio.timeout(20):
        await slow.started.wait()
        world.now += LEASE - timedelta(seconds=DEED_SECONDS - 1)
        slow.let.set()
        while await world.rows("SELECT 1 FROM action WHERE state = 'performing'"):
            await wrote.wait()
            wrote.clear()
    assert len(slow.deeds) == 1
    await performer.stop()
    await world.run()
    assert world.recorder.kinds() == ["connect"]
    assert await world.statuses(*leads) == ["CONNECTION_SENT", "CONNECTION_SENT"]


@dataclass
class OneSlow(Recorder):
    """Does the first deed at once, and the others when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, deed: Deed) -> Outcome:
        self.deeds.append(deed)
        if len(self.deeds) > 1:
            await self.let.wait()
        return Done()


async def test_an_outcome_that_comes_after_others_were_written_down_is_not_lost(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})])
    leads = await world.add(campaign, "ada", "bob")
    await world.plan()
    channel, wrote = OneSlow(), asyncio.Event()
    performer = performing(channel, world, slots=2, settled=wrote.set)
    async with asyncio.timeout(20):
        await wrote.wait()
        wrote.clear()
        assert sorted(await world.statuses(*leads)) == ["CONNECTION_SENT", "PENDING"]
        channel.let.set()
        await wrote.wait()
    await performer.stop()
    assert await world.statuses(*leads) == ["CONNECTION_SENT", "CONNECTION_SENT"]


async def test_a_channel_that_never_answers_holds_up_nobody_else(world: World) -> None:
    names = [f"p{n}" for n in range(12)]
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, *names)
    await world.plan()
    slow = Slow()
    performer = performing(slow, world, slots=1, slow_after=0)
    async with asyncio.timeout(20):
        while len(slow.deeds) < 1 + SLOW_FOR_EACH_SLOT:
            slow.started.clear()
            await slow.started.wait()
    slow.let.set()
    await performer.stop()
