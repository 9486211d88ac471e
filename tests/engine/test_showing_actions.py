"""What anybody can see of deeds: what was intended by which version, and what came of it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.engine.conftest import START, World, step, url

from leadwright.channels.channel import Done, Permanent, Temporary, Unknown
from leadwright.clock import iso
from leadwright.engine import action_store, service, wire
from leadwright.engine.performing import LEASE
from leadwright.engine.settlement import ASK_EVERY, STOP_ASKING_AFTER
from leadwright.engine.showing_store import Wanted
from leadwright.errors import InvalidRequest


async def listed(world: World, state: str | None = None, **narrowed: Any) -> list[dict[str, Any]]:
    """Deeds as the API shows them."""
    async with world.database.session() as connection:
        wanted = Wanted(state, **narrowed)
        found = await service.actions(connection, world.workspace_id, wanted, after=None, limit=100)
    return [wire.action_body(each).model_dump(by_alias=True) for each in found]


async def test_a_page_goes_on_behind_the_one_before(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada", "bob", "eve")
    await world.plan()
    async with world.database.session() as connection:
        page = await service.actions(connection, world.workspace_id, Wanted(), after=None, limit=2)
        rest = await service.actions(connection, world.workspace_id, Wanted("planned"), after=page[-1].id, limit=2)
    assert (len(page), len(rest)) == (2, 1)


async def test_a_deed_names_the_version_and_the_variant_that_its_lead_got(world: World) -> None:
    variants = [{"text": "One", "weight": 0}, {"text": "Two", "weight": 1}]
    campaign = await world.campaign([step("connect", variants=variants)])
    await world.add(campaign, "ada")
    await world.run()
    await world.edit(campaign, sequence={"steps": [step("connect", note="Three")]})
    await world.add(campaign, "bob")
    await world.run()
    told = [(deed["content"]["text"], deed["sequenceVersion"], deed["variant"]) for deed in await listed(world, "done")]
    assert told == [("Two", 1, 1), ("Three", 2, 0)]


async def test_what_was_done_says_when_and_under_which_name(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Done(external_id="m-17")]
    await world.run()
    (deed,) = await listed(world, "done")
    assert (deed["finishedAt"], deed["externalId"], deed["attempt"]) == (iso(START), "m-17", 1)
    assert (deed["code"], deed["message"], deed["askedAgainAt"]) == (None, None, None)


async def test_what_failed_says_why(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Permanent("profile_unreachable", "the profile is gone")]
    await world.run()
    (deed,) = await listed(world, "failed")
    assert (deed["code"], deed["message"]) == ("profile_unreachable", "the profile is gone")
    assert deed["finishedAt"] == iso(START)


async def test_an_uncertain_deed_says_when_its_channel_is_asked_again(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Unknown("the line broke")]
    world.recorder.truth = Unknown("still nothing known")
    await world.run()
    (deed,) = await listed(world, "uncertain")
    assert (deed["code"], deed["message"], deed["finishedAt"]) == (None, "the line broke", None)
    assert deed["askedAgainAt"] == iso(START + ASK_EVERY)
    world.now += STOP_ASKING_AFTER
    await world.run()
    (deed,) = await listed(world)
    assert (deed["message"], deed["askedAgainAt"]) == ("still nothing known", None)


async def test_the_fault_of_an_earlier_attempt_is_not_that_of_the_present_one(world: World) -> None:
    campaign = await world.campaign([step("connect")])
    await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Temporary("busy", "come back")]
    await world.run()
    (deed,) = await listed(world, "cancelled")
    assert (deed["code"], deed["message"]) == ("busy", "come back")
    world.now += timedelta(minutes=1)
    await world.plan()
    await world.engine.beginner.begin(world.now)
    (deed,) = await listed(world, "performing")
    assert (deed["code"], deed["attempt"]) == (None, 2)
    world.now += LEASE
    async with world.database.transaction() as connection:
        await action_store.give_up_lost(connection, world.now)
    (deed,) = await listed(world, "uncertain")
    assert (deed["code"], deed["message"], deed["askedAgainAt"]) == (None, None, iso(world.now))


async def test_the_deeds_of_one_lead_and_of_one_campaign(world: World) -> None:
    steps = [step("visit_profile"), step("message", after={"days": 1})]
    first, second = await world.campaign(steps), await world.campaign([step("manual_task", title="Call")])
    ada, bob = await world.add(first, "ada", "bob")
    (eve,) = await world.add(second, "eve")
    for name in ("ada", "eve"):
        world.recorder.answers[url(name)] = [Unknown("the line broke")]
    await world.run()
    assert await of_leads(world, state="done", lead_id=bob) == [bob]
    assert await of_leads(world, lead_id=bob) == []
    assert await of_leads(world, state="all", lead_id=ada, campaign_id=first) == [ada]
    assert await of_leads(world, state="all", lead_id=ada, campaign_id=second) == []
    assert await of_leads(world, campaign_id=second) == [eve]
    assert await of_leads(world, state="uncertain", campaign_id=first) == [ada]
    assert await of_leads(world, state="all") == [ada, bob, eve]


async def of_leads(world: World, **wanted: Any) -> list[str]:
    return [deed["leadId"].removeprefix("lead_") for deed in await listed(world, **wanted)]


@pytest.mark.parametrize("state", ["done", "failed", "cancelled", "all"])
async def test_what_no_index_has_is_refused(world: World, state: str) -> None:
    campaign = await world.campaign([step("connect")])
    with pytest.raises(InvalidRequest, match="campaignId"):
        await listed(world, state, campaign_id=campaign)


async def test_a_lead_or_campaign_that_is_not_there_is_told(client: httpx.AsyncClient) -> None:
    for query in ("leadId=x", "leadId=lead_0199c0ffee0070008000000000000001"):
        answer = await client.get(f"/v1/actions?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "lead_not_found")
    for query in ("campaignId=x", "campaignId=camp_0199c0ffee0070008000000000000001&state=done"):
        answer = await client.get(f"/v1/actions?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "campaign_not_found")
