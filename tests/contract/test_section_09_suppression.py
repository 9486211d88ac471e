"""Section 9 of the wire contract: the do-not-contact list and privacy."""

import asyncio

import pytest
from tests.starting import add_sender

LISTED = [
    ({"linkedinUrl": "https://www.linkedin.com/in/Jane/"}, {"linkedinUrl": "in/jane"}),
    ({"email": "Jane@Acme.example"}, {"linkedinUrl": "in/other", "email": "jane@acme.example"}),
    ({"emailDomain": "acme.example"}, {"linkedinUrl": "in/other", "email": "anyone@ACME.example"}),
    ({"company": "Acme Inc"}, {"linkedinUrl": "in/other", "company": " acme  inc"}),
]


async def suppress(own, *entries):
    answer = await own.post("/v1/suppressions", json={"entries": list(entries), "reason": "asked"})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("entry", "row"), LISTED, ids=[next(iter(entry)) for entry, _ in LISTED])
async def test_9_each_kind_of_entry_is_checked_at_ingest(own, campaign, add, leads_of, entry, row):
    assert (await suppress(own, entry))["added"] == 1
    told = await add(campaign, [row, "in/free"])
    assert (told["leadsAdded"], told["errors"][0]["code"]) == (1, "suppressed")
    assert [lead["linkedinUrl"] for lead in await leads_of(campaign)] == ["in/free"]


async def test_9_the_list_is_the_whole_workspaces(own, make_campaign, add):
    await suppress(own, {"linkedinUrl": "in/jane"})
    for _ in range(2):
        assert (await add(await make_campaign(), ["in/jane"]))["invalidEntries"] == 1


async def test_9_the_list_is_one_workspaces_only(own, stranger, campaign, add):
    await suppress(stranger, {"linkedinUrl": "in/jane"})
    assert (await add(campaign, ["in/jane"]))["leadsAdded"] == 1


async def test_9_unsubscribed_adds_to_it(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    await own.patch(f"/v1/leads/{lead['id']}/status", json={"status": "UNSUBSCRIBED"})
    [entry] = (await own.get("/v1/suppressions")).json()["suppressions"]
    assert (entry["kind"], entry["linkedinUrl"]) == ("person", "in/jane")


async def test_9_nothing_is_kept_of_whom_an_invalid_row_was_about(own, campaign, add):
    rows = ["https://www.linkedin.com/in/jane smith", {"linkedinUrl": "in/jane", "firstName": []}]
    told = await add(campaign, rows, "?report=full")
    record = (await own.get(f"/v1/imports/{told['importId']}")).json()
    assert [(row["index"], row["code"]) for row in record["outcomes"]] == [(0, "bad_character"), (1, "invalid_field")]
    assert "jane" not in str(record)


async def test_9_each_lead_keeps_its_source(own, campaign, add, leads_of):
    told = await add(campaign, ["in/jane"], "?report=full")
    [lead] = await leads_of(campaign)
    [entry] = (await own.get(f"/v1/leads/{lead['id']}/history")).json()["entries"]
    assert (entry["type"], entry["detail"]["importId"]) == ("added", told["importId"])
    record = (await own.get(f"/v1/imports/{told['importId']}")).json()
    me = (await own.get("/v1/me")).json()["apiKey"]["id"]
    assert record["apiKeyId"] == me
    assert record["createdAt"]


PERSON = {"linkedinUrl": "in/jane", "email": "Jane@acme.example", "company": "Acme Inc"}
PERFORMING = {
    "senderIds": [],
    "sequence": {"steps": [{"id": "visit", "type": "visit_profile"}, {"id": "invite", "type": "connect"}]},
}


@pytest.fixture
def started(own, make_campaign, leads_of):
    """Starts a campaign, and answers its lead once the engine is through with it."""

    async def start(campaign):
        answer = await own.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(90):
            while True:
                [lead] = await leads_of(campaign)
                if lead["status"] not in ("PENDING", "PROFILE_VIEWED"):
                    return lead

    return start


@pytest.fixture
def make_performing(own, make_campaign):
    """Makes a campaign whose first deeds are due as soon as it is started."""

    async def make():
        sender = await add_sender(own, limits={"minGap": {"seconds": 0}})
        return await make_campaign(**PERFORMING | {"senderIds": [sender]})

    return make


async def nothing_was_done(own, lead):
    entries = (await own.get(f"/v1/leads/{lead['id']}/history")).json()["entries"]
    told = [entry["detail"]["newStatus"] for entry in entries if entry["type"] == "status_changed"]
    assert told == [lead["status"]] == ["SKIPPED"]
    senders = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert {sender["connectionsSentToday"] for sender in senders} == {0}


@pytest.mark.parametrize(
    "entry",
    [
        {"linkedinUrl": "in/Jane"},
        {"email": "jane@ACME.example"},
        {"emailDomain": "acme.example"},
        {"company": "ACME  inc"},
    ],
    ids=lambda entry: next(iter(entry)),
)
async def test_9_each_kind_of_entry_stops_whose_deed_is_due(own, make_performing, add, started, entry):
    campaign = await make_performing()
    await add(campaign, [PERSON])
    await suppress(own, entry)
    lead = await started(campaign)
    await nothing_was_done(own, lead)
    why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert (why["nextStep"], {held["rule"] for held in why["heldBy"]} <= {"suppressed", "finished"}) == (None, True)


async def test_9_who_unsubscribed_in_one_campaign_is_not_approached_by_another(
    own, make_performing, add, leads_of, started
):
    one, other = await make_performing(), await make_performing()
    for campaign in (one, other):
        await add(campaign, [PERSON])
    [lead] = await leads_of(one)
    await own.patch(f"/v1/leads/{lead['id']}/status", json={"status": "UNSUBSCRIBED"})
    await nothing_was_done(own, await started(other))
    assert (await leads_of(one))[0]["status"] == "UNSUBSCRIBED"
