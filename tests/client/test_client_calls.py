"""Every call against the real server, by the asynchronous client; the blocking one makes the same requests."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from leadwright.client import (
    CampaignNotFound,
    Forbidden,
    InvalidCampaignAction,
    InvalidRequest,
    LeadNotFound,
    NotFound,
    RouteNotFound,
    SenderNotFound,
)

PERSON = "https://www.linkedin.com/in/jane-smith"
UNKNOWN = "0199c0ffee0070008000000000000001"


@pytest.fixture
async def campaign(direct):
    return (await direct.campaigns.create("Typed", description="Of a test")).id


async def test_leads_from_adding_to_taking_out(direct, campaign):
    rows = [{"linkedinUrl": PERSON, "firstName": "Jane", "score": 85}, {"linkedinUrl": "https://example.com"}]
    added = await direct.leads.add(campaign, rows, full_report=True)
    assert (added.leads_added, added.invalid_entries, added.errors[0].code) == (1, 1, "wrong_host")
    assert [result.outcome for result in added.results] == ["added", "invalid"]
    lead = await direct.leads.read(added.results[0].lead_id, full=True)
    assert (lead.first_name, lead.data, lead.status) == ("Jane", {"score": 85}, "PENDING")
    assert abs(lead.created_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert (await direct.leads.set_status(lead.id, "OPPORTUNITY", note="Said so")).status == "OPPORTUNITY"
    assert (await direct.leads.set_status(lead.id, custom_lead_status="INTERESTED")).success
    assert (await direct.leads.tag(lead.id, "hot / new")).tags == ["hot / new"]
    assert (await direct.leads.untag(lead.id, "hot / new")).tags == []
    entries = [entry.type async for entry in direct.leads.history(lead.id)]
    assert entries == ["added", "status_changed", "status_changed", "tags_changed", "tags_changed"]
    assert (await direct.leads.history_page(lead.id, limit=1)).next_cursor
    record = await direct.leads.read_import(added.import_id)
    assert (record.received, record.outcomes[0].code) == (2, "wrong_host")
    assert [each.id async for each in direct.leads.imports(campaign)] == [added.import_id]
    assert (await direct.leads.imports_page(campaign)).pagination.total == 1
    assert (await direct.leads.remove(lead.id, purge=True)).purged
    with pytest.raises(LeadNotFound):
        await direct.leads.read(lead.id)


async def test_filling_and_overwriting_and_dry_runs(direct, campaign):
    await direct.leads.add(campaign, [{"linkedinUrl": PERSON, "firstName": "Jane"}])
    row = {"linkedinUrl": PERSON, "firstName": "J."}
    assert (await direct.leads.add(campaign, [row], on_duplicate="overwrite", dry_run=True)).dry_run
    assert (await direct.leads.page(campaign)).leads[0].first_name == "Jane"
    assert (await direct.leads.add(campaign, [row], on_duplicate="overwrite")).leads_updated == 1
    assert (await direct.leads.page(campaign, status="PENDING", full=True)).leads[0].first_name == "J."


async def test_lists_are_walked_to_their_end(direct, campaign):
    await direct.leads.add(campaign, [{"linkedinUrl": f"in/p{n}"} for n in range(7)])
    found = [lead.linkedin_url async for lead in direct.leads.every(campaign, limit=3)]
    assert found == [f"in/p{n}" for n in range(7)]
    assert campaign in [each.id async for each in direct.campaigns.every("draft")]
    assert [lead async for lead in direct.leads.every(campaign, status="DONE")] == []


async def test_the_blocking_client_walks_too(blocking, campaign, direct):
    await direct.leads.add(campaign, [{"linkedinUrl": f"in/p{n}"} for n in range(5)])

    def work():
        with blocking() as client:
            return [lead.linkedin_url for lead in client.leads.every(campaign, limit=2)], client.account.me()

    found, me = await asyncio.to_thread(work)
    assert found == [f"in/p{n}" for n in range(5)]
    assert me.subscription.status == "active"


async def test_campaigns_from_making_to_deleting(direct):
    sequence = {"steps": [{"id": "visit", "type": "visit_profile"}]}
    made = await direct.campaigns.create(
        "Spring",
        sequence=sequence,
        acceptance_timeout={"days": 7},
        max_new_leads_per_day=5,
        missing_variable="skip_step",
    )
    assert (made.acceptance_timeout, made.max_new_leads_per_day, made.sequence["steps"][0]["id"]) == (
        {"days": 7},
        5,
        "visit",
    )
    assert (await direct.campaigns.edit(made.id, name="Summer", description=None)).name == "Summer"
    assert (await direct.campaigns.set_sequence(made.id, {"steps": []})).sequence_version == 2
    assert (await direct.campaigns.stats(made.id)).funnel.total_leads == 0
    sender = await direct.senders.create("Bo", "in/bo", "manual")
    await direct.campaigns.edit(made.id, sender_ids=[sender.id], sequence=sequence)
    assert (await direct.campaigns.start(made.id)).new_status == "started"
    assert (await direct.campaigns.pause(made.id)).message == "Campaign paused successfully"
    with pytest.raises(InvalidCampaignAction):
        await direct.campaigns.pause(made.id)
    await direct.campaigns.resume(made.id)
    await direct.campaigns.finish(made.id)
    assert (await direct.campaigns.read(made.id)).finished_by == "api"
    assert (await direct.campaigns.delete(made.id)).success
    await direct.senders.remove(sender.id)
    with pytest.raises(CampaignNotFound):
        await direct.campaigns.read(made.id)


async def test_the_account_and_its_keys(direct):
    assert (await direct.account.credit()).available == 1_000_000
    assert (await direct.account.workspace()).name == "Default"
    assert (await direct.account.rename_workspace("Default")).created_at.tzinfo is not None
    until = datetime.now(UTC) + timedelta(days=1)
    made = await direct.account.create_key("crm", scopes=["leads:read"], expires_at=until)
    assert made.secret.startswith("lw_live_")
    assert made.id in [key.id for key in (await direct.account.keys()).keys]
    assert (await direct.account.revoke_key(made.id)).success
    actions = [entry.action async for entry in direct.account.audit(action="create_key")]
    assert actions
    assert (await direct.account.audit_page(limit=1)).next_cursor


async def test_the_do_not_contact_list(direct):
    told = await direct.suppressions.add([{"company": "Typed Inc"}, {"email": "no"}], reason="asked")
    assert (told.added, told.errors[0].code) == (1, "invalid_email")
    [entry] = [each async for each in direct.suppressions.every(kind="company")]
    assert (entry.company, entry.email, entry.reason) == ("Typed Inc", None, "asked")
    assert (await direct.suppressions.page()).pagination.total == 1
    assert (await direct.suppressions.remove(entry.id)).success
    with pytest.raises(NotFound):
        await direct.suppressions.remove(entry.id)


async def test_one_persons_data(direct, campaign):
    await direct.leads.add(campaign, [{"linkedinUrl": "in/erased", "firstName": "Gone"}])
    held = await direct.privacy.export(linkedin_url="in/erased")
    assert (held.identity_keys, len(held.leads)) == (["slug:erased"], 1)
    assert (await direct.privacy.erase(linkedin_url="in/erased")).leads_erased == 1
    assert (await direct.privacy.export(email="gone@example.com")).leads == []


async def test_who_is_whom(direct):
    [person, nobody] = (await direct.leads.resolve([PERSON, "https://example.com"])).results
    assert (person.canonical, nobody.code) == ("slug:jane-smith", "wrong_host")
    joined = await direct.leads.join("in/typed", "in/ACoAATyped")
    assert joined.identity_key == "slug:typed"


async def test_the_feed_is_walked_from_a_cursor(direct, startable):
    campaign = startable
    await direct.campaigns.start(campaign)
    seen = []
    async with asyncio.timeout(30):
        while campaign not in seen:
            seen += [e.data["campaignId"] async for e in direct.events.every(types=["campaign.started"])]
    page = await direct.events.page(limit=1)
    assert (await direct.events.page(page.events[0].cursor)).events[:1] != page.events


async def test_webhook_endpoints(direct):
    made = await direct.webhooks.create("https://hooks.invalid/", name="CRM", events=["lead.updated"], enabled=False)
    assert made.secret.startswith("whsec_")
    assert made.id in [each.id for each in (await direct.webhooks.every()).webhooks]
    assert (await direct.webhooks.edit(made.id, event_names="legacy")).event_names == "legacy"
    assert (await direct.webhooks.rotate_secret(made.id)).secret != made.secret
    tested = await direct.webhooks.send_test(made.id, "lead.updated")
    assert (tested.success, tested.status_code) == (False, None)
    [delivery] = [each async for each in direct.webhooks.deliveries(made.id)]
    assert (await direct.webhooks.read_delivery(made.id, delivery.id)).id == tested.delivery_id
    assert (await direct.webhooks.redeliver_all(made.id, status="delivered")).redelivered == 0
    assert (await direct.webhooks.enable(made.id)).enabled
    assert (await direct.webhooks.read(made.id)).name == "CRM"
    assert (await direct.webhooks.delete(made.id)).success


async def test_faults_have_their_type_code_and_details(direct, campaign, make_key, base_url):
    with pytest.raises(InvalidRequest) as caught:
        await direct.leads.page(limit=0)
    assert [detail.path for detail in caught.value.details] == ["limit"]
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")
    assert caught.value.request_id.startswith("req_")
    with pytest.raises(SenderNotFound, match="Invalid request or sender not found"):
        await direct.campaigns.edit(campaign, sender_ids=[f"sender_{UNKNOWN}"])
    clerk = type(direct)(base_url, (await make_key("leads:write"))["X-API-Key"])
    with pytest.raises(Forbidden, match="Key lacks leads:read"):
        await clerk.leads.page()
    await clerk.close()


async def test_ids_are_encoded_in_paths(direct):
    for strange in ("a?b=c", "%00", "ü", "a b", "#"):
        with pytest.raises(LeadNotFound):
            await direct.leads.read(strange)
    for beyond in ("../campaigns", "a/b"):
        with pytest.raises(RouteNotFound):
            await direct.leads.read(beyond)


async def test_senders(direct):
    made = await direct.senders.create(
        "Ada Lovelace", "in/ada", "manual", first_name="Ada", limits={"messagesPerDay": 5}, ramp_up=None
    )
    assert (made.first_name, made.limits.messages_per_day, made.simulated) == ("Ada", 5, False)
    assert (await direct.senders.edit(made.id, name="Ada King")).name == "Ada King"
    assert made.id in [each.id async for each in direct.senders.every()]
    assert (await direct.senders.page()).pagination.total >= 1
    [quota] = [each for each in (await direct.senders.quotas()).senders if each.id == made.id]
    assert (quota.id, quota.quotas.messages.limit) == (made.id, 5)
    [standing] = [each for each in (await direct.senders.standing()).senders if each.id == made.id]
    assert (standing.remaining_messages, standing.messages_sent_today) == (5, 0)
    assert [each async for each in direct.inbox.conversations(made.id)] == []
    assert (await direct.inbox.conversations_page(made.id, unread=True)).pagination.has_more is False
    assert (await direct.senders.read(made.id)).channel == "manual"
    assert (await direct.senders.remove(made.id)).id == made.id
