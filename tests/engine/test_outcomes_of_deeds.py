"""What deeds come to: retries, faults that stay, uncertainty, aliases, events, counts."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from psycopg.errors import DiskFull
from tests.engine.conftest import Recorder, World, identity, step, url

from leadwright.campaigns import service as campaigns
from leadwright.channels.channel import Deed, Done, Later, Outcome, Permanent, Temporary, Unknown
from leadwright.engine import service
from leadwright.engine.action_store import Action
from leadwright.engine.performing import LEASE, perform
from leadwright.engine.settlement import NOT_DONE, NOT_STARTED, Settled
from leadwright.engine.worker import Engine
from leadwright.errors import Conflict
from leadwright.events.model import EventType
from leadwright.senders.health import MOST_FAILURES


async def test_the_public_events_of_a_way(world: World) -> None:
    sender = await world.sender()
    messages = [step("message", id="hello"), step("message", id="bump", after={"days": 1})]
    steps = [step("connect", note="Hi {{firstName}}"), *messages]
    campaign = await world.campaign(steps, senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    await world.run(hours=1)
    await world.told(sender, "ada", "connection_accepted")
    await world.run(days=2)
    told = await world.events()
    assert [kind for kind, _ in told if kind != "campaign.started"] == [
        "connection_request.sent",
        "lead.updated",
        "connection_request.accepted",
        "lead.updated",
        "message.sent",
        "lead.updated",
        "message.sent",
        "lead.updated",
        "lead.updated",
    ]
    statuses = [data["newStatus"] for kind, data in told if kind == "lead.updated"]
    assert statuses == ["CONNECTION_SENT", "CONNECTION_ACCEPTED", "MESSAGE_SENT", "FOLLOWUP_SENT", "DONE"]
    sent = [data for kind, data in told if kind == "message.sent"]
    assert [(data["message"], data["sequenceStep"]) for data in sent] == [("Hello Ada", 2), ("Hello Ada", 3)]
    assert all(data["leadId"] == f"lead_{lead}" and data["senderId"] == f"sender_{sender}" for data in sent)
    totals = await world.totals(campaign)
    assert (totals.leads_contacted, totals.connections_sent, totals.connections_accepted) == (1, 1, 1)
    assert (totals.messages_sent, totals.deeds_done, totals.active) == (2, 3, 0)


async def test_a_passing_fault_is_tried_again_later_each_time(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Temporary("busy")] * 4
    await world.run(days=1)
    minutes = [round((deed.at - world.recorder.deeds[0].at).total_seconds() / 60) for deed in world.recorder.deeds]
    assert minutes == [0, 1, 6, 36, 156]
    assert len({deed.id for deed in world.recorder.deeds}) == 1
    assert [deed.attempt for deed in world.recorder.deeds] == [1, 2, 3, 4, 5]
    assert await world.statuses(lead) == ["DONE"]


async def test_a_fault_that_never_passes_ends_in_failed(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Temporary("busy")] * 5
    await world.run(days=1)
    assert len(world.recorder.deeds) == 5
    assert await world.statuses(lead) == ["FAILED"]
    assert (await world.totals(campaign)).deeds_failed == 1
    told = await world.rows("SELECT type FROM history WHERE detail ? 'code' ORDER BY id")
    assert [kind for (kind,) in told] == [*["postponed"] * 4, "not_performed"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Permanent("profile_unreachable"), "PROFILE_UNREACHABLE"),
        (Permanent("blocked"), "BLOCKED"),
        (Permanent("note_too_long"), "FAILED"),
        (Done(found="already_invited"), "CONNECTION_ALREADY_SENT"),
        (Done(found="already_connected"), "CONNECTED"),
    ],
)
async def test_what_a_deed_makes_of_its_lead(world: World, outcome: Outcome, status: str) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile", after={"days": 1})])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [outcome]
    await world.run(hours=1)
    assert await world.statuses(lead) == [status]
    used = await world.rows("SELECT sum(used)::int FROM sender_quota")
    assert used == [(0,)]
    assert await world.events(EventType.CONNECTION_REQUEST_SENT) == []


async def test_a_skipped_task_lets_its_lead_go_on(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Permanent("skipped")]
    await world.run()
    assert world.recorder.kinds() == ["connect", "visit_profile"]
    assert await world.statuses(lead) == ["DONE"]


async def test_an_outcome_that_is_told_later(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("channel", "theirs-1")]
    await world.run(days=3)
    assert await world.statuses(lead) == ["PENDING"]
    action_id = world.recorder.deeds[0].id
    for expected in (True, False):
        async with world.database.transaction() as connection:
            assert await service.resolve(connection, world.workspace_id, action_id, Done(), world.now) is expected
    await world.run()
    assert world.recorder.kinds() == ["connect", "visit_profile"]


async def report(world: World, action_id: str, outcome: Outcome) -> Action:
    async with world.database.transaction() as connection:
        return await service.report(connection, world.workspace_id, action_id, outcome, world.now)


@pytest.mark.parametrize("is_planned_anew", [False, True])
async def test_a_deed_that_was_put_off_and_had_happened_is_not_done_again(world: World, is_planned_anew: bool) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Temporary("busy", retry_after=timedelta(hours=1))]
    await world.run(minutes=1)
    action_id = world.recorder.deeds[0].id
    if is_planned_anew:
        world.now += timedelta(hours=1)
        await world.plan()
    assert (await report(world, action_id, Done("theirs"))).state == "done"
    with pytest.raises(Conflict):
        await report(world, action_id, Done())
    await world.run(hours=2)
    assert world.recorder.kinds() == ["connect", "visit_profile"]
    assert await world.statuses(lead) == ["DONE"]
    assert (await world.totals(campaign)).connections_sent == 1
    used = await world.rows("SELECT DISTINCT used FROM sender_quota WHERE kind = 'connections'")
    assert used == [(1,)]
    performed = "SELECT count(*)::int FROM history WHERE type = 'performed' AND step_id = 'connect'"
    assert await world.rows(performed) == [(1,)]


async def test_what_happened_to_somebody_who_has_answered_is_recorded(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), step("visit_profile")], senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("person")]
    await world.run()
    await world.told(sender, "ada", "reply", text="Hi")
    assert (await report(world, world.recorder.deeds[0].id, Done())).state == "done"
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect"]
    assert await world.statuses(lead) == ["REPLY_RECEIVED"]
    assert len(await world.events(EventType.CONNECTION_REQUEST_SENT)) == 1


async def test_nothing_is_believed_of_a_deed_that_nobody_was_told_to_do(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada")
    await world.plan()
    ((action_id,),) = await world.rows("SELECT replace(id::text, '-', '') FROM action")
    with pytest.raises(Conflict):
        await report(world, action_id, Done())


async def test_an_uncertain_deed_is_asked_about_and_never_done_twice(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Unknown("lost")]
    world.recorder.truth = Unknown()
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect"]
    assert len(world.recorder.asked) == 12  # every five minutes for an hour; then a person must say
    assert await world.engine.next_due(world.now) is None
    assert await world.statuses(lead) == ["PENDING"]
    async with world.database.transaction() as connection:
        assert await service.resolve(connection, world.workspace_id, world.recorder.deeds[0].id, Done(), world.now)
    await world.run()
    assert world.recorder.kinds() == ["connect", "visit_profile"]


async def test_a_person_says_that_it_did_not_happen(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Unknown("lost")]
    world.recorder.truth = Unknown()
    await world.run(hours=2)
    async with world.database.transaction() as connection:
        assert await service.resolve(connection, world.workspace_id, world.recorder.deeds[0].id, NOT_DONE, world.now)
    await world.run()
    assert world.recorder.kinds() == ["connect", "connect"]
    assert await world.statuses(lead) == ["DONE"]


async def test_a_worker_that_is_lost_leaves_a_deed_that_is_asked_about(world: World) -> None:
    """It dies between the deed and its outcome; what it says afterwards changes nothing."""
    campaign = await world.campaign([step("connect"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    await world.plan()
    _, begun = await world.engine.beginner.begin(world.now)
    late = await perform(world.recorder, begun[0])
    world.now += LEASE + timedelta(seconds=1)
    world.recorder.truth = Done()
    await world.run()
    await world.engine.settler.settle([late], world.now)
    await world.run()
    assert world.recorder.kinds() == ["connect", "visit_profile"]
    assert len(world.recorder.asked) == 1
    assert await world.statuses(lead) == ["DONE"]
    assert (await world.totals(campaign)).connections_sent == 1
    told = await world.rows("SELECT type, detail ->> 'kind' FROM history WHERE type <> 'status_changed' ORDER BY id")
    assert told == [("uncertain", "connect"), ("performed", "connect"), ("performed", "visit_profile")]


@dataclass
class Meeting(Recorder):
    """Answers no question before all have been asked."""

    all_asked: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(3))

    async def reconcile(self, deed: Deed) -> Outcome:
        await self.all_asked.wait()
        return Done()


async def test_slow_channels_are_asked_at_the_same_time(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    leads = await world.add(campaign, "ada", "bob", "eve")
    await world.plan()
    await world.engine.beginner.begin(world.now)
    world.now += LEASE
    engine = Engine(world.database, world.secrets, Meeting())
    async with asyncio.timeout(20):
        assert await engine.reconcile(world.now)
    assert await world.statuses(*leads) == ["DONE"] * 3


async def test_a_worker_that_is_lost_before_the_deed(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    await world.plan()
    await world.engine.beginner.begin(world.now)
    world.now += LEASE + timedelta(seconds=1)
    await world.run(minutes=2)
    assert world.recorder.kinds() == ["connect"]
    assert await world.statuses(lead) == ["DONE"]


async def test_a_campaign_is_paused_when_a_senders_deeds_go_on_failing(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    names = [f"p{n}" for n in range(30)]
    await world.add(campaign, *names)
    for name in names:
        world.recorder.answers[url(name)] = [Permanent("refused")]
    await world.run()
    (paused,) = await world.events(EventType.CAMPAIGN_PAUSED)
    assert paused[1]["pausedBy"] == "system"
    assert paused[1]["reason"] == '10 deeds of its sender "Sue Sender" failed in a row, the last with refused'
    async with world.database.session() as connection:
        assert (await campaigns.read(connection, world.workspace_id, campaign)).campaign.pause_reason == paused[1][
            "reason"
        ]
    assert len(world.recorder.deeds) < 30


async def paused_or_not(world: World) -> bool:
    return bool(await world.events(EventType.CAMPAIGN_PAUSED))


async def test_a_lost_deed_that_did_not_happen_is_one_failure(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    names = [f"p{n}" for n in range(MOST_FAILURES - 1)]
    await world.add(campaign, *names)
    for name in names:
        world.recorder.answers[url(name)] = [Unknown("the line broke")]
    await world.run(minutes=5.5)
    assert len(world.recorder.asked) == MOST_FAILURES - 1
    assert not await paused_or_not(world)
    await world.add(campaign, "one-more")
    world.recorder.answers[url("one-more")] = [Unknown("the line broke")]
    await world.run()
    assert await paused_or_not(world)


async def test_the_loss_of_a_worker_says_nothing_against_the_sender(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    leads = await world.add(campaign, *(f"p{n}" for n in range(2 * MOST_FAILURES)))
    await world.plan()
    await world.engine.beginner.begin(world.now)
    world.now += LEASE
    await world.run(minutes=2)
    assert not await paused_or_not(world)
    assert set(await world.statuses(*leads)) == {"DONE"}


async def test_the_stop_of_a_worker_says_nothing_against_the_sender(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    leads = await world.add(campaign, *(f"p{n}" for n in range(2 * MOST_FAILURES)))
    await world.plan()
    _, begun = await world.engine.beginner.begin(world.now)
    given_back = [Settled(world.workspace_id, each.action, each.token, NOT_STARTED) for each in begun]
    await world.engine.settler.settle(given_back, world.now)
    assert len(begun) == 2 * MOST_FAILURES
    await world.run(minutes=2)
    assert not await paused_or_not(world)
    assert set(await world.statuses(*leads)) == {"DONE"}


class WithoutRoom(Recorder):
    """Its own database, which is ours, has no room for what it wants to keep."""

    async def perform(self, deed: Deed) -> Outcome:
        self.deeds.append(deed)
        raise DiskFull


async def test_a_fault_of_our_own_database_says_nothing_against_the_sender(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    leads = await world.add(campaign, *(f"p{n}" for n in range(2 * MOST_FAILURES)))
    await world.plan()
    _, begun = await world.engine.beginner.begin(world.now)
    full = WithoutRoom()
    await world.engine.settler.settle([await perform(full, each) for each in begun], world.now)
    assert set(await world.statuses(*leads)) == {"PENDING"}
    await world.run(minutes=10)
    assert not await paused_or_not(world)
    assert set(await world.statuses(*leads)) == {"DONE"}


async def test_an_outcome_that_cannot_be_written_holds_up_no_other(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    leads = await world.add(campaign, "ada", "bob", "cem")
    world.recorder.answers[url("bob")] = [Done(profile={"headline": "\0"})]
    world.recorder.truth = Done(profile={"headline": "\0"})
    await world.run(minutes=10)
    assert await world.statuses(*leads) == ["DONE", "PENDING", "DONE"]
    world.recorder.truth = Done()
    await world.run(minutes=10)
    assert await world.statuses(*leads) == ["DONE", "DONE", "DONE"]
    assert world.recorder.kinds(url("bob")) == ["connect"]


async def test_a_channel_tells_under_which_other_address_it_knows_a_person(world: World) -> None:
    sender = await world.sender()
    token = "https://www.linkedin.com/in/ACoAAAbcdefgh"
    campaign = await world.campaign([step("visit_profile"), step("connect", after={"days": 1})], senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Done(known_as=(token,))]
    await world.run(hours=1)
    received = await world.told(sender, "ACoAAAbcdefgh", "reply", text="Who are you?")
    assert received.lead_id == lead
    await world.run(days=2)
    assert world.recorder.kinds() == ["visit_profile"]


async def test_facts_twice_late_and_out_of_order(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), step("message", after={"days": 1})], senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    await world.run(days=1)
    accepted_at = world.now - timedelta(hours=5)
    first = await world.told(sender, "ada", "reply", text="Hi", external_id="r1")
    again = await world.told(sender, "ada", "reply", text="Hi", external_id="r1")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.lead_id == again.lead_id == lead
    late = await world.told(sender, "ada", "connection_accepted", occurred_at=accepted_at)
    twice = await world.told(sender, "ada", "connection_accepted", external_id="other name")
    assert (late.duplicate, twice.duplicate) == (False, True)
    assert await world.statuses(lead) == ["REPLY_RECEIVED"]
    (accepted,) = await world.events(EventType.CONNECTION_REQUEST_ACCEPTED)
    assert accepted[1]["acceptedAt"] == "2026-03-03T04:00:00.000Z"
    assert len(await world.events(EventType.REPLY_RECEIVED)) == 1
    await world.run(days=3)
    assert world.recorder.kinds() == ["connect"]


async def test_a_message_counts_its_delay_from_the_acceptance(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), step("message", after={"hours": 3})], senders=[sender])
    await world.add(campaign, "ada")
    await world.run(days=2)
    await world.told(sender, "ada", "connection_accepted", occurred_at=world.now - timedelta(hours=1))
    await world.run(hours=1.9)
    assert world.recorder.kinds() == ["connect"]
    await world.run(hours=0.2)
    assert world.recorder.kinds() == ["connect", "message"]


async def test_an_invitation_that_nobody_accepts(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("message")], acceptance_timeout=timedelta(days=5))
    (lead,) = await world.add(campaign, "ada")
    await world.run(days=4.9)
    assert await world.statuses(lead) == ["CONNECTION_SENT"]
    await world.run(days=0.2)
    assert await world.statuses(lead) == ["NOT_CONNECTED"]


async def test_a_reply_of_nobodys_lead_is_told_all_the_same(world: World) -> None:
    sender = await world.sender()
    received = await world.told(sender, "stranger", "reply", text="Hello?")
    assert (received.duplicate, received.lead_id) == (False, None)
    (reply,) = await world.events(EventType.REPLY_RECEIVED)
    assert reply[1]["leadId"] is None
    kept = await world.rows("SELECT identity_key FROM conversation")
    assert kept == [(identity("stranger").key,)]
