"""A deed that can be done at once begins in its plan's transaction, whose commit comes before the channel is asked."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.engine.conftest import World, step, url

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Action
from leadwright.channels.channel import Channel, Deed, Done, Outcome
from leadwright.engine.performing import LEASE, perform
from leadwright.engine.sequence import StepType
from leadwright.engine.worker import Engine
from leadwright.senders.limits import Limits
from leadwright.senders.model import Sender

INVITE = [step("connect")]
ACTIONS = "SELECT id, state::text, attempt, token FROM action ORDER BY id"


@dataclass
class Witness:
    """A channel that reads what is committed about the deed it is asked for."""

    world: World
    performs: frozenset[StepType] = frozenset(StepType)
    seen: Any = None

    def of(self, sender: Sender) -> Channel:
        del sender
        return self

    async def perform(self, deed: Deed) -> Outcome:
        self.seen = await self.world.rows("SELECT id, state::text, lease_until FROM action WHERE id = %s", deed.id)
        return Done()

    async def reconcile(self, deed: Deed) -> Outcome:
        raise AssertionError(deed)


async def test_the_intent_is_committed_before_the_channel_is_asked(world: World) -> None:
    (lead,) = await world.add(await world.campaign(INVITE), "ada")
    witness = Witness(world)
    assert await Engine(world.database, world.secrets, witness).advance(world.now)
    ((action_id, _, _, _),) = await world.rows(ACTIONS)
    assert witness.seen == [(action_id, "performing", world.now + LEASE)]
    assert await world.rows("SELECT state::text, attempt FROM action") == [("done", 1)]
    assert await world.statuses(lead) == ["DONE"]


async def test_no_more_begin_than_there_is_room_for(world: World) -> None:
    await world.add(await world.campaign(INVITE), "ada", "bob", "eve")
    first = await world.engine.planner.plan(world.now, 2)
    second = await world.engine.planner.plan(world.now, 2)
    assert (len(first.begun), len(second.begun)) == (2, 1)
    assert {begun.deed.attempt for begun in first.begun} == {1}
    assert len({begun.action.lead_id for begun in (*first.begun, *second.begun)}) == 3
    assert not (await world.engine.planner.plan(world.now, 2)).found


async def test_a_gap_is_kept_by_who_begins_the_deed_later(world: World) -> None:
    sender = await world.sender(limits=Limits({}, {}, timedelta(minutes=5)))
    await world.add(await world.campaign(INVITE, senders=[sender]), "ada")
    found, begun = await world.engine.planner.plan(world.now, 9)
    assert found
    assert not begun
    assert [row[1:] for row in await world.rows(ACTIONS)] == [("planned", 0, 0)]
    await world.perform()
    assert world.recorder.kinds() == ["connect"]


async def test_what_a_lost_worker_began_with_its_plan_is_asked_about_and_not_done_again(world: World) -> None:
    await world.add(await world.campaign(INVITE), "ada")
    _, (lost,) = await world.engine.planner.plan(world.now, 9)
    world.recorder.truth = Done()
    await world.run(hours=1)
    assert [deed.id for deed in world.recorder.asked] == [lost.deed.id]
    assert world.recorder.deeds == []
    await world.engine.settler.settle([await perform(world.recorder, lost)], world.now)
    assert [row[:2] for row in await world.rows(ACTIONS)] == [(lost.action.id, "done")]
    assert (await world.totals(lost.action.campaign_id or "")).connections_sent == 1


async def test_a_plan_that_was_taken_back_begins_under_its_old_id(world: World) -> None:
    campaign = await world.campaign(INVITE)
    await world.add(campaign, "ada")
    await world.plan()
    ((planned, *_),) = await world.rows(ACTIONS)
    await world.act(campaign, "pause")
    await world.perform()
    await world.act(campaign, "resume")
    _, (begun,) = await world.engine.planner.plan(world.now, 9)
    assert (begun.deed.id, begun.deed.linkedin_url) == (planned, url("ada"))
    assert await world.rows(ACTIONS) == [(planned, "performing", 1, begun.token)]


async def test_a_campaign_that_is_being_changed_is_passed_over(world: World) -> None:
    campaign = await world.campaign(INVITE)
    await world.add(campaign, "ada")
    async with world.database.transaction() as connection:
        await campaigns.act(connection, world.workspace_id, campaign, Action.PAUSE, world.now)
        assert not (await world.engine.planner.plan(world.now, 9)).found
    assert not (await world.engine.planner.plan(world.now, 9)).found
    await world.act(campaign, "resume")
    assert len((await world.engine.planner.plan(world.now, 9)).begun) == 1
