"""Stopping is exact: what is planned but not begun does not happen any more, whatever stops it."""

from datetime import timedelta

import pytest
from tests.engine.conftest import World, step, url

from leadwright.channels.channel import Later, RateLimited
from leadwright.engine.weeding import weed
from leadwright.events.model import EventType
from leadwright.leads import outcomes
from leadwright.leads import service as leads
from leadwright.leads.model import LeadStatus
from leadwright.leads.outcomes import Verdict
from leadwright.senders.limits import Limits, QuotaKind
from leadwright.suppression import service as suppression

ONE_CONNECT = [step("connect"), step("message")]


async def used(world: World) -> int:
    """All that senders have used on this day."""
    rows = await world.rows(
        "SELECT coalesce(sum(used), 0)::int FROM sender_quota WHERE workspace_id = %s AND period = 'day'",
        world.workspace_id,
    )
    return rows[0][0]


async def test_a_pause_between_plan_and_deed(world: World) -> None:
    campaign = await world.campaign(ONE_CONNECT)
    (lead,) = await world.add(campaign, "ada")
    await world.plan()
    assert await used(world) == 1
    await world.act(campaign, "pause")
    await world.run()
    assert world.recorder.deeds == []
    assert await used(world) == 0
    await world.act(campaign, "resume")
    await world.run()
    assert world.recorder.kinds() == ["connect"]
    assert await world.statuses(lead) == ["CONNECTION_SENT"]
    assert await used(world) == 1


async def test_a_reply_between_plan_and_deed(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign(ONE_CONNECT, senders=[sender])
    other = await world.campaign(ONE_CONNECT)
    (lead,) = await world.add(campaign, "ada")
    (elsewhere,) = await world.add(other, "ada")
    await world.engine.plan(world.now)
    received = await world.told(sender, "ada", "reply", text="No thanks")
    assert received.lead_id == lead
    await world.run(days=30)
    assert world.recorder.deeds == []
    assert await world.statuses(lead, elsewhere) == ["REPLY_RECEIVED", "STOPPED"]
    (reply,) = await world.events(EventType.REPLY_RECEIVED)
    assert reply[1]["reply"] == "No thanks"
    assert len(await world.events(EventType.LEAD_UPDATED)) == 2
    assert await used(world) == 0
    assert (await world.totals(campaign)).active == (await world.totals(other)).active == 0
    assert (await world.totals(campaign)).replies_received == 1


async def test_a_reply_stops_leads_that_nobody_has_begun_with(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign(ONE_CONNECT, senders=[sender], start=False)
    (lead,) = await world.add(campaign, "ada")
    await world.told(sender, "ada", "reply", text="Stop")
    await world.act(campaign, "start")
    await world.run(days=1)
    assert world.recorder.deeds == []
    assert await world.statuses(lead) == ["REPLY_RECEIVED"]


async def test_a_suppression_between_plan_and_deed(world: World) -> None:
    campaign = await world.campaign(ONE_CONNECT)
    by_person, by_domain = await world.add(campaign, "ada", "bob", email="someone@example.com", company="Acme")
    await world.plan()
    async with world.database.transaction() as connection:
        entries = [{"linkedinUrl": url("ada")}, {"emailDomain": "example.com"}]
        await suppression.add(connection, world.workspace_id, entries, reason=None, now=world.now)
    await world.run(days=1)
    assert world.recorder.deeds == []
    assert await world.statuses(by_person, by_domain) == ["SKIPPED", "SKIPPED"]
    assert await used(world) == 0
    assert (await world.totals(campaign)).active == 0


ENTRIES = [
    {"linkedinUrl": url("ada")},
    {"email": "Ada@Eu.Example.com"},
    {"emailDomain": "example.com"},
    {"company": "acme  ltd"},
]


async def waiting_lead(world: World, campaign: str, name: str = "ada") -> str:
    (lead,) = await world.add(campaign, name, email=f"{name}@eu.example.com", company=f"{name.title()[0]}cme Ltd")
    return lead


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: next(iter(entry)))
@pytest.mark.parametrize("waits_for", ["acceptance", "task", "delay", "cap"])
async def test_a_suppression_ends_all_waiting_at_once(world: World, entry: dict[str, str], waits_for: str) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.VISITS: 0}, {}, timedelta()))
    follows = {"acceptance": step("message"), "cap": step("visit_profile")}
    follow = follows.get(waits_for, step("follow", after={"days": 3}))
    campaign = await world.campaign([step("connect"), follow], senders=[sender])
    lead = await waiting_lead(world, campaign)
    other = await world.add(campaign, "bob", email="bob@example.org", company="Acme")
    if waits_for == "task":
        world.recorder.answers[url("ada")] = [Later("person")]
    await world.run()
    async with world.database.transaction() as connection:
        await suppression.add(connection, world.workspace_id, [entry], reason=None, now=world.now)
    await world.settle_down()
    assert await world.statuses(lead, *other) == ["SKIPPED", "CONNECTION_SENT"]
    open_tasks = await world.rows("SELECT count(*)::int FROM action WHERE state = 'performing'")
    assert open_tasks == [(0,)]
    assert (await world.totals(campaign)).active == 1


async def test_an_imported_list_ends_waiting_too(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("message")])
    by_person, by_domain = [await waiting_lead(world, campaign, name) for name in ("ada", "bob")]
    await world.run()
    file = f"linkedinUrl,email\n{url('ada')},\n,bob@eu.example.com\n".encode()
    rows = suppression.judged_file(file, "text/csv")
    async with world.database.transaction() as connection:
        await suppression.import_rows(connection, world.workspace_id, rows, world.now)
    await world.settle_down()
    assert await world.statuses(by_person, by_domain) == ["SKIPPED", "SKIPPED"]


async def test_leads_are_walked_through_some_at_a_time_and_once_more_for_later_entries(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("message")])
    leads = [await waiting_lead(world, campaign, name) for name in ("ada", "bob", "cid", "dan", "eve")]
    await world.run()

    async def suppress(name: str) -> None:
        async with world.database.transaction() as connection:
            entry = {"email": f"{name}@eu.example.com"}
            await suppression.add(connection, world.workspace_id, [entry], reason=None, now=world.now)

    await suppress("eve")
    assert await weed(world.database, world.now, leads=2)
    await suppress("ada")
    rounds = 0
    while await weed(world.database, world.now, leads=2):
        rounds += 1
    assert rounds == 2 + 3
    await world.settle_down()
    sent = "CONNECTION_SENT"
    assert await world.statuses(*leads) == ["SKIPPED", sent, sent, sent, "SKIPPED"]


async def test_people_stop_leads_whose_deed_is_planned(world: World) -> None:
    campaign = await world.campaign(ONE_CONNECT)
    judged, removed, purged = await world.add(campaign, "ada", "bob", "eve")
    await world.plan()
    assert await used(world) == 3
    async with world.database.transaction() as connection:
        verdict = Verdict(LeadStatus.MEETING_BOOKED, None)
        await outcomes.judge(connection, world.workspace_id, judged, verdict, world.now)
    for lead_id, purge in ((removed, False), (purged, True)):
        async with world.database.transaction() as connection:
            await leads.remove(connection, world.workspace_id, lead_id, purge=purge, now=world.now)
    assert await used(world) == 0
    await world.run(days=1)
    assert world.recorder.deeds == []
    assert await world.statuses(judged, removed) == ["MEETING_BOOKED", "STOPPED"]
    assert await world.rows("SELECT 1 FROM action WHERE lead_id = %s", purged) == []


async def test_an_edit_of_the_text_between_plan_and_deed(world: World) -> None:
    campaign = await world.campaign([step("connect", note="Old")])
    await world.add(campaign, "ada")
    await world.plan()
    await world.edit(campaign, sequence={"steps": [step("connect", note="New")]})
    await world.run()
    assert [deed.text for deed in world.recorder.deeds] == ["New"]


async def test_an_open_task_goes_with_its_lead(world: World) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.CONNECTIONS: 5}, {}, timedelta()))
    campaign = await world.campaign([step("connect")], senders=[sender])
    await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("person")]
    await world.run()
    assert await world.rows("SELECT state::text, awaiting FROM action") == [("performing", "person")]
    await world.told(sender, "ada", "reply", text="Hello")
    states = await world.rows("SELECT state::text FROM action WHERE workspace_id = %s", world.workspace_id)
    assert states == [("cancelled",)]
    assert await used(world) == 0


async def test_a_sender_that_rests_stops_what_is_planned_and_comes_back(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada", "bob")
    world.recorder.answers[url("ada")] = [RateLimited("enough", timedelta(hours=3))]
    world.recorder.answers[url("bob")] = [RateLimited("enough", timedelta(hours=3))]
    await world.run(hours=2)
    assert len(world.recorder.deeds) == 2
    assert await used(world) == 0
    await world.run(hours=1.1)
    assert len(world.recorder.deeds) == 4
    assert [deed.attempt for deed in world.recorder.deeds] == [1, 1, 1, 1]
    assert await used(world) == 2
