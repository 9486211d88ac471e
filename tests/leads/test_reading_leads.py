"""Lists, single leads, history and taking leads out, over HTTP."""

import pytest

LEAD_KEYS = {
    "id", "linkedinUrl", "status", "firstName", "lastName", "title", "company", "email", "customLeadStatus",
    "senderId", "campaignId", "createdAt", "updatedAt",
}  # fmt: skip
FULL_KEYS = LEAD_KEYS | {
    "about", "location", "industry", "website", "profilePictureUrl", "followerCount", "connectionCount", "isPremium",
    "isOpenProfile", "tags", "data",
}  # fmt: skip


async def test_pages_by_number_and_by_cursor_tell_the_same(client, campaign, add):
    await add(campaign, [f"in/p{i}" for i in range(25)])
    numbered, by_cursor, cursor = [], [], ""
    for page in (1, 2, 3, 4):
        answer = (await client.get(f"/v1/leads?campaignId={campaign}&limit=10&page={page}")).json()
        assert answer["pagination"] == {"total": 25, "page": page, "limit": 10, "totalPages": 3}
        numbered += [lead["linkedinUrl"] for lead in answer["leads"]]
    while cursor is not None:
        answer = (await client.get(f"/v1/leads?campaignId={campaign}&limit=10&cursor={cursor}")).json()
        by_cursor += [lead["linkedinUrl"] for lead in answer["leads"]]
        cursor = answer["nextCursor"]
    assert numbered == by_cursor == [f"in/p{i}" for i in range(25)]


async def test_a_list_by_cursor_does_not_say_the_page_that_it_ignores(client, campaign, add):
    await add(campaign, ["in/a", "in/b"])
    answer = (await client.get(f"/v1/leads?campaignId={campaign}&limit=1&cursor=&page=2")).json()
    assert [lead["linkedinUrl"] for lead in answer["leads"]] == ["in/a"]
    assert answer["pagination"]["page"] == 1


async def test_the_default_page_has_50_and_no_cursor(client, campaign, add):
    await add(campaign, [f"in/p{i}" for i in range(60)])
    answer = (await client.get(f"/v1/leads?campaignId={campaign}")).json()
    assert set(answer) == {"leads", "pagination"}
    assert len(answer["leads"]) == 50
    assert set(answer["leads"][0]) == LEAD_KEYS


@pytest.mark.parametrize("full", ["full=true", "full=1"])
async def test_full_adds_the_profile_and_the_custom_fields(client, campaign, add, full):
    await add(campaign, [{"linkedinUrl": "in/jane", "about": "Me", "website": 5, "location": "Oslo"}])
    [lead] = (await client.get(f"/v1/leads?campaignId={campaign}&{full}")).json()["leads"]
    assert set(lead) == FULL_KEYS
    assert (lead["about"], lead["website"], lead["location"]) == ("Me", None, "Oslo")
    assert (await client.get(f"/v1/leads/{lead['id']}?{full}")).json() == lead
    assert set((await client.get(f"/v1/leads/{lead['id']}")).json()) == LEAD_KEYS


async def test_the_status_filter(client, campaign, add):
    await add(campaign, ["in/a", "in/b"])
    first = (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"][0]["id"]
    assert (await client.delete(f"/v1/leads/{first}")).status_code == 200
    for status, count in (("STOPPED", 1), ("PENDING", 1), ("DONE", 0), ("NOT_INTERESTED", 0)):
        answer = (await client.get(f"/v1/leads?campaignId={campaign}&status={status}")).json()
        assert (len(answer["leads"]), answer["pagination"]["total"]) == (count, count)
    assert (await client.get("/v1/leads?status=pending")).status_code == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=0", 400), ("page=x", 400), ("page=99999999999999999999", 200), ("limit=0", 400), ("limit=101", 400),
        ("limit=100", 200), ("page=1000", 200), ("cursor=zz", 400), ("campaignId=camp_nope", 404), ("full=maybe", 400),
        ("status=", 400),
    ],
)  # fmt: skip
async def test_queries_at_their_edges(client, query, status):
    answer = await client.get(f"/v1/leads?{query}")
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("lead", ["lead_" + "0" * 32, "nope", "lead_", "camp_" + "0" * 32, "lead_%00"])
async def test_an_unknown_lead_is_404(client, lead):
    for method, path in (("GET", ""), ("GET", "/history"), ("DELETE", "")):
        answer = await client.request(method, f"/v1/leads/{lead}{path}")
        assert (answer.status_code, answer.json()["message"]) == (404, "Lead not found")


async def test_a_stopped_lead_stays_counted_and_a_duplicate(client, campaign, add):
    await add(campaign, ["in/jane"])
    [lead] = (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"]
    for _ in range(2):
        assert (await client.delete(f"/v1/leads/{lead['id']}")).json() == {
            "success": True, "leadId": lead["id"], "purged": False,
        }  # fmt: skip
    assert (await client.get(f"/v1/leads/{lead['id']}")).json()["status"] == "STOPPED"
    assert (await add(campaign, ["in/jane"]))["duplicatesSkipped"] == 1
    assert (await client.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 1
    changes = [e["detail"] for e in (await client.get(f"/v1/leads/{lead['id']}/history")).json()["entries"][1:]]
    assert changes == [{"previousStatus": "PENDING", "newStatus": "STOPPED"}]


async def test_a_purged_lead_is_as_if_never_added(client, campaign, add):
    await add(campaign, ["in/jane"])
    [lead] = (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"]
    assert (await client.delete(f"/v1/leads/{lead['id']}?purge=true")).json()["purged"] is True
    assert (await client.get(f"/v1/leads/{lead['id']}")).status_code == 404
    assert (await client.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 0
    assert (await add(campaign, ["in/jane"]))["leadsAdded"] == 1


async def test_history_begins_with_the_import_and_pages(client, campaign, add):
    told = await add(campaign, ["in/jane"], "?report=full")
    lead = told["results"][0]["leadId"]
    await client.delete(f"/v1/leads/{lead}")
    first = (await client.get(f"/v1/leads/{lead}/history?limit=1")).json()
    assert int(first["nextCursor"]) > 0  # some programs take "0" for nothing
    [entry] = first["entries"]
    assert (first["leadId"], entry["type"], entry["detail"]["importId"]) == (lead, "added", told["importId"])
    second = (await client.get(f"/v1/leads/{lead}/history?limit=1&cursor={first['nextCursor']}")).json()
    assert ([e["type"] for e in second["entries"]], second["nextCursor"]) == (["status_changed"], None)
    assert (await client.get(f"/v1/leads/{lead}/history?cursor=x")).status_code == 400


async def test_history_goes_on_while_there_is_more(client, campaign, add):
    lead = (await add(campaign, ["in/jane"], "?report=full"))["results"][0]["leadId"]
    for tag in "abc":
        await client.post(f"/v1/leads/{lead}/tags", json={"tag": tag})
    whole = (await client.get(f"/v1/leads/{lead}/history")).json()
    assert (len(whole["entries"]), whole["nextCursor"]) == (4, None)
    for limit in (1, 2, 3, 4, 5):
        pages, cursor = [], ""
        while cursor is not None:
            page = (await client.get(f"/v1/leads/{lead}/history?limit={limit}&cursor={cursor}")).json()
            pages.append(page["entries"])
            cursor = page["nextCursor"]
        assert [entry for page in pages for entry in page] == whole["entries"]
        assert len(pages) == -(-4 // limit)


async def test_the_import_record_tells_what_was_not_added(client, campaign, add):
    await add(campaign, ["in/known"])
    told = await add(campaign, ["in/new", "in/known", "nonsense"], "?report=full")
    record = (await client.get(f"/v1/imports/{told['importId']}")).json()
    counters = ("received", "leadsAdded", "leadsUpdated", "duplicatesSkipped", "invalidEntries")
    assert [record[name] for name in counters] == [3, 1, 0, 1, 1]
    assert [(o["index"], o["outcome"]) for o in record["outcomes"]] == [(1, "duplicate"), (2, "invalid")]
    assert record["outcomes"][0]["existingLeadId"] == told["results"][1]["existingLeadId"]
    listed = (await client.get(f"/v1/imports?campaignId={campaign}")).json()
    assert (listed["pagination"]["total"], listed["imports"][1]["id"]) == (2, told["importId"])
    for unknown in ("imp_" + "0" * 32, "nope"):
        assert (await client.get(f"/v1/imports/{unknown}")).json()["message"] == "Import not found"
