"""Leads walk through their sequence, deed by deed, as it says."""

from tests.engine.conftest import World, step


async def test_a_lead_walks_the_whole_way(world: World) -> None:
    campaign = await world.campaign([step("visit_profile"), step("connect", after={"hours": 2})])
    (lead,) = await world.add(campaign, "ada")
    await world.run()
    assert await world.statuses(lead) == ["PROFILE_VIEWED"]
    assert world.recorder.kinds() == ["visit_profile"]
    await world.run(hours=1.9)
    assert world.recorder.kinds() == ["visit_profile"]
    await world.run(hours=0.2)
    assert world.recorder.kinds() == ["visit_profile", "connect"]
    assert await world.statuses(lead) == ["DONE"]
    assert (await world.totals(campaign)).active == 0
