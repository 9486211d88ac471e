"""The performer of a process stops in good order: what has not started is given back, what is under way ends."""

import asyncio
from dataclasses import dataclass, field

from tests.engine.conftest import Recorder, World, step

from leadwright.channels.channel import Deed, Done, Outcome
from leadwright.engine.performer import Performer


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


async def test_a_stop_ends_what_is_under_way_and_gives_back_the_rest(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})])
    leads = await world.add(campaign, "ada", "bob")
    await world.plan()
    slow = Slow()
    performer = Performer(
        world.engine.beginner, world.engine.settler, slow, lambda: world.now, slots=1, settled=lambda: None
    )
    performer.start()
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
