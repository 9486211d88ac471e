"""Adding leads over HTTP: the seed request, duplicates, custom fields, refusals, reports, dry runs, updates."""

import json
from typing import Any

import httpx
import pytest
from tests.starting import startable

from leadwright import ids

SEED_LEADS = json.loads(
    """
    [
      {
        "linkedinUrl": "https://www.linkedin.com/in/john-doe",
        "firstName": "John",
        "lastName": "Doe",
        "company": "TechCorp",
        "title": "VP of Engineering",
        "industry": "Technology",
        "region": "North America"
      },
      {
        "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
        "firstName": "Jane",
        "lastName": "Smith",
        "referredBy": "Conference 2024",
        "customScore": 85,
        "icebreaker": "Loved your talk on AI automation"
      }
    ]
    """
)


async def test_the_seed_request_gets_the_seeds_answer(campaign, add):
    assert await add(campaign, SEED_LEADS) == {
        "success": True,
        "leadsAdded": 2,
        "duplicatesSkipped": 0,
        "invalidEntries": 0,
    }
    assert await add(campaign, SEED_LEADS) == {
        "success": True,
        "leadsAdded": 0,
        "duplicatesSkipped": 2,
        "invalidEntries": 0,
    }


async def test_custom_fields_keep_their_type_and_the_standard_ones_their_place(campaign, add, read_all):
    await add(campaign, SEED_LEADS)
    john, jane = await read_all(campaign)
    assert jane["data"] == {
        "referredBy": "Conference 2024",
        "customScore": 85,
        "icebreaker": "Loved your talk on AI automation",
    }
    assert type(jane["data"]["customScore"]) is int
    assert (john["industry"], john["data"]["industry"], john["about"]) == ("Technology", "Technology", None)
    assert (john["firstName"], john["title"], john["email"]) == ("John", "VP of Engineering", None)
    assert john["linkedinUrl"] == SEED_LEADS[0]["linkedinUrl"]
    assert john["status"] == "PENDING"


@pytest.mark.parametrize(
    "value",
    [
        "text", "", 85, -1, 2**63, 2**64 - 1, -(2**63), 0.5, 1.5e-7, 5e-324, 1e20, 1e300, -1e300,
        1.7976931348623157e308, True, False, None, "ünï 🦊", "{{x}} {a|b}", "' -- ; \\ \"",
    ],
)  # fmt: skip
async def test_every_scalar_survives(make_campaign, add, read_all, value):
    campaign = await make_campaign()
    await add(campaign, [{"linkedinUrl": "in/jane", "Job Title ": value}])
    [lead] = await read_all(campaign)
    assert lead["data"] == {"Job Title ": value}
    assert type(lead["data"]["Job Title "]) is type(value)


async def test_custom_fields_of_older_clients_are_merged_and_a_flat_key_wins(campaign, add, read_all):
    row = {
        "linkedinUrl": "in/jane",
        "customFields": {"score": 1, "region": "EU", "company": "Nested", "firstName": "Nested"},
        "score": 2,
        "firstName": "Flat",
    }
    await add(campaign, [row])
    [lead] = await read_all(campaign)
    assert lead["data"] == {"score": 2, "region": "EU"}
    assert (lead["firstName"], lead["company"]) == ("Flat", "Nested")


async def test_the_last_of_a_key_that_stands_twice_counts(client, campaign, read_all):
    body = f'{{"campaignId": "{campaign}", "leads": [{{"linkedinUrl": "in/jane", "a": 1, "a": 2}}]}}'
    answer = await client.post("/v1/leads", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["leadsAdded"] == 1
    [lead] = await read_all(campaign)
    assert lead["data"] == {"a": 2}


async def test_custom_fields_cannot_touch_a_leads_own_properties(campaign, add, read_all):
    row = {"linkedinUrl": "in/jane", "id": "mine", "status": "DONE", "campaignId": "other", "data": "x", "sender": "y"}
    await add(campaign, [row])
    [lead] = await read_all(campaign)
    assert lead["status"] == "PENDING"
    assert lead["id"].startswith("lead_")
    assert lead["campaignId"] == campaign
    assert lead["data"] == {"id": "mine", "status": "DONE", "campaignId": "other", "data": "x", "sender": "y"}


async def test_duplicates_are_decided_by_person(campaign, add):
    spellings = ["https://www.linkedin.com/in/john-doe", "linkedin.com/in/John-Doe/", "uk.linkedin.com/in/john-doe?x=1"]
    first = await add(campaign, spellings)
    assert (first["leadsAdded"], first["duplicatesSkipped"]) == (1, 2)
    again = await add(campaign, [*spellings, "in/jane"])
    assert (again["leadsAdded"], again["duplicatesSkipped"]) == (1, 3)


async def test_the_same_person_can_be_in_two_campaigns(make_campaign, add):
    for campaign in (await make_campaign(), await make_campaign()):
        assert (await add(campaign, ["in/john"]))["leadsAdded"] == 1


async def test_the_first_valid_occurrence_wins(campaign, add, read_all):
    rows = [{"linkedinUrl": "in/jane", "x": {}}, {"linkedinUrl": "in/jane", "n": 1}, {"linkedinUrl": "in/Jane", "n": 2}]
    told = await add(campaign, rows, "?report=full")
    assert [r["outcome"] for r in told["results"]] == ["invalid", "added", "duplicate_in_request"]
    [lead] = await read_all(campaign)
    assert lead["data"] == {"n": 1}


BAD_ROWS: list[tuple[Any, str]] = [
    (None, "not_an_object"),
    (3, "not_an_object"),
    ("in/jane", "not_an_object"),
    ([], "not_an_object"),
    ({}, "empty"),
    ({"linkedinUrl": ""}, "empty"),
    ({"linkedinUrl": None}, "not_a_string"),
    ({"linkedinUrl": 5}, "not_a_string"),
    ({"linkedinUrl": "https://example.com/in/jane"}, "wrong_host"),
    ({"linkedinUrl": "in/jane\0"}, "bad_character"),
    ({"linkedinUrl": "in/" + "x" * 5000}, "too_long"),
    ({"linkedinUrl": "in/jane", "firstName": True}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "firstName": ["Jane"]}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "email": {}}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "firstName": "x" * 100_000}, "too_long"),
    ({"linkedinUrl": "in/jane", "tags": ["a"]}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "nested": {"a": 1}}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "customFields": {"a": {"b": 1}}}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "customFields": "a"}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "big": 2**64}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "big": -(2**63) - 1}, "invalid_field"),
    ({"linkedinUrl": "in/jane", "long": "x" * 20_000}, "too_long"),
    ({"linkedinUrl": "in/jane", "n" * 101: 1}, "too_long"),
    ({"linkedinUrl": "in/jane", "nul": "a\0b"}, "bad_character"),
    ({"linkedinUrl": "in/jane", "a\0": 1}, "bad_character"),
    ({"linkedinUrl": "in/jane"} | {f"f{i}": i for i in range(500)}, "too_many_fields"),
]


@pytest.mark.parametrize(("row", "code"), BAD_ROWS)
async def test_a_bad_row_is_refused_with_its_index_and_holds_up_no_other(client, make_campaign, read_all, row, code):
    campaign = await make_campaign()
    leads = [{"linkedinUrl": "in/before"}, row, {"linkedinUrl": "in/after"}]
    answer = await client.post("/v1/leads", json={"campaignId": campaign, "leads": leads})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["leadsAdded"], told["invalidEntries"]) == (2, 1)
    [error] = told["errors"]
    assert (error["index"], error["code"]) == (1, code)
    assert error["reason"]
    assert len(json.dumps(error)) < 3000
    assert [lead["linkedinUrl"] for lead in await read_all(campaign)] == ["in/before", "in/after"]


@pytest.mark.parametrize(
    "row",
    ['{"a": 1e400}', '{"a": "\\ud800"}', '{"linkedinUrl": "in/x", "b": -1e999}', '{"linkedinUrl": "in/x", "b": "ü"}'],
)
async def test_a_row_that_cannot_be_decoded_is_refused_alone(client, campaign, row):
    body = f'{{"campaignId": "{campaign}", "leads": [{{"linkedinUrl": "in/before"}}, {row}]}}'
    answer = await client.post(
        "/v1/leads", content=body.encode("latin-1"), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    assert [(e["code"], e["linkedinUrl"]) for e in answer.json()["errors"]] == [("invalid_json", None)]
    assert answer.json()["leadsAdded"] == 1


async def test_numbers_become_text_in_standard_fields(campaign, add, read_all):
    await add(campaign, [{"linkedinUrl": "in/jane", "firstName": 42, "company": 1.5, "lastName": None}])
    [lead] = await read_all(campaign)
    assert (lead["firstName"], lead["company"], lead["lastName"]) == ("42", "1.5", None)


BAD_ENVELOPES: list[tuple[Any, str]] = [
    ([], "JSON object"),
    ("x", "JSON object"),
    (None, "JSON object"),
    ({}, "campaignId"),
    ({"campaignId": "CAMPAIGN"}, "leads"),
    ({"campaignId": "CAMPAIGN", "leads": None}, "leads"),
    ({"campaignId": "CAMPAIGN", "leads": {"linkedinUrl": "in/jane"}}, "leads"),
    ({"campaignId": "CAMPAIGN", "leads": "in/jane"}, "leads"),
    ({"campaignId": "CAMPAIGN", "leads": []}, "leads"),
    ({"campaignId": "CAMPAIGN", "leads": [{"linkedinUrl": f"in/p{i}"} for i in range(101)]}, "leads"),
    ({"campaignId": 5, "leads": [{"linkedinUrl": "in/jane"}]}, "campaignId"),
    ({"campaignId": "", "leads": [{"linkedinUrl": "in/jane"}]}, "campaignId"),
    ({"leads": [{"linkedinUrl": "in/jane"}]}, "campaignId"),
    ({"campaignId": "CAMPAIGN", "leads": [{"linkedinUrl": "in/jane"}], "onDuplicate": "replace"}, "onDuplicate"),
    ({"campaignId": "CAMPAIGN", "leads": [{"linkedinUrl": "in/jane"}], "onDuplicate": ["fill"]}, "onDuplicate"),
]


@pytest.mark.parametrize(("body", "named"), BAD_ENVELOPES)
async def test_a_bad_envelope_is_400_names_the_field_and_changes_nothing(client, make_campaign, read_all, body, named):
    campaign = await make_campaign()
    sent = json.loads(json.dumps(body).replace("CAMPAIGN", campaign))
    answer = await client.post("/v1/leads", content=json.dumps(sent), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert await read_all(campaign) == []


@pytest.mark.parametrize("campaign_id", ["camp_xyz789", "camp_" + "0" * 32, "nonsense", "lead_" + "0" * 32, "camp_\0"])
async def test_an_unknown_campaign_is_404(client, campaign_id):
    body = {"campaignId": campaign_id, "leads": [{"linkedinUrl": "in/jane"}]}
    answer = await client.post("/v1/leads", json=body)
    assert (answer.status_code, answer.json()["message"]) == (404, "Campaign not found")


async def test_another_workspaces_campaign_is_unknown(client, campaign, other_headers):
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    answer = await client.post("/v1/leads", json=body, headers=other_headers)
    assert (answer.status_code, answer.json()["message"]) == (404, "Campaign not found")
    assert (await client.get(f"/v1/leads?campaignId={campaign}")).json()["pagination"]["total"] == 0


async def test_suppressed_people_are_invalid_whatever_names_them(client, campaign, add):
    entries = [
        {"linkedinUrl": "https://uk.linkedin.com/in/Do-Not-Contact/"},
        {"email": "Gone@Example.com"},
        {"emailDomain": "competitor.example"},
        {"company": "Evil  Corp"},
    ]
    assert (await client.post("/v1/suppressions", json={"entries": entries, "reason": "asked"})).json()["added"] == 4
    rows = [
        "in/do-not-contact",
        {"linkedinUrl": "in/a1", "email": "gone@example.com"},
        {"linkedinUrl": "in/a2", "email": "Any.One@Competitor.example"},
        {"linkedinUrl": "in/a3", "company": "evil corp"},
        {"linkedinUrl": "in/a4", "company": "Good Corp", "email": "a@example.com"},
    ]
    told = await add(campaign, rows, "?report=full")
    assert [r["outcome"] for r in told["results"]] == ["suppressed"] * 4 + ["added"]
    assert {e["code"] for e in told["errors"]} == {"suppressed"}


async def test_suppressed_comes_before_duplicate(client, campaign, add):
    assert (await add(campaign, ["in/later-suppressed"]))["leadsAdded"] == 1
    await client.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/later-suppressed"}]})
    assert (await add(campaign, ["in/later-suppressed"]))["invalidEntries"] == 1


async def test_the_full_report_tells_every_row(campaign, add, read_all):
    await add(campaign, ["in/known"])
    told = await add(campaign, ["in/new", "in/known", "in/NEW", "nonsense"], "?report=full")
    new, known, again, bad = told["results"]
    leads = {lead["linkedinUrl"]: lead["id"] for lead in await read_all(campaign)}
    assert (new["outcome"], new["leadId"], new["identityKey"]) == ("added", leads["in/new"], "slug:new")
    assert (known["outcome"], known["leadId"], known["existingLeadId"]) == ("duplicate", None, leads["in/known"])
    assert (again["outcome"], again["existingLeadId"]) == ("duplicate_in_request", leads["in/new"])
    assert (bad["outcome"], bad["identityKey"]) == ("invalid", None)
    assert [r["index"] for r in told["results"]] == [0, 1, 2, 3]
    assert told["importId"].startswith("imp_")


async def test_will_process_says_what_is_in_the_way(client, database, make_campaign, add):
    campaign = await make_campaign()
    told = await add(campaign, ["in/a"], "?report=full")
    assert (told["willProcess"], "draft" in told["willProcessReason"]) == (False, True)
    started = await make_campaign(**await startable(client))
    assert (await client.patch(f"/v1/campaigns/{started}", json={"action": "start"})).status_code == 200
    told = await add(started, ["in/a"], "?report=full")
    assert (told["willProcess"], told["willProcessReason"]) == (True, "The campaign is started")
    async with database.session() as connection:  # as an older version let it be edited
        await connection.execute(
            """UPDATE campaign_sequence SET sequence = '{"steps": []}' WHERE campaign_id = %s""",
            (ids.bare(ids.Prefix.CAMPAIGN, started),),
        )
    assert "no steps" in (await add(started, ["in/a"], "?report=full"))["willProcessReason"]


async def test_a_removed_sender_is_none(client, make_campaign, add):
    ready = await startable(client)
    campaign = await make_campaign(**ready)
    await client.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})
    assert (await client.delete(f"/v1/senders/{ready['senderIds'][0]}")).status_code == 200
    told = await add(campaign, ["in/a"], "?report=full")
    assert (told["willProcess"], "no sender" in told["willProcessReason"]) == (False, True)


async def test_a_dry_run_tells_the_same_and_changes_nothing(client, make_campaign, add, read_all):
    steps = [
        {"id": "hi", "type": "message", "text": "Hi {{firstName}}, {{icebreaker | default: 'hello'}} {{Job Title}}"}
    ]
    campaign = await make_campaign(sequence={"steps": steps})
    await add(campaign, ["in/known"])
    rows = [{"linkedinUrl": "in/a", "firstName": "A", "Job Title": "CEO"}, {"linkedinUrl": "in/b"}, "in/known", "bad"]
    tried = await add(campaign, rows, "?dryRun=true&report=full")
    assert [r["outcome"] for r in tried["results"]] == ["added", "added", "duplicate", "invalid"]
    assert (tried["dryRun"], tried["importId"], tried["results"][0]["leadId"]) == (True, None, None)
    warnings = {(w["stepId"], w["field"]): w["rows"] for w in tried["templateWarnings"]}
    assert warnings == {("hi", "firstName"): [1], ("hi", "Job Title"): [1]}
    assert len(await read_all(campaign)) == 1
    assert (await client.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 1
    done = await add(campaign, rows, "?report=full")
    assert [r["outcome"] for r in done["results"]] == [r["outcome"] for r in tried["results"]]


async def test_fill_writes_only_what_is_empty(campaign, add, read_all):
    await add(campaign, [{"linkedinUrl": "in/jane", "firstName": "Jane", "company": "", "a": 1, "b": None}])
    row = {"linkedinUrl": "in/jane", "firstName": "Other", "company": "Corp", "title": "CEO", "a": 2, "b": 3, "c": 4}
    told = await add(campaign, [row, "in/new"], onDuplicate="fill")
    assert (told["leadsAdded"], told["leadsUpdated"], told["duplicatesSkipped"]) == (1, 1, 0)
    jane = (await read_all(campaign))[0]
    assert (jane["firstName"], jane["company"], jane["title"]) == ("Jane", "Corp", "CEO")
    assert jane["data"] == {"a": 1, "b": 3, "c": 4}
    again = await add(campaign, [row], onDuplicate="fill")
    assert (again["leadsUpdated"], again["duplicatesSkipped"]) == (0, 1)


async def test_overwrite_writes_what_is_sent_and_keeps_the_rest(campaign, add, read_all):
    await add(campaign, [{"linkedinUrl": "in/jane", "firstName": "Jane", "lastName": "Smith", "a": 1, "z": 9}])
    row = {"linkedinUrl": "in/JANE", "firstName": "Joan", "a": "two"}
    told = await add(campaign, [row], "?report=full", onDuplicate="overwrite")
    [jane] = await read_all(campaign)
    assert (told["results"][0]["outcome"], told["results"][0]["leadId"]) == ("updated", jane["id"])
    assert (jane["firstName"], jane["lastName"], jane["data"]) == ("Joan", "Smith", {"a": "two", "z": 9})
    again = await add(campaign, [row], onDuplicate="overwrite")
    assert (again["leadsUpdated"], again["duplicatesSkipped"]) == (0, 1)


async def test_a_campaign_counts_its_leads_exactly(client, campaign, add):
    await add(campaign, ["in/a", "in/b", "in/a"])
    await add(campaign, ["in/b", "in/c"])
    assert (await client.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 3


async def test_a_key_without_the_scope_may_not(client: httpx.AsyncClient, make_key, campaign):
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    answer = await client.post("/v1/leads", json=body, headers=await make_key("leads:read"))
    assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks leads:write")
