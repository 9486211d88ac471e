"""Each rule that can hold a lead, told of real rows that the engine has left behind."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable
from tests.engine.conftest import Recorder, World, identity, step, url

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.channels.channel import Deed, Done, Later, Outcome, Permanent, Temporary, Unknown
from leadwright.engine import why_service, why_store
from leadwright.engine.performing import LEASE
from leadwright.engine.settlement import ASK_EVERY
from leadwright.engine.why_view import OpenDeed, Why
from leadwright.engine.why_wire import why_body
from leadwright.engine.worker import Engine
from leadwright.errors import NotFound
from leadwright.leads import joining, outcomes
from leadwright.leads import service as leads
from leadwright.leads.model import CustomLeadStatus
from leadwright.leads.outcomes import Verdict
from leadwright.senders.limits import Limits, QuotaKind
from leadwright.suppression import service as suppression

MORNINGS = Schedule("UTC", (Weekday.MONDAY, Weekday.TUESDAY), opens=8 * 60, closes=10 * 60)


async def asked(world: World, lead_id: str) -> Why:
    async with world.database.session() as connection:
        row, found = await why_service.explain(connection, world.workspace_id, lead_id, world.now)
    assert [each.rule for each in why_body(row, found).held_by] == [each.rule for each in found.held_by]
    return found


async def untouched(world: World, *lead_ids: str) -> str:
    """The one lead of these that nothing has happened to."""
    statuses = await world.statuses(*lead_ids)
    (place,) = [place for place, status in enumerate(statuses) if status == "PENDING"]
    return lead_ids[place]


async def rules(world: World, lead_id: str) -> dict[str, datetime | None]:
    return {each.rule: each.until for each in (await asked(world, lead_id)).held_by}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits({QuotaKind.CONNECTIONS: 1}, {}, timedelta()), {"daily_cap": datetime(2026, 3, 3, tzinfo=UTC)}),
        (Limits({}, {QuotaKind.CONNECTIONS: 1}, timedelta()), {"weekly_cap": datetime(2026, 3, 9, tzinfo=UTC)}),
    ],
)
async def test_a_cap_holds_until_its_period_is_over(
    world: World, limits: Limits, expected: dict[str, datetime]
) -> None:
    campaign = await world.campaign([step("connect")], senders=[await world.sender(limits=limits)])
    first, second = await world.add(campaign, "ada", "bob")
    await world.run()
    waiting = await untouched(world, first, second)
    assert await rules(world, waiting) == expected
    world.now = expected.popitem()[1]
    assert await rules(world, waiting) == {}
    await world.run()
    assert await rules(world, waiting) == {"finished": None}


async def test_the_gap_between_two_deeds_of_a_sender(world: World) -> None:
    sender = await world.sender(limits=Limits({}, {}, timedelta(minutes=10)))
    campaign = await world.campaign([step("connect")], senders=[sender])
    leads = await world.add(campaign, "ada", "bob", "eve")
    await world.run(minutes=1)
    open_ones = await world.rows("SELECT lead_id FROM action WHERE state <> 'done'")
    waiting = [each for each in leads if (await world.lead(each)).status == "PENDING" and (each,) not in open_ones]
    for lead in waiting:
        until = (await rules(world, lead))["min_gap"]
        assert until is not None
        assert timedelta() < until - world.now <= timedelta(minutes=26)
    assert waiting
    await world.run(hours=1)
    assert await world.statuses(*leads) == ["DONE"] * 3


async def test_the_hours_of_the_campaign_of_the_lead_and_of_the_sender(world: World) -> None:
    campaign = await world.campaign([step("connect")], schedule=MORNINGS)
    (here,) = await world.add(campaign, "ada")
    (there,) = await world.add(campaign, "bob", timeZone="America/New_York")
    world.now = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
    assert await rules(world, here) == {"outside_window": datetime(2026, 3, 3, 8, 0, tzinfo=UTC)}
    assert await rules(world, there) == {"outside_window": datetime(2026, 3, 2, 13, 0, tzinfo=UTC)}
    of_sender = await world.campaign([step("connect")], senders=[await world.sender(schedule=MORNINGS)])
    (third,) = await world.add(of_sender, "eve")
    assert await rules(world, third) == {"outside_window": datetime(2026, 3, 3, 8, 0, tzinfo=UTC)}


async def test_as_many_new_leads_have_begun_as_may_in_a_day(world: World) -> None:
    campaign = await world.campaign([step("connect")], max_new_leads_per_day=1)
    leads = await world.add(campaign, "ada", "bob")
    await world.run()
    waiting = await untouched(world, *leads)
    assert await rules(world, waiting) == {"new_leads_per_day": datetime(2026, 3, 3, tzinfo=UTC)}


async def test_a_message_waits_for_the_acceptance(world: World) -> None:
    sender = await world.sender()
    steps = [step("connect"), step("message")]
    campaign = await world.campaign(steps, senders=[sender], acceptance_timeout=timedelta(days=5))
    (lead,) = await world.add(campaign, "ada")
    await world.run(hours=1)
    found = await asked(world, lead)
    assert {each.rule: each.until for each in found.held_by} == {
        "waiting_for_acceptance": datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
    }
    assert found.step is not None
    assert found.step.id == "message"
    await world.told(sender, "ada", "connection_accepted")
    assert await rules(world, lead) == {}


async def test_a_task_and_an_unknown_outcome(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    task, lost = await world.add(campaign, "ada", "bob")
    world.recorder.answers[url("ada")] = [Later("person")]
    world.recorder.answers[url("bob")] = [Unknown("lost")]
    world.recorder.truth = Unknown()
    await world.run()
    assert await rules(world, task) == {"waiting_for_task": None}
    found = await asked(world, lost)
    assert ([each.rule for each in found.held_by], found.due_at) == (["uncertain_action"], None)


@pytest.mark.parametrize(
    ("outcome", "rules"), [(Later("person"), ["waiting_for_task"]), (Unknown("lost"), ["uncertain_action"])]
)
async def test_a_deed_whose_step_was_taken_out_with_all_that_followed(
    world: World, outcome: Outcome, rules: list[str]
) -> None:
    campaign = await world.campaign([step("visit_profile"), step("connect")])
    world.recorder.answers[url("ada")] = [Done(), outcome]
    world.recorder.truth = Unknown()
    (lead,) = await world.add(campaign, "ada")
    await world.run()
    await world.edit(campaign, sequence={"steps": [step("visit_profile")]})
    found = await asked(world, lead)
    assert (found.due_at, [held.rule for held in found.held_by]) == (None, rules)


async def test_a_conversation_in_another_campaign(world: World) -> None:
    sender = await world.sender()
    first = await world.campaign([step("connect")], senders=[sender])
    await world.add(first, "ada")
    await world.run()
    await world.told(sender, "ada", "reply", text="Let us talk")
    second = await world.campaign([step("visit_profile")])
    (lead,) = await world.add(second, "ada")
    await world.run(hours=1)
    assert "other_conversation" in await rules(world, lead)


async def test_an_invitation_for_another_lead(world: World) -> None:
    sender = await world.sender()
    world.recorder.answers[url("ada")] = [Later("person")]
    leads = [(await world.add(await world.campaign([step("connect")], senders=[sender]), "ada"))[0] for _ in range(2)]
    await world.run()
    assert sorted([*await rules(world, leads[0]), *await rules(world, leads[1])]) == [
        "other_conversation",
        "waiting_for_task",
    ]


async def test_senders_that_are_away(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})], senders=[sender])
    (begun,) = await world.add(campaign, "ada")
    await world.run()
    (new,) = await world.add(campaign, "bob")
    await world.remove_sender(sender)
    await world.run(days=2)
    assert await rules(world, begun) == {"sender_unavailable": None}
    assert await rules(world, new) == {"sender_unavailable": None}


async def test_a_field_that_is_missing(world: World) -> None:
    campaign = await world.campaign([step("connect", note="About {{topic}}")])
    (lead,) = await world.add(campaign, "ada")
    await world.run(hours=1)
    assert await rules(world, lead) == {"missing_field": None}
    await world.add(campaign, "ada", on_duplicate="fill", topic="bees")
    assert await rules(world, lead) == {}


async def test_a_suppressed_person_is_never_approached_and_its_lead_says_so(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    await world.plan()
    async with world.database.transaction() as connection:
        entries = [{"linkedinUrl": url("ada")}]
        await suppression.add(connection, world.workspace_id, entries, reason=None, now=world.now)
    assert "suppressed" in await rules(world, lead)
    await world.run()
    assert (world.recorder.deeds, await world.statuses(lead)) == ([], ["SKIPPED"])
    assert await rules(world, lead) == {"finished": None, "suppressed": None}


async def test_a_lead_that_is_through_is_finished(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    done, failed = await world.add(campaign, "ada", "bob")
    world.recorder.answers[url("bob")] = [Permanent("note_too_long")]
    await world.run()
    assert await rules(world, done) == await rules(world, failed) == {"finished": None}


async def test_while_it_is_worked_out_the_campaign_is_not_deleted(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    async with world.database.transaction() as reading:
        assert await why_store.row(reading, world.workspace_id, lead) is not None
        async with world.database.session() as deleting:
            await deleting.execute("SET lock_timeout = '100ms'")
            with pytest.raises(LockNotAvailable):
                await campaigns.delete(deleting, world.workspace_id, campaign)
            await deleting.execute("RESET lock_timeout")
        await why_service.explain(reading, world.workspace_id, lead, world.now)
    async with world.database.transaction() as connection:
        await campaigns.delete(connection, world.workspace_id, campaign)
    with pytest.raises(NotFound):
        await asked(world, lead)


async def test_a_passing_fault_is_told_with_the_next_try(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Temporary("busy")] * 2
    await world.run()
    found = await asked(world, lead)
    assert [(each.rule, each.until) for each in found.held_by] == [
        ("waiting_for_delay", world.now + timedelta(minutes=1))
    ]
    assert "busy" in found.held_by[0].message
    assert found.due_at == world.now + timedelta(minutes=1)
    await world.run(minutes=1)
    assert (await asked(world, lead)).due_at == world.now + timedelta(minutes=5)


async def test_a_deed_that_its_channel_reports_later_is_told_and_no_clock_ends_it(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("channel")]
    began = world.now
    await world.run(hours=1)
    found = await asked(world, lead)
    ((action_id,),) = await world.rows("SELECT id FROM action")
    assert (found.due_at, list(found.held_by)) == (None, [])
    assert found.deed == OpenDeed(action_id, "connect", "performing", "channel", began, None)


@dataclass
class Inquiring(Recorder):
    """A channel that asks, in the middle of a deed, why its lead waits."""

    told: list[Why] = field(default_factory=list[Why])
    ask: Callable[[], Awaitable[Why]] | None = None

    async def perform(self, deed: Deed) -> Outcome:
        assert self.ask is not None
        self.told.append(await self.ask())
        return await super().perform(deed)


async def test_a_deed_that_a_worker_performs_is_told_until_its_lease_ends(world: World) -> None:
    """Also when that worker was killed: nobody else takes it up before."""
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    channel = Inquiring(ask=lambda: asked(world, lead))
    world.engine = Engine(world.database, world.secrets, channel, batch=20)
    await world.run()
    (found,) = channel.told
    assert (found.due_at, list(found.held_by)) == (world.now + LEASE, [])
    ((action_id,),) = await world.rows("SELECT id FROM action")
    assert found.deed == OpenDeed(action_id, "connect", "performing", None, world.now, world.now + LEASE)


async def test_an_uncertain_deed_is_named_with_when_its_channel_is_asked_next(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Unknown("lost")]
    world.recorder.truth = Unknown()
    await world.run()
    ((action_id,),) = await world.rows("SELECT id FROM action")
    found = await asked(world, lead)
    (held,) = found.held_by
    assert (held.rule, held.until) == ("uncertain_action", world.now + ASK_EVERY)
    assert f"act_{action_id}" in held.message
    assert found.deed is not None
    assert (found.deed.id, found.deed.awaiting) == (action_id, "channel")
    await world.run(hours=3)
    found = await asked(world, lead)
    assert [(each.rule, each.until) for each in found.held_by] == [("uncertain_action", None)]
    assert found.deed is not None
    assert found.deed.awaiting == "person"


async def test_a_campaign_that_paused_by_itself_says_why(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    (lead,) = await world.add(campaign, "ada")
    async with world.database.transaction() as connection:
        await campaigns.pause_by_itself(connection, world.workspace_id, campaign, "too many faults", world.now)
    (held,) = [each for each in (await asked(world, lead)).held_by if each.rule == "paused"]
    assert "too many faults" in held.message


NEVER_NOW: dict[str, Any] = {"schedule": Schedule("UTC", (Weekday.SUNDAY,), opens=9 * 60, closes=10 * 60)}
NO_INVITATIONS = Limits({QuotaKind.CONNECTIONS: 0}, {}, timedelta())


async def test_every_rule_holds_a_lead_whose_text_lacks_a_field(world: World) -> None:
    sender = await world.sender(limits=NO_INVITATIONS)
    campaign = await world.campaign([step("connect", note="About {{topic}}")], senders=[sender], **NEVER_NOW)
    (lead,) = await world.add(campaign, "ada")
    await world.disconnect(sender)
    await world.run()
    assert list(await rules(world, lead)) == ["missing_field", "sender_unavailable", "outside_window", "daily_cap"]


async def test_a_lead_that_waits_is_told_what_will_hold_it_when_its_time_comes(world: World) -> None:
    sender = await world.sender(limits=NO_INVITATIONS)
    invite = step("connect", note="About {{topic}}", after={"days": 1})
    campaign = await world.campaign([invite], senders=[sender], **NEVER_NOW)
    (lead,) = await world.add(campaign, "ada")
    await world.disconnect(sender)
    expected = ["waiting_for_delay", "missing_field", "sender_unavailable", "outside_window", "daily_cap"]
    assert list(await rules(world, lead)) == expected
    await world.run()
    assert list(await rules(world, lead)) == expected


async def test_what_is_over_before_its_time_comes_does_not_hold_a_lead_that_waits(world: World) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.CONNECTIONS: 1}, {}, timedelta()), schedule=MORNINGS)
    await world.add(await world.campaign([step("connect")], senders=[sender]), "bob")
    await world.run()
    tomorrow = await world.campaign([step("connect", after={"days": 1})], senders=[sender])
    later = await world.campaign([step("connect", after={"hours": 2})], senders=[sender])
    ((held_tomorrow,), (held_later,)) = [await world.add(each, "ada") for each in (tomorrow, later)]
    assert list(await rules(world, held_tomorrow)) == ["waiting_for_delay"]
    assert await rules(world, held_later) == {
        "waiting_for_delay": world.now + timedelta(hours=2),
        "outside_window": datetime(2026, 3, 3, 8, tzinfo=UTC),
        "daily_cap": datetime(2026, 3, 3, tzinfo=UTC),
    }


async def test_a_message_that_waits_for_the_acceptance_is_told_what_else_would_hold_it(world: World) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.MESSAGES: 0}, {}, timedelta()))
    campaign = await world.campaign([step("connect"), step("message")], senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    await world.run(hours=1)
    assert list(await rules(world, lead)) == ["waiting_for_acceptance", "daily_cap"]


async def test_a_cap_of_nothing_is_ended_by_no_clock(world: World) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.CONNECTIONS: 0}, {}, timedelta()))
    campaign = await world.campaign([step("connect")], senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    await world.run()
    assert await rules(world, lead) == {"daily_cap": None}


async def test_a_plan_that_was_taken_back_is_no_fault(world: World) -> None:
    campaign = await world.campaign([step("connect")], schedule=MORNINGS)
    (lead,) = await world.add(campaign, "ada", timeZone="Europe/London")
    await world.plan()
    world.now += timedelta(hours=2)
    await world.perform()
    await world.plan()
    assert await world.rows("SELECT state::text, error_code FROM action") == [("cancelled", "outside_window")]
    assert await rules(world, lead) == {"outside_window": datetime(2026, 3, 3, 8, 0, tzinfo=UTC)}


async def test_a_wrong_person_was_stopped(world: World) -> None:
    (lead,) = await world.add(await world.campaign([step("visit_profile")], start=False), "ada")
    async with world.database.transaction() as connection:
        verdict = Verdict(None, CustomLeadStatus.WRONG_PERSON)
        await outcomes.judge(connection, world.workspace_id, lead, verdict, world.now)
    found = await asked(world, lead)
    assert [(each.rule, each.message) for each in found.held_by] == [("stopped", "the lead was stopped: WRONG_PERSON")]


async def test_a_lead_that_a_reply_elsewhere_has_stopped_names_where(world: World) -> None:
    sender = await world.sender()
    (first,) = await world.add(await world.campaign([step("connect")], senders=[sender]), "ada")
    await world.run()
    (second,) = await world.add(await world.campaign([step("visit_profile", after={"days": 1})]), "ada")
    await world.told(sender, "ada", "reply", text="Let us talk")
    (held,) = (await asked(world, second)).held_by
    assert held.rule == "stopped"
    assert held.message == f'the lead was stopped: STOPPED, the person replied in the campaign "C" (lead_{first})'
    assert (await asked(world, first)).held_by[0].message == "the lead was stopped: REPLY_RECEIVED"


async def test_a_lead_that_was_taken_out_says_no_more_than_that(world: World) -> None:
    (lead,) = await world.add(await world.campaign([step("connect")], start=False), "ada")
    async with world.database.transaction() as connection:
        await leads.remove(connection, world.workspace_id, lead, purge=False, now=world.now)
    assert [each.message for each in (await asked(world, lead)).held_by] == ["the lead was stopped: STOPPED"]


async def test_the_younger_of_two_leads_that_are_one_person_names_the_older(world: World) -> None:
    campaign = await world.campaign([step("connect")], start=False)
    older, younger = await world.add(campaign, "ada", "ada-lovelace")
    async with world.database.transaction() as connection:
        await joining.join(connection, world.workspace_id, identity("ada"), identity("ada-lovelace"), world.now)
    (held,) = (await asked(world, younger)).held_by
    assert held.message == f"the lead was stopped: STOPPED, it is the same person as lead_{older}"


async def test_the_hours_that_are_closed_are_named(world: World) -> None:
    async def told(lead_hours: dict[str, Any], campaign: Schedule | None, sender: Schedule | None) -> str:
        senders = [await world.sender(schedule=sender)]
        (lead,) = await world.add(await world.campaign([step("connect")], senders=senders, schedule=campaign), "ada")
        if lead_hours:
            (lead,) = await world.add(
                await world.campaign([step("connect")], senders=senders, schedule=campaign), "bob", **lead_hours
            )
        (held,) = (await asked(world, lead)).held_by
        return held.message.removeprefix("outside the working hours ")

    world.now = datetime(2026, 3, 2, 11, tzinfo=UTC)
    all_day = Schedule("UTC", tuple(Weekday), opens=0, closes=24 * 60)
    sunday = Schedule("UTC", (Weekday.SUNDAY,), opens=0, closes=24 * 60)
    assert await told({}, MORNINGS, None) == await told({}, MORNINGS, all_day) == "of the campaign"
    assert await told({}, all_day, MORNINGS) == 'of the sender "Sue Sender"'
    assert await told({}, MORNINGS, MORNINGS) == 'of the campaign and of the sender "Sue Sender"'
    zone = {"timeZone": "Asia/Tokyo"}
    assert await told(zone, MORNINGS, None) == "of the campaign, on the lead's clock (Asia/Tokyo)"
    assert "never meet" in await told({}, MORNINGS, sunday)
