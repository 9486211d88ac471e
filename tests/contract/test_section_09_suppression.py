"""Section 9 of the wire contract: the do-not-contact list and privacy."""

import pytest

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


async def test_9_each_lead_keeps_its_source(own, campaign, add, leads_of):
    told = await add(campaign, ["in/jane"], "?report=full")
    [lead] = await leads_of(campaign)
    [entry] = (await own.get(f"/v1/leads/{lead['id']}/history")).json()["entries"]
    assert (entry["type"], entry["detail"]["importId"]) == ("added", told["importId"])
    record = (await own.get(f"/v1/imports/{told['importId']}")).json()
    me = (await own.get("/v1/me")).json()["apiKey"]["id"]
    assert record["apiKeyId"] == me
    assert record["createdAt"]
