"""Leads walk through their sequence, deed by deed, as it says."""

from tests.engine.conftest import World, step

from leadwright.events.model import EventType
from leadwright.senders.model import ChannelName


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


async def test_a_campaign_on_the_simulated_network_runs_to_its_end(world: World) -> None:
    """Everyone accepts after an hour; half of the people answer the first message two hours later."""
    world.simulate()
    config = {"seed": 7, "acceptRate": 1, "acceptAfter": {"hours": 1}, "replyRate": 0.5, "replyAfter": {"hours": 2}}
    sender = await world.sender(channel=ChannelName.SIMULATOR, config=config)
    steps = [
        step("visit_profile"),
        step("connect", after={"hours": 2}),
        step("message", id="first", after={"days": 1}, text="Hi {{firstName}}"),
        step("message", id="second", after={"days": 3}, text="Still there?"),
    ]
    campaign = await world.campaign(steps, senders=[sender])
    leads = await world.add(campaign, *(f"p{n}" for n in range(30)))
    await world.run(days=10)
    await world.engine.finish_campaigns(world.now)
    statuses = await world.statuses(*leads)
    assert set(statuses) == {"DONE", "REPLY_RECEIVED"}
    replied = statuses.count("REPLY_RECEIVED")
    assert 5 < replied < 30
    totals = await world.totals(campaign)
    assert (totals.active, totals.leads_contacted, totals.connections_sent) == (0, 30, 30)
    assert (totals.connections_accepted, totals.replies_received) == (30, replied)
    assert totals.messages_sent == len(await world.events(EventType.MESSAGE_SENT))
    assert len(await world.events(EventType.REPLY_RECEIVED)) == replied
    assert len(await world.events(EventType.CAMPAIGN_FINISHED)) == 1
    (simulated,) = await world.rows(
        "SELECT bool_and(simulated) FROM event WHERE workspace_id = %s AND lead_id IS NOT NULL", world.workspace_id
    )
    assert simulated == (True,)
