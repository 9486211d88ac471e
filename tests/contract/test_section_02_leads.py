"""Section 2 of the wire contract: adding leads, reading them, saying what came of them."""

import json
from typing import Any

import pytest

from leadwright.leads.wire import ADD_LEADS_EXAMPLE

UNKNOWN = "0199c0ffee0070008000000000000001"
SEED_ROWS: list[dict[str, Any]] = ADD_LEADS_EXAMPLE["leads"]
FOUR_KEYS = ["success", "leadsAdded", "duplicatesSkipped", "invalidEntries"]
LEAD_KEYS = {
    *("id", "linkedinUrl", "status", "firstName", "lastName", "title", "company", "email"),
    *("customLeadStatus", "senderId", "campaignId", "createdAt", "updatedAt"),
}
FULL_KEYS = LEAD_KEYS | {
    *("about", "location", "industry", "website", "profilePictureUrl", "followerCount", "connectionCount"),
    *("isPremium", "isOpenProfile", "data"),
}
LISTED = """
PENDING PROCESSING MESSAGE_SENT CONNECTION_SENT CONNECTION_ACCEPTED CONNECTION_ALREADY_SENT REPLY_RECEIVED
FOLLOWUP_SENT BLOCKED PROFILE_UNREACHABLE RATE_LIMITED FAILED SUCCESS UNSUBSCRIBED IRRELEVANT SKIPPED DONE
MEETING_BOOKED OPPORTUNITY LIKED_POST MESSAGE_SCHEDULED CONNECTION_SCHEDULED LIKE_POST_SCHEDULED
VIEW_PROFILE_SCHEDULED CONNECTED CONNECTION_WITHDRAWN WITHDRAWAL_SCHEDULED WITHDRAWAL_NOT_POSSIBLE NOT_CONNECTED
ICP_MATCH ICP_NOT_MATCH PROFILE_VIEWED STARTED STOPPED WAITING
"""
STATUSES = LISTED.split()
OUTCOMES = ["OPPORTUNITY", "MEETING_BOOKED", "NOT_INTERESTED", "DONE", "UNSUBSCRIBED", "IRRELEVANT"]
CUSTOM = [
    *("LEAD", "INTERESTED", "MEETING_BOOKED", "MEETING_COMPLETE_NOT_CLOSED", "CLOSED", "WRONG_PERSON"),
    *("NOT_INTERESTED", "NO_RESPONSE"),
]


def counts(body: dict[str, Any]) -> tuple[int, int, int]:
    return body["leadsAdded"], body["duplicatesSkipped"], body["invalidEntries"]


async def test_2_the_seed_request_gets_the_seed_answer(own, campaign):
    answer = await own.post("/v1/leads", json={"campaignId": campaign, "leads": SEED_ROWS})
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "leadsAdded": 2, "duplicatesSkipped": 0, "invalidEntries": 0}
    assert list(answer.json()) == FOUR_KEYS


async def test_2_only_the_address_is_needed(campaign, add):
    assert counts(await add(campaign, ["https://www.linkedin.com/in/jane", {"firstName": "Jane"}])) == (1, 0, 1)


async def test_2_the_standard_fields_have_their_place(campaign, add, leads_of):
    row = {"firstName": "Jane", "lastName": "Smith", "company": "Acme", "title": "CEO", "email": "j@acme.example"}
    await add(campaign, [{"linkedinUrl": "linkedin.com/in/jane", **row}])
    [lead] = await leads_of(campaign, full="1")
    assert {name: lead[name] for name in row} == row
    assert lead["data"] == {}


@pytest.mark.parametrize("value", ["text", 85, 0.5, True, None])
async def test_2_every_other_key_is_a_custom_field_and_keeps_its_type(campaign, add, leads_of, value):
    await add(campaign, [{"linkedinUrl": "in/jane", "customScore": value}])
    [lead] = await leads_of(campaign, full="1")
    assert (lead["data"], type(lead["data"]["customScore"])) == ({"customScore": value}, type(value))


async def test_2_nested_extras_are_merged_and_a_flat_key_wins(campaign, add, leads_of):
    await add(campaign, [{"linkedinUrl": "in/jane", "customFields": {"a": 1, "b": 2}, "a": 3}])
    [lead] = await leads_of(campaign, full="1")
    assert lead["data"] == {"a": 3, "b": 2}


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], {}, []])
async def test_2_an_object_or_array_as_custom_value_makes_its_row_invalid(campaign, add, value):
    told = await add(campaign, ["in/a", {"linkedinUrl": "in/b", "nested": value}])
    assert counts(told) == (1, 0, 1)
    assert told["errors"][0]["index"] == 1
    assert "nested" in told["errors"][0]["reason"]


async def test_2_a_number_as_standard_field_becomes_its_text_and_null_stays_null(campaign, add, leads_of):
    await add(campaign, [{"linkedinUrl": "in/jane", "firstName": 5, "company": 2.5, "title": None}])
    [lead] = await leads_of(campaign)
    assert (lead["firstName"], lead["company"], lead["title"]) == ("5", "2.5", None)


@pytest.mark.parametrize("value", [True, {}, ["Jane"]])
async def test_2_anything_else_as_standard_field_makes_the_row_invalid(campaign, add, value):
    told = await add(campaign, [{"linkedinUrl": "in/jane", "firstName": value}])
    assert counts(told) == (0, 0, 1)
    assert "firstName" in told["errors"][0]["reason"]


async def test_2_four_custom_keys_also_show_in_the_profile_when_they_are_texts(campaign, add, leads_of):
    row = {"linkedinUrl": "in/jane", "industry": "Software", "website": "x.example", "location": "Berlin", "about": 5}
    await add(campaign, [row])
    [lead] = await leads_of(campaign, full="1")
    shown = (lead["industry"], lead["website"], lead["location"], lead["about"])
    assert shown == ("Software", "x.example", "Berlin", None)
    assert lead["data"] == {"industry": "Software", "website": "x.example", "location": "Berlin", "about": 5}


async def test_2_of_a_key_that_stands_twice_the_last_counts(own, campaign, leads_of):
    row = '{"linkedinUrl": "in/jane", "firstName": "A", "firstName": "B"}'
    body = f'{{"campaignId": "{campaign}", "leads": [{row}]}}'
    await own.post("/v1/leads", content=body, headers={"Content-Type": "application/json"})
    [lead] = await leads_of(campaign)
    assert lead["firstName"] == "B"


async def test_2_errors_stand_there_only_when_there_are_any_one_per_invalid_row(campaign, add):
    told = await add(campaign, ["in/jane", "https://example.com/jane", None])
    assert list(told) == [*FOUR_KEYS, "errors"]
    assert [set(error) for error in told["errors"]] == [{"index", "linkedinUrl", "reason", "code"}] * 2
    assert [(error["index"], error["linkedinUrl"]) for error in told["errors"]] == [
        (1, "https://example.com/jane"),
        (2, None),
    ]
    assert list(await add(campaign, ["in/jane"])) == FOUR_KEYS


async def test_2_the_counts_add_up_to_the_rows(campaign, add):
    rows = ["in/a", "in/a", "in/b", None, 5, {"linkedinUrl": "x y"}, {"linkedinUrl": "in/c", "z": {}}, "in/A/"]
    for _ in range(2):
        assert sum(counts(await add(campaign, rows))) == len(rows)


async def test_2_a_duplicate_is_the_same_person_in_this_campaign_or_earlier_in_the_request(
    make_campaign, add, leads_of
):
    campaign, other = await make_campaign(), await make_campaign()
    rows = ["https://www.linkedin.com/in/J%C3%BCrgen", "linkedin.com/in/jürgen/", "http://uk.linkedin.com/in/Jürgen?x"]
    assert counts(await add(campaign, rows)) == (1, 2, 0)
    assert counts(await add(campaign, rows)) == (0, 3, 0)
    assert counts(await add(other, rows[:1])) == (1, 0, 0)
    [lead] = await leads_of(campaign)
    assert lead["linkedinUrl"] == rows[0]


async def test_2_the_precedence_is_invalid_then_suppressed_then_duplicate(own, campaign, add):
    await add(campaign, ["in/jane"])
    await own.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/jane"}]})
    told = await add(campaign, [{"linkedinUrl": "in/jane", "x": {}}, "in/jane"])
    assert counts(told) == (0, 0, 2)
    assert [error["code"] for error in told["errors"]] == ["invalid_field", "suppressed"]


async def test_2_success_is_true_also_when_no_row_was_added(campaign, add):
    assert (await add(campaign, [None]))["success"] is True


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ('{"leads": [{"linkedinUrl": "in/jane"}]}', "campaignId"),
        ('{"campaignId": "CAMPAIGN"}', "leads"),
        ('{"campaignId": "CAMPAIGN", "leads": []}', "leads"),
        ('{"campaignId": "CAMPAIGN", "leads": {}}', "leads"),
        (json.dumps({"campaignId": "CAMPAIGN", "leads": [{"linkedinUrl": "in/jane"}] * 101}), "leads"),
    ],
)
async def test_2_a_fault_of_the_request_is_400_and_changes_nothing(own, campaign, leads_of, refused, content, field):
    content = content.replace("CAMPAIGN", campaign)
    answer = await own.post("/v1/leads", content=content, headers={"Content-Type": "application/json"})
    assert field in refused(answer, 400)["message"]
    assert await leads_of(campaign) == []


async def test_2_an_unknown_campaign_is_404(own, refused):
    for campaign in (f"camp_{UNKNOWN}", "anything"):
        body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
        refused(await own.post("/v1/leads", json=body), 404, "Campaign not found")


@pytest.mark.parametrize("actions", [[], ["start"], ["start", "pause"], ["start", "finish"]])
async def test_2_every_campaign_accepts_leads_and_says_whether_they_will_move(own, campaign, add, actions):
    for action in actions:
        assert (await own.patch(f"/v1/campaigns/{campaign}", json={"action": action})).status_code == 200
    told = await add(campaign, ["in/jane"], "?report=full")
    assert counts(told) == (1, 0, 0)
    assert told["willProcess"] is (actions == ["start"])
    assert told["willProcessReason"]


async def test_2_one_that_a_person_finished_stays_finished(own, campaign, add):
    for action in ("start", "finish"):
        await own.patch(f"/v1/campaigns/{campaign}", json={"action": action})
    await add(campaign, ["in/jane"])
    assert (await own.get(f"/v1/campaigns/{campaign}")).json()["status"] == "finished"


async def test_2_the_full_report_tells_of_every_row(own, campaign, add, leads_of):
    await add(campaign, ["in/old"])
    await own.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/stop"}]})
    rows = ["in/new", "in/new", "in/old", "in/stop", "https://example.com"]
    told = await add(campaign, rows, "?report=full")
    assert {"importId", "willProcess", "willProcessReason", "results"} <= told.keys()
    assert [(r["index"], r["outcome"]) for r in told["results"]] == [
        (0, "added"), (1, "duplicate_in_request"), (2, "duplicate"), (3, "suppressed"), (4, "invalid"),
    ]  # fmt: skip
    keys = {"index", "outcome", "leadId", "identityKey", "code", "reason", "existingLeadId"}
    assert all(set(result) == keys for result in told["results"])
    old, new = await leads_of(campaign)
    assert told["results"][0]["leadId"] == new["id"]
    assert told["results"][2]["existingLeadId"] == old["id"]


async def test_2_a_dry_run_takes_the_same_path_and_changes_nothing(own, make_campaign, add, leads_of):
    steps = [{"id": "hello", "type": "message", "text": "Hi {{firstName}} of {{city}}"}]
    campaign = await make_campaign(sequence={"steps": steps})
    again = {"linkedinUrl": "in/a", "firstName": "A", "city": "Rome"}
    rows = [{"linkedinUrl": "in/a", "firstName": "A"}, {"linkedinUrl": "in/b", "city": "Berlin"}, again, None]
    dry = await add(campaign, rows, "?dryRun=true")
    assert counts(dry) == (2, 1, 1)
    warned = {(warning["stepId"], warning["field"]): warning["rows"] for warning in dry["templateWarnings"]}
    assert warned[("hello", "firstName")] == [1]
    assert warned[("hello", "city")] == [0]
    assert await leads_of(campaign) == []
    assert counts(await add(campaign, rows)) == counts(dry)


async def test_2_a_dry_run_warns_of_rows_that_would_be_added_only(make_campaign, add):
    steps = [{"id": "hello", "type": "message", "text": "Hi {{firstName}}"}]
    campaign = await make_campaign(sequence={"steps": steps})
    await add(campaign, ["in/here"])
    dry = await add(campaign, ["in/new", "in/here", "in/New"], "?dryRun=true")
    assert dry["templateWarnings"] == [{"stepId": "hello", "field": "firstName", "rows": [0]}]


async def test_2_fill_sets_only_empty_fields_and_counts_as_updated(campaign, add, leads_of):
    await add(campaign, [{"linkedinUrl": "in/a", "firstName": "Ann", "score": 1}])
    row = {"linkedinUrl": "in/a", "firstName": "Bob", "company": "Acme", "score": 2, "city": "Rome"}
    told = await add(campaign, [row, "in/b"], onDuplicate="fill")
    assert (told["leadsAdded"], told["leadsUpdated"], told["duplicatesSkipped"]) == (1, 1, 0)
    first, _ = await leads_of(campaign, full="1")
    assert (first["firstName"], first["company"], first["data"]) == ("Ann", "Acme", {"score": 1, "city": "Rome"})


async def test_2_overwrite_replaces_fields_and_its_counts_add_up(campaign, add, leads_of):
    await add(campaign, [{"linkedinUrl": "in/a", "firstName": "Ann", "score": 1}])
    rows = [{"linkedinUrl": "in/a", "firstName": "Bob", "score": 2}, "in/b", None]
    told = await add(campaign, rows, onDuplicate="overwrite")
    assert told["leadsUpdated"] + sum(counts(told)) == len(rows)
    first, _ = await leads_of(campaign, full="1")
    assert (first["firstName"], first["data"]) == ("Bob", {"score": 2})


async def test_2_a_list_of_leads_has_its_envelope_and_default_limit(own, campaign, add):
    await add(campaign, ["in/jane"])
    body = (await own.get("/v1/leads")).json()
    assert set(body) == {"leads", "pagination"}
    assert body["pagination"] == {"total": 1, "page": 1, "limit": 50, "totalPages": 1}
    assert set(body["leads"][0]) == LEAD_KEYS


async def test_2_a_list_of_an_unknown_campaign_is_404(own, refused):
    refused(await own.get(f"/v1/leads?campaignId=camp_{UNKNOWN}"), 404, "Campaign not found")


@pytest.mark.parametrize("full", ["true", "1"])
async def test_2_full_adds_the_profile_and_the_custom_fields(own, campaign, add, leads_of, full):
    await add(campaign, [{"linkedinUrl": "in/jane", "score": 5}])
    [lead] = await leads_of(campaign, full=full)
    assert lead.keys() >= FULL_KEYS
    assert {lead[name] for name in FULL_KEYS - LEAD_KEYS - {"data"}} == {None}
    assert (await own.get(f"/v1/leads/{lead['id']}", params={"full": full})).json() == lead


async def test_2_a_lead_stands_at_top_level(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    assert (await own.get(f"/v1/leads/{lead['id']}")).json() == lead
    assert (lead["status"], lead["campaignId"], lead["senderId"]) == ("PENDING", campaign, None)


async def test_2_an_unknown_lead_is_404(own, refused):
    for path in ("", "/history"):
        refused(await own.get(f"/v1/leads/lead_{UNKNOWN}{path}"), 404, "Lead not found")
    refused(await own.patch(f"/v1/leads/lead_{UNKNOWN}/status", json={"status": "DONE"}), 404, "Lead not found")


@pytest.fixture
async def lead(campaign, add, leads_of) -> str:
    """The id of a campaign's only lead."""
    await add(campaign, ["https://www.linkedin.com/in/jane"])
    return (await leads_of(campaign))[0]["id"]


@pytest.mark.parametrize("body", [{}, {"note": "x"}, {"status": None}, {"status": None, "customLeadStatus": None}])
async def test_2_one_of_the_two_statuses_is_needed(own, lead, refused, body):
    answer = await own.patch(f"/v1/leads/{lead}/status", json=body)
    refused(answer, 400, "At least one of status or customLeadStatus is required")


@pytest.mark.parametrize("status", OUTCOMES)
async def test_2_an_outcome_status_is_set_and_told(own, lead, status):
    answer = await own.patch(f"/v1/leads/{lead}/status", json={"status": status})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True, "leadId": lead, "status": status, "message": f"Lead status updated to '{status}'",
    }  # fmt: skip
    assert (await own.get(f"/v1/leads/{lead}")).json()["status"] == status


async def test_2_a_status_that_the_sequence_manages_is_400(own, lead, refused):
    for status in [*STATUSES, "HAPPY", "opportunity", 5]:
        if status not in OUTCOMES:
            answer = await own.patch(f"/v1/leads/{lead}/status", json={"status": status})
            assert "status" in refused(answer, 400)["message"]
    assert (await own.get(f"/v1/leads/{lead}")).json()["status"] == "PENDING"


@pytest.mark.parametrize("status", CUSTOM)
async def test_2_a_custom_status_is_a_second_axis(own, lead, status):
    answer = await own.patch(f"/v1/leads/{lead}/status", json={"customLeadStatus": status, "note": "Said so"})
    assert (answer.status_code, answer.json()["success"], answer.json()["status"]) == (200, True, "PENDING")
    read = (await own.get(f"/v1/leads/{lead}")).json()
    assert (read["customLeadStatus"], read["status"]) == (status, "PENDING")
    history = (await own.get(f"/v1/leads/{lead}/history")).json()["entries"]
    assert "Said so" in str(history)


async def test_2_an_unknown_custom_status_is_400(own, lead, refused):
    answer = await own.patch(f"/v1/leads/{lead}/status", json={"customLeadStatus": "HAPPY"})
    assert "customLeadStatus" in refused(answer, 400)["message"]


async def test_2_unsubscribed_also_suppresses_the_person(own, lead, make_campaign, add):
    await own.patch(f"/v1/leads/{lead}/status", json={"status": "UNSUBSCRIBED"})
    told = await add(await make_campaign(), ["uk.linkedin.com/in/Jane/"])
    assert (counts(told), told["errors"][0]["code"]) == ((0, 0, 1), "suppressed")


async def test_2_setting_a_status_fires_lead_updated(own, campaign, lead, feed):
    body = {"status": "OPPORTUNITY", "customLeadStatus": "INTERESTED"}
    await own.patch(f"/v1/leads/{lead}/status", json=body)
    [event] = await feed(1, "lead.updated")
    assert event["data"] == {
        "leadId": lead,
        "campaignId": campaign,
        "linkedinUrl": "https://www.linkedin.com/in/jane",
        "previousStatus": "PENDING",
        "newStatus": "OPPORTUNITY",
        "customLeadStatus": "INTERESTED",
    }


async def test_2_a_lead_that_is_taken_out_stays_as_stopped_and_a_duplicate(own, campaign, lead, add):
    assert (await own.delete(f"/v1/leads/{lead}")).status_code == 200
    assert (await own.get(f"/v1/leads/{lead}")).json()["status"] == "STOPPED"
    assert (await own.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 1
    assert counts(await add(campaign, ["in/jane"])) == (0, 1, 0)


async def test_2_a_purged_lead_is_gone(own, campaign, lead, add, refused):
    assert (await own.delete(f"/v1/leads/{lead}?purge=true")).status_code == 200
    refused(await own.get(f"/v1/leads/{lead}"), 404, "Lead not found")
    assert (await own.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 0
    assert counts(await add(campaign, ["in/jane"])) == (1, 0, 0)


async def test_2_the_history_tells_everything_in_order(own, lead):
    await own.patch(f"/v1/leads/{lead}/status", json={"status": "OPPORTUNITY"})
    await own.post(f"/v1/leads/{lead}/tags", json={"tag": "hot"})
    entries = (await own.get(f"/v1/leads/{lead}/history")).json()["entries"]
    assert [entry["type"] for entry in entries] == ["added", "status_changed", "tags_changed"]


async def test_2_tags_fire_lead_tag_updated(own, campaign, lead, feed):
    await own.post(f"/v1/leads/{lead}/tags", json={"tag": "hot"})
    await own.delete(f"/v1/leads/{lead}/tags/hot")
    added, removed = await feed(2, "lead.tag.updated")
    told = {"leadId": lead, "campaignId": campaign, "linkedinUrl": "https://www.linkedin.com/in/jane"}
    assert added["data"] == told | {"tags": ["hot"], "newTag": "hot", "previousTag": None}
    assert removed["data"] == told | {"tags": [], "newTag": None, "previousTag": "hot"}


def test_2_there_are_35_words_beside_not_interested():
    assert len(STATUSES) == len(set(STATUSES)) == 35


@pytest.mark.parametrize("status", [*STATUSES, "NOT_INTERESTED"])
async def test_2_the_filter_accepts_every_status_word(own, campaign, lead, status):
    body = (await own.get("/v1/leads", params={"campaignId": campaign, "status": status})).json()
    assert [each["id"] for each in body["leads"]] == ([lead] if status == "PENDING" else [])
    assert body["pagination"]["total"] == (1 if status == "PENDING" else 0)


@pytest.mark.parametrize("status", ["HAPPY", "pending", "", "PENDING,DONE"])
async def test_2_any_other_status_word_is_400(own, refused, status):
    assert "status" in refused(await own.get("/v1/leads", params={"status": status}), 400)["message"]


async def test_2_a_lead_is_pending_until_the_first_deed(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    await own.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})
    assert [lead["status"] for lead in await leads_of(campaign)] == ["PENDING"]
