"""Leads that wait: conditions, missing fields, other conversations, edits, new leads, removed senders."""

import asyncio
from datetime import timedelta

import pytest
from tests.engine.conftest import World, step, url

from leadwright.campaigns.model import MissingVariable
from leadwright.channels.channel import Done, Later
from leadwright.engine import service
from leadwright.engine.performing import perform
from leadwright.events.model import EventType

ASKED = {
    "type": "condition",
    "id": "asked",
    "when": "connected",
    "within": {"days": 7},
    "then": [step("message", after={"days": 1})],
    "else": [step("withdraw_connection")],
}


async def answered_elsewhere(world: World) -> None:
    """Ada was invited by another campaign, and has replied to it."""
    sender = await world.sender()
    first = await world.campaign([step("connect")], senders=[sender])
    await world.add(first, "ada")
    await world.run()
    await world.told(sender, "ada", "reply", text="Let us talk")


async def test_a_condition_goes_either_way(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), ASKED], senders=[sender])
    yes, no = await world.add(campaign, "ada", "bob")
    await world.run(days=3)
    await world.told(sender, "ada", "connection_accepted")
    await world.run(days=3)
    assert world.recorder.kinds() == ["connect", "connect", "message"]
    await world.run(days=2)
    assert world.recorder.kinds()[3:] == ["withdraw_connection"]
    assert await world.statuses(yes, no) == ["DONE", "DONE"]
    judged = "SELECT detail ->> 'branch' FROM history WHERE type = 'condition_judged' AND step_id = 'asked' ORDER BY id"
    assert await world.rows(judged) == [("then",), ("else",)]
    state = await world.rows("SELECT state::text FROM relationship")
    assert sorted(state) == [("connected",), ("none",)]


@pytest.mark.parametrize("is_a_task", [False, True])
async def test_an_invitation_that_is_accepted_at_last_is_not_withdrawn(world: World, is_a_task: bool) -> None:
    """The withdrawal is planned already, or on somebody's list."""
    sender = await world.sender()
    steps = [step("connect"), step("withdraw_connection", after={"days": 1}), step("message")]
    campaign = await world.campaign(steps, senders=[sender])
    (lead,) = await world.add(campaign, "ada")
    await world.run()
    world.now += timedelta(days=1)
    if is_a_task:
        world.recorder.answers[url("ada")] = [Later("person")]
        await world.run()
    else:
        await world.plan()
    await world.told(sender, "ada", "connection_accepted")
    await world.run()
    assert [kind for kind in world.recorder.kinds() if kind != "withdraw_connection"] == ["connect", "message"]
    assert world.recorder.kinds().count("withdraw_connection") == is_a_task
    assert await world.statuses(lead) == ["DONE"]
    assert await world.rows("SELECT state::text FROM action WHERE kind = 'withdraw_connection'") == [("cancelled",)]


async def test_a_missing_field_holds_until_it_is_filled_in(world: World) -> None:
    campaign = await world.campaign([step("connect", note="About {{topic}}")])
    (lead,) = await world.add(campaign, "ada")
    await world.run(days=2)
    assert world.recorder.deeds == []
    held = await world.rows("SELECT state::text, hold_rule, hold_detail FROM enrolment")
    assert held == [("held", "missing_field", {"fields": ["topic"]})]
    await world.add(campaign, "ada", on_duplicate="fill", topic="bees")
    await world.run()
    assert [deed.text for deed in world.recorder.deeds] == ["About bees"]
    assert await world.statuses(lead) == ["DONE"]


async def test_a_condition_about_a_field_is_judged_when_the_field_comes(world: World) -> None:
    """And not before: nothing looks at the lead until then, or until the time is over."""
    asked = {
        "type": "condition",
        "id": "asked",
        "when": {"field": "score", "atLeast": 80},
        "within": {"days": 7},
        "then": [step("visit_profile")],
        "else": [step("follow")],
    }
    campaign = await world.campaign([step("like_post"), asked])
    yes, no = await world.add(campaign, "ada", "bob")
    begun = world.now
    await world.run(hours=5)
    assert await world.engine.next_due(world.now) == begun + timedelta(days=7)
    await world.add(campaign, "ada", on_duplicate="fill", score=81)
    await world.run()
    assert world.recorder.kinds() == ["like_post", "like_post", "visit_profile"]
    await world.run(days=7)
    assert world.recorder.kinds()[3:] == ["follow"]
    assert await world.statuses(yes, no) == ["DONE", "DONE"]


async def test_an_edit_wakes_held_leads(world: World) -> None:
    campaign = await world.campaign([step("connect", note="About {{topic}}")])
    await world.add(campaign, "ada")
    await world.run(hours=1)
    await world.edit(campaign, sequence={"steps": [step("connect", note="Hello")]})
    await world.run()
    assert [deed.text for deed in world.recorder.deeds] == ["Hello"]


async def test_leads_held_for_want_of_a_field_go_on_when_the_campaign_skips_such_steps(world: World) -> None:
    campaign = await world.campaign([step("connect", note="About {{topic}}"), step("visit_profile")])
    (lead,) = await world.add(campaign, "ada")
    await world.run(hours=1)
    await world.edit(campaign, missing_variable=MissingVariable.SKIP_STEP)
    await world.run()
    assert (world.recorder.kinds(), await world.statuses(lead)) == (["visit_profile"], ["DONE"])
    skipped = await world.rows("SELECT step_id, detail FROM history WHERE type = 'step_skipped'")
    assert [detail for _, detail in skipped] == [{"reason": "missing_field", "fields": ["topic"]}]


async def test_leads_that_wait_for_the_acceptance_wait_as_long_as_the_campaign_says_now(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("message")])
    (lead,) = await world.add(campaign, "ada")
    await world.run(days=3)
    await world.edit(campaign, acceptance_timeout=timedelta(days=4))
    await world.run(hours=23)
    assert await world.statuses(lead) == ["CONNECTION_SENT"]
    await world.run(hours=1)
    assert await world.statuses(lead) == ["NOT_CONNECTED"]


async def test_who_is_in_conversation_elsewhere_is_approached_once_the_campaign_says_so(world: World) -> None:
    await answered_elsewhere(world)
    second = await world.campaign([step("visit_profile")])
    await world.add(second, "ada")
    await world.run(hours=1)
    await world.edit(second, approach_despite_other_conversation=True)
    await world.run()
    assert world.recorder.kinds() == ["connect", "visit_profile"]


@pytest.mark.parametrize(
    ("kind", "part", "longest"),
    [
        ("connect", "note", 300),
        ("message", "text", 8_000),
        ("manual_task", "text", 8_000),
        ("manual_task", "title", 300),
    ],
)
async def test_a_text_that_comes_out_too_long_is_not_sent(world: World, kind: str, part: str, longest: int) -> None:
    """Held like one that lacks a field, until the field is another."""
    sender = await world.sender()
    wording = ({"title": "Call"} if kind == "manual_task" else {}) | {part: "{{a}}{{b}}"}
    campaign = await world.campaign([step(kind, **wording)], senders=[sender])
    short, long = "x" * (longest // 2), "y" * (longest // 2 + 1)
    await world.add(campaign, "ada", a=short, b=long)
    if kind == "message":
        await world.told(sender, "ada", "connection_accepted")
    await world.run(hours=1)
    assert world.recorder.deeds == []
    ((rule, error),) = await world.rows("SELECT hold_rule, hold_detail ->> 'error' FROM enrolment")
    assert rule == "missing_field"
    assert error.endswith(f"has {longest + 1:,} characters, at most {longest:,} can be sent")
    await world.add(campaign, "ada", on_duplicate="overwrite", b=short)
    await world.run()
    assert [deed.content["text" if part == "note" else part] for deed in world.recorder.deeds] == [short + short]


async def test_leads_at_a_removed_step_go_on_with_what_followed(world: World) -> None:
    steps = [step("visit_profile"), step("follow", after={"days": 30}), step("connect")]
    campaign = await world.campaign(steps)
    (lead,) = await world.add(campaign, "ada")
    await world.run(days=1)
    await world.edit(campaign, sequence={"steps": [steps[0], steps[2]]})
    await world.run()
    assert world.recorder.kinds() == ["visit_profile", "connect"]
    assert await world.statuses(lead) == ["DONE"]


async def test_a_step_that_was_added_behind_the_present_one(world: World) -> None:
    campaign = await world.campaign([step("visit_profile"), step("connect", after={"days": 1})])
    await world.add(campaign, "ada")
    await world.run(hours=1)
    more = [step("visit_profile"), step("connect", after={"days": 1}), step("follow")]
    await world.edit(campaign, sequence={"steps": more})
    await world.run(days=1)
    assert world.recorder.kinds() == ["visit_profile", "connect", "follow"]


async def test_a_person_who_answered_elsewhere_is_left_alone(world: World) -> None:
    await answered_elsewhere(world)
    second = await world.campaign([step("visit_profile")])
    bold = await world.campaign([step("follow")], approach_despite_other_conversation=True)
    await world.add(second, "ada")
    await world.add(bold, "ada")
    await world.run(days=3)
    assert world.recorder.kinds() == ["connect", "follow"]


async def test_a_campaign_finishes_and_goes_on_with_new_leads(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    assert not await world.engine.finish_campaigns(world.now)
    await world.add(campaign, "ada")
    await world.run()
    assert await world.engine.finish_campaigns(world.now)
    (finished,) = await world.events(EventType.CAMPAIGN_FINISHED)
    assert finished[1]["totals"]["connectionsSent"] == 1
    (lead,) = await world.add(campaign, "bob")
    await world.run()
    assert await world.statuses(lead) == ["DONE"]
    assert await world.engine.finish_campaigns(world.now)


async def test_leads_of_a_removed_sender_get_another(world: World) -> None:
    removed, kept = await world.sender(), await world.sender()
    steps = [step("visit_profile"), step("connect", after={"days": 1}), step("follow", after={"days": 1})]
    campaign = await world.campaign(steps, senders=[removed])
    await world.add(campaign, "ada")
    await world.run(hours=1)
    await world.edit(campaign, sender_ids=(removed, kept))
    await world.remove_sender(removed)
    await world.run(days=3)
    assert [(deed.kind.value, deed.sender.id) for deed in world.recorder.deeds] == [
        ("visit_profile", removed),
        ("connect", kept),
        ("follow", kept),
    ]


async def test_leads_that_a_removed_sender_has_contacted_wait(world: World) -> None:
    removed, other = await world.sender(), await world.sender()
    campaign = await world.campaign([step("connect"), step("follow", after={"days": 1})], senders=[removed])
    await world.add(campaign, "ada")
    await world.run()
    await world.edit(campaign, sender_ids=(removed, other))
    await world.remove_sender(removed)
    await world.run(days=9)
    assert world.recorder.kinds() == ["connect"]


async def test_a_campaign_that_is_deleted_leaves_nothing_of_the_engine(world: World) -> None:
    campaign = await world.campaign([step("connect"), step("message")], max_new_leads_per_day=5)
    await world.add(campaign, "ada", "bob")
    await world.run()
    await world.add(campaign, "eve")
    await world.plan()
    await world.delete(campaign)
    for table in (b"action", b"campaign_day", b"enrolment", b"lane", b"lead"):
        assert await world.rows(b"SELECT 1 FROM " + table) == []
    assert await world.rows("SELECT sum(used)::int FROM sender_quota WHERE period = 'day'") == [(2,)]
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect", "connect"]


async def test_nothing_to_do_is_found_out_quickly(world: World) -> None:
    campaign = await world.campaign([step("connect", after={"days": 1})])
    await world.add(campaign, "ada")
    await world.run()
    assert not await world.engine.plan(world.now)
    assert not await world.engine.perform(world.now)
    assert await world.engine.next_due(world.now) == world.now + timedelta(days=1)


FOLLOWED = [step("connect"), step("message", after={"days": 1})]


async def test_who_is_not_connected_waits_for_it_from_the_invitation_on(world: World) -> None:
    sender = await world.sender()
    campaign = await world.campaign(FOLLOWED, senders=[sender], acceptance_timeout=timedelta(days=7))
    (lead,) = await world.add(campaign, "ada")
    await world.plan()
    await world.perform()
    waiting = await world.rows("SELECT state::text, step_id, hold_rule, due_at FROM enrolment")
    assert waiting == [("due", "message", "waiting_for_acceptance", world.now + timedelta(days=7))]
    await world.run(days=3)
    await world.told(sender, "ada", "connection_accepted")
    await world.run(hours=23)
    assert world.recorder.kinds() == ["connect"]
    await world.run(hours=1)
    assert world.recorder.kinds() == ["connect", "message"]
    assert await world.statuses(lead) == ["DONE"]


async def test_an_invitation_that_is_told_after_its_acceptance_takes_no_status_back(world: World) -> None:
    """Somebody ticks the task off when the person has accepted already."""
    sender = await world.sender()
    campaign = await world.campaign([step("connect"), step("message", after={"days": 1})], senders=[sender])
    world.recorder.answers[url("ada")] = [Later("person")]
    (lead,) = await world.add(campaign, "ada")
    await world.run()
    await world.told(sender, "ada", "connection_accepted")
    async with world.database.transaction() as connection:
        assert await service.resolve(connection, world.workspace_id, world.recorder.deeds[0].id, Done(), world.now)
    assert await world.statuses(lead) == ["CONNECTION_ACCEPTED"]
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect", "message"]


async def test_an_acceptance_that_comes_before_the_outcome_of_the_invitation_counts(world: World) -> None:
    sender = await world.sender()
    await world.add(await world.campaign(FOLLOWED, senders=[sender]), "ada")
    await world.plan()
    _, begun = await world.engine.beginner.begin(world.now)
    await world.told(sender, "ada", "connection_accepted")
    await world.engine.settler.settle([await perform(world.recorder, each) for each in begun], world.now)
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect", "message"]


async def test_no_acceptance_is_missed_that_comes_while_the_outcome_is_written(world: World) -> None:
    sender = await world.sender()
    names = [f"person-{number}" for number in range(12)]
    await world.add(await world.campaign(FOLLOWED, senders=[sender]), *names)
    await world.plan()
    _, begun = await world.engine.beginner.begin(world.now)
    settled = [await perform(world.recorder, each) for each in begun]
    told = [world.told(sender, name, "connection_accepted") for name in names]
    await asyncio.gather(*told[:6], world.engine.settler.settle(settled, world.now), *told[6:])
    await world.run(days=1)
    assert world.recorder.kinds() == ["connect"] * 12 + ["message"] * 12
