"""A sender invites a person once, whichever leads of the person want it at the same time."""

import asyncio

import pytest
from tests.engine.conftest import World, identity, step, url

from leadwright.channels.channel import Later, Outcome, Permanent, Temporary, Unknown
from leadwright.engine import one_off
from leadwright.engine.one_off import Told, Wanted
from leadwright.engine.sequence import StepType
from leadwright.engine.worker import Engine

JANE = url("jane")
STEPS = [step("connect"), step("visit_profile", after={"days": 30})]


async def two_leads(world: World) -> tuple[str, str]:
    """Of one person, in two started campaigns of one sender."""
    sender = await world.sender()
    campaigns = [await world.campaign(STEPS, senders=[sender]) for _ in range(2)]
    first, second = [(await world.add(campaign, "jane"))[0] for campaign in campaigns]
    return first, second


async def test_two_campaigns_at_once_invite_once(world: World) -> None:
    leads = await two_leads(world)
    await world.run(hours=1)
    assert world.recorder.kinds(JANE) == ["connect"]
    assert sorted(await world.statuses(*leads)) == ["CONNECTION_ALREADY_SENT", "CONNECTION_SENT"]


async def test_two_workers_at_once_invite_once(world: World) -> None:
    """Their transactions overlap: the second decides when the first has committed."""
    await two_leads(world)
    engines = [Engine(world.database, world.secrets, world.recorder) for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(engine.plan(world.now) for engine in engines))
    found = await world.rows("SELECT count(*) FROM action WHERE kind = 'connect'")
    assert found == [(1,)]


@pytest.mark.parametrize("open_as", [Later("person"), Later("channel"), Unknown("lost")], ids=["task", "later", "lost"])
async def test_an_open_invitation_holds_the_other_lead(world: World, open_as: Outcome) -> None:
    leads = await two_leads(world)
    world.recorder.answers[JANE] = [open_as]
    world.recorder.truth = Unknown("lost")
    await world.run(days=1)
    assert world.recorder.kinds(JANE) == ["connect"]
    assert await world.statuses(*leads) == ["PENDING", "PENDING"]
    assert ("other_conversation",) in await world.rows("SELECT hold_rule FROM enrolment")


async def test_what_did_not_happen_leaves_the_invitation_to_the_other_lead(world: World) -> None:
    """When the channel is asked about the first, it says that it refused."""
    leads = await two_leads(world)
    world.recorder.answers[JANE] = [Unknown("lost")]
    world.recorder.truth = Permanent("refused", "no")
    await world.run(hours=1)
    assert sorted(await world.statuses(*leads)) == ["CONNECTION_SENT", "FAILED"]


async def test_a_passing_fault_invites_once_all_the_same(world: World) -> None:
    await two_leads(world)
    world.recorder.answers[JANE] = [Temporary("busy")]
    await world.run(days=1)
    done = await world.rows("SELECT count(*) FROM action WHERE kind = 'connect' AND state = 'done'")
    assert (world.recorder.kinds(JANE), done) == (["connect", "connect"], [(1,)])


async def test_another_sender_may_invite_the_same_person(world: World) -> None:
    leads = [(await world.add(await world.campaign(STEPS), "jane"))[0] for _ in range(2)]
    await world.run()
    assert await world.statuses(*leads) == ["CONNECTION_SENT", "CONNECTION_SENT"]


async def test_a_caller_is_told_of_the_campaigns_invitation(world: World) -> None:
    sender = await world.sender()
    world.recorder.answers[JANE] = [Later("person")]
    await world.add(await world.campaign(STEPS, senders=[sender]), "jane")
    await world.run()
    wanted = Wanted(StepType.CONNECT, None, sender, identity("jane"), JANE)
    async with world.database.transaction() as connection:
        told = await one_off.begin(connection, world.secrets, world.workspace_id, wanted, world.now)
    assert isinstance(told, Told)
    assert (told.state, told.is_step) == ("performing", True)
    assert await world.rows("SELECT count(*) FROM action WHERE kind = 'connect'") == [(1,)]
