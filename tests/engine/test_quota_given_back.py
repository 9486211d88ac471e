"""Quota that a deed took and did not use is there for the next lead at once, whatever took the deed away."""

from datetime import timedelta

import pytest
from tests.engine.conftest import World, step, url

from leadwright.channels.channel import Done, Later, Outcome, Permanent
from leadwright.leads import service as leads
from leadwright.senders.limits import Limits, QuotaKind

CAPPED = Limits({QuotaKind.CONNECTIONS: 5}, {}, timedelta())


async def used(world: World) -> int:
    rows = await world.rows(
        "SELECT coalesce(sum(used), 0)::int FROM sender_quota WHERE period = 'day' AND kind = 'connections'"
    )
    return rows[0][0]


async def with_an_open_task(world: World) -> tuple[str, str]:
    campaign = await world.campaign([step("connect")], senders=[await world.sender(limits=CAPPED)])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("person")]
    await world.run()
    assert await used(world) == 1
    return campaign, lead


async def test_a_lead_that_is_purged_while_a_person_has_its_task(world: World) -> None:
    _, lead = await with_an_open_task(world)
    async with world.database.transaction() as connection:
        await leads.remove(connection, world.workspace_id, lead, purge=True, now=world.now)
    assert (await used(world), await world.rows("SELECT 1 FROM action")) == (0, [])


async def test_a_campaign_that_is_deleted_while_a_person_has_a_task(world: World) -> None:
    campaign, _ = await with_an_open_task(world)
    await world.delete(campaign)
    assert (await used(world), await world.rows("SELECT 1 FROM action")) == (0, [])


@pytest.mark.parametrize("outcome", [Done(found="already_connected"), Permanent("profile_unreachable")])
@pytest.mark.parametrize("own_lane", [False, True])
async def test_the_next_leads_go_on_with_what_others_gave_back(world: World, outcome: Outcome, own_lane: bool) -> None:
    """Whether they wait to be given a sender, or for the sender that they have."""
    limits = Limits({QuotaKind.CONNECTIONS: 2}, {}, timedelta())
    steps = [step("visit_profile"), step("connect")] if own_lane else [step("connect")]
    campaign = await world.campaign(steps, senders=[await world.sender(limits=limits)])
    names = [f"person-{n}" for n in range(6)]
    for name in names[:4]:
        world.recorder.answers[url(name)] = [Done(), outcome] if own_lane else [outcome]
    await world.add(campaign, *names)
    await world.run()
    assert (world.recorder.kinds().count("connect"), await used(world)) == (6, 2)
