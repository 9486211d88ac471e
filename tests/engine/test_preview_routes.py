"""Looking at a campaign before it runs: previews, validations, refused starts; and its leads: why, and forecasts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.starting import SLEEPING, add_sender

STEPS: list[dict[str, Any]] = [
    {"id": "visit", "type": "visit_profile"},
    {
        "id": "invite",
        "type": "connect",
        "after": {"hours": 2},
        "note": "{Hi|Hello} {{firstName}}, {{sender.firstName}}",
    },
    {"id": "hello", "type": "message", "variants": [{"text": "A {{ Job Title }}"}, {"text": "B {{icebreaker}}"}]},
    {"id": "mail", "type": "email", "subject": "{{company}}", "text": "x"},
]
PERSON = {"linkedinUrl": "https://www.linkedin.com/in/ada", "firstName": "Ada", "jobTitle": "CEO"}


async def make(client: httpx.AsyncClient, *rows: dict[str, Any], **fields: Any) -> str:
    answer = await client.post("/v1/campaigns", json={"name": "Looked at", **fields})
    assert answer.status_code == 201, answer.text
    campaign = answer.json()["id"]
    if rows:
        added = await client.post("/v1/leads", json={"campaignId": campaign, "leads": list(rows)})
        assert added.json()["leadsAdded"] == len(rows)
    return campaign


async def leads_of(client: httpx.AsyncClient, campaign: str) -> list[dict[str, Any]]:
    return (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"]


async def preview(client: httpx.AsyncClient, campaign: str, **body: Any) -> Any:
    answer = await client.post(f"/v1/campaigns/{campaign}/preview", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def validate(client: httpx.AsyncClient, campaign: str) -> Any:
    answer = await client.post(f"/v1/campaigns/{campaign}/validate")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def start(client: httpx.AsyncClient, campaign: str) -> httpx.Response:
    return await client.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})


class TestPreview:
    async def test_it_shows_each_step_as_the_lead_gets_it(self, client: httpx.AsyncClient) -> None:
        sender = await add_sender(client, name="Max Muster")
        campaign = await make(client, PERSON, sequence={"steps": STEPS}, senderIds=[sender])
        [lead] = await leads_of(client, campaign)
        shown = await preview(client, campaign, leadId=lead["id"])
        assert shown["lead"] == {"id": lead["id"], "linkedinUrl": PERSON["linkedinUrl"]}
        assert shown["sender"] == {"id": sender, "name": "Max Muster"}
        visit, invite, hello, mail = shown["steps"]
        assert [step["sequenceStep"] for step in shown["steps"]] == [1, 2, 3, 4]
        assert (visit["type"], visit["variants"], visit["problems"]) == ("visit_profile", [], [])
        assert invite["note"] in ("Hi Ada, Max", "Hello Ada, Max")
        assert invite["after"] == {"hours": 2}
        texts = [(each["text"], each["missing"]) for each in hello["variants"]]
        assert texts == [("A CEO", []), (None, ["icebreaker"])]
        given = next(each for each in hello["variants"] if each["isGiven"])
        assert (hello["text"], hello["missing"]) == (given["text"], given["missing"])
        assert mail["missing"] == ["email", "company"]
        assert await preview(client, campaign, linkedinUrl="linkedin.com/in/ADA/") == shown

    async def test_anybody_can_be_tried(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, sequence={"steps": STEPS[1:2]})
        shown = await preview(client, campaign, lead={"linkedinUrl": "in/jane", "firstName": "Jane"})
        assert (shown["lead"]["id"], shown["sender"]) == (None, None)
        assert shown["steps"][0]["missing"] == ["sender.firstName"]
        other = await add_sender(client, name="Eva Klein")
        shown = await preview(client, campaign, lead={"linkedinUrl": "in/jane", "firstName": "Jane"}, senderId=other)
        assert shown["steps"][0]["note"].endswith("Jane, Eva")
        assert await leads_of(client, campaign) == []

    async def test_what_is_too_long_is_told(self, client: httpx.AsyncClient) -> None:
        steps = [
            {"id": "note", "type": "connect", "note": "{{long}}"},
            {"id": "text", "type": "message", "text": "{{long}}"},
        ]
        campaign = await make(client, sequence={"steps": steps})
        for length, told in ((300, [[], []]), (301, [["note"], []]), (8001, [["note"], ["text"]])):
            shown = await preview(client, campaign, lead={"linkedinUrl": "in/jane", "long": "x" * length})
            problems = [[problem.split()[1] for problem in step["problems"]] for step in shown["steps"]]
            assert problems == told

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 400, "invalid_request"),
            ({"leadId": "lead_" + "0" * 32, "linkedinUrl": "in/x"}, 400, "invalid_request"),
            ({"leadId": "lead_" + "0" * 32}, 404, "lead_not_found"),
            ({"leadId": "nonsense"}, 404, "lead_not_found"),
            ({"linkedinUrl": "in/nobody-here"}, 404, "lead_not_found"),
            ({"linkedinUrl": "https://example.com/"}, 400, "invalid_request"),
            ({"lead": {"linkedinUrl": "nonsense"}}, 400, "invalid_request"),
            ({"lead": 5}, 400, "invalid_request"),
            ({"lead": {"linkedinUrl": "in/x"}, "senderId": "x"}, 400, "sender_not_found"),
            ({"lead": {"linkedinUrl": "in/x"}, "senderId": "sender_" + "0" * 32}, 400, "sender_not_found"),
        ],
    )
    async def test_what_cannot_be_previewed(
        self, client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
    ) -> None:
        campaign = await make(client, sequence=SLEEPING)
        answer = await client.post(f"/v1/campaigns/{campaign}/preview", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_a_lead_of_another_campaign_is_an_unknown_one(self, client: httpx.AsyncClient) -> None:
        [lead] = await leads_of(client, await make(client, PERSON))
        other = await make(client)
        answer = await client.post(f"/v1/campaigns/{other}/preview", json={"leadId": lead["id"]})
        assert answer.status_code == 404


class TestValidation:
    async def test_it_counts_what_leads_lack_at_each_step(self, client: httpx.AsyncClient) -> None:
        rows = [
            PERSON,
            {"linkedinUrl": "in/b", "firstName": " ", "icebreaker": "x", "Company Name": "Acme"},
            {"linkedinUrl": "in/c", "email": "c@example.com"},
        ]
        sender = await add_sender(client)
        campaign = await make(client, *rows, sequence={"steps": STEPS[:3]}, senderIds=[sender])
        found = await validate(client, campaign)
        assert (found["canStart"], found["reasons"], found["leads"]) == (True, [], 3)
        lacks = {
            step["id"]: {lack["field"]: lack["leads"] for lack in step["missingFields"]} for step in found["steps"]
        }
        assert lacks == {"visit": {}, "invite": {"firstName": 2}, "hello": {"Job Title": 2, "icebreaker": 2}}
        assert [step["leadsLacking"] for step in found["steps"]] == [0, 2, 3]
        leads = [lead["id"] for lead in await leads_of(client, campaign)]
        assert found["steps"][1]["missingFields"][0]["examples"] == leads[1:]

    async def test_leads_that_are_through_are_not_counted(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, {"linkedinUrl": "in/a"}, {"linkedinUrl": "in/b"}, sequence={"steps": STEPS[1:2]})
        first, _ = await leads_of(client, campaign)
        await client.delete(f"/v1/leads/{first['id']}")
        found = await validate(client, campaign)
        assert (found["leads"], found["steps"][0]["missingFields"][0]["leads"]) == (1, 1)

    async def test_it_says_what_keeps_a_campaign_from_working_as_the_start_does(
        self, client: httpx.AsyncClient
    ) -> None:
        mail = [STEPS[3], {"id": "hi", "type": "message", "text": "{{sender.phone}}"}]
        sender = await add_sender(client)
        for fields, codes in (
            ({}, ["no_sender", "empty_sequence"]),
            ({"sequence": SLEEPING}, ["no_sender"]),
            ({"senderIds": [sender]}, ["empty_sequence"]),
            ({"senderIds": [sender], "sequence": {"steps": mail}}, ["step_not_supported", "sender_field_missing"]),
        ):
            campaign = await make(client, **fields)
            found = await validate(client, campaign)
            assert (found["canStart"], [reason["code"] for reason in found["reasons"]]) == (False, codes)
            refused = await start(client, campaign)
            first, more = found["reasons"][0]["message"], " (and 1 more)" if len(codes) > 1 else ""
            said = f"Invalid action or campaign state: {first}{more}"
            assert (refused.status_code, refused.json()["message"]) == (400, said)
            told = [{"path": each["path"], "message": each["message"]} for each in found["reasons"]]
            assert refused.json()["details"] == told
            assert (await client.get(f"/v1/campaigns/{campaign}")).json()["status"] == "draft"

    async def test_a_text_that_can_never_be_rendered_keeps_it_from_being_started(
        self, client: httpx.AsyncClient
    ) -> None:
        endless = [{"id": "invite", "type": "connect", "note": "{% for i in (1..1000000) %}x{% endfor %}"}]
        campaign = await make(client, sequence={"steps": endless}, senderIds=[await add_sender(client)])
        found = await validate(client, campaign)
        assert [(each["code"], each["path"]) for each in found["reasons"]] == [("template_fails", "sequence.steps[0]")]
        assert (await start(client, campaign)).status_code == 400

    async def test_hours_that_never_meet_keep_it_from_being_started(self, client: httpx.AsyncClient) -> None:
        hours = {"timeZone": "UTC", "from": "09:00", "to": "17:00"}
        sender = await add_sender(client, schedule={**hours, "days": ["mon"]})
        schedule = {**hours, "days": ["sat"]}
        campaign = await make(client, sequence=SLEEPING, senderIds=[sender], schedule=schedule)
        assert [each["code"] for each in (await validate(client, campaign))["reasons"]] == ["hours_never_meet"]
        assert (await start(client, campaign)).status_code == 400

    async def test_a_removed_sender_is_unknown(self, client: httpx.AsyncClient) -> None:
        sender = await add_sender(client)
        campaign = await make(client, sequence=SLEEPING, senderIds=[sender])
        await client.delete(f"/v1/senders/{sender}")
        found = await validate(client, campaign)
        assert (found["unknownSenders"], found["reasons"][0]["code"]) == ([sender], "no_sender")
        assert (await start(client, campaign)).status_code == 400

    async def test_it_starts_without_leads(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, sequence=SLEEPING, senderIds=[await add_sender(client)])
        assert (await start(client, campaign)).status_code == 200


async def held(client: httpx.AsyncClient, campaign: str, at: int = 0) -> tuple[Any, list[str]]:
    lead = (await leads_of(client, campaign))[at]["id"]
    answer = await client.get(f"/v1/leads/{lead}/why")
    assert answer.status_code == 200, answer.text
    return answer.json(), [each["rule"] for each in answer.json()["heldBy"]]


class TestWhy:
    async def test_a_draft_without_anything(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, PERSON)
        found, rules = await held(client, campaign)
        assert (found["status"], found["nextStep"]) == ("PENDING", None)
        assert rules == ["campaign_not_started", "finished"]

    async def test_all_that_holds_a_new_lead_is_told(self, client: httpx.AsyncClient) -> None:
        steps = {"steps": [{"id": "mail", "type": "connect", "note": "{{icebreaker}}"}]}
        campaign = await make(client, PERSON, sequence=steps)
        await client.post("/v1/suppressions", json={"entries": [{"linkedinUrl": PERSON["linkedinUrl"]}]})
        found, rules = await held(client, campaign)
        assert rules == ["campaign_not_started", "suppressed", "missing_field", "sender_unavailable"]
        assert "icebreaker" in found["heldBy"][2]["message"]
        assert found["nextStep"] == {"id": "mail", "type": "connect"}
        entry = (await client.get("/v1/suppressions")).json()["suppressions"][0]
        assert (await client.delete(f"/v1/suppressions/{entry['id']}")).status_code == 200

    async def test_a_delay_is_told_with_its_end(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, PERSON, sequence=SLEEPING, senderIds=[await add_sender(client)])
        assert (await start(client, campaign)).status_code == 200
        found, rules = await held(client, campaign)
        assert rules == ["waiting_for_delay"]
        assert found["dueAt"] == found["heldBy"][0]["until"]
        await client.patch(f"/v1/campaigns/{campaign}", json={"action": "pause"})
        assert (await held(client, campaign))[1] == ["paused", "waiting_for_delay"]

    async def test_a_stopped_lead(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, PERSON, sequence=SLEEPING)
        lead = (await leads_of(client, campaign))[0]["id"]
        await client.delete(f"/v1/leads/{lead}")
        found, rules = await held(client, campaign)
        assert (rules, found["nextStep"], found["dueAt"]) == (["stopped"], None, None)

    async def test_another_workspace_s_lead_is_unknown(
        self, client: httpx.AsyncClient, make_key: Callable[..., Awaitable[dict[str, str]]], other_workspace: Any
    ) -> None:
        campaign = await make(client, PERSON)
        lead = (await leads_of(client, campaign))[0]["id"]
        foreign = await make_key(workspace_id=other_workspace.id)
        for method, path in (
            ("GET", f"/v1/leads/{lead}/why"),
            ("GET", f"/v1/campaigns/{campaign}/forecast"),
            ("POST", f"/v1/campaigns/{campaign}/validate"),
        ):
            assert (await client.request(method, path, headers=foreign)).status_code == 404
        body = {"leadId": lead}
        answer = await client.post(f"/v1/campaigns/{campaign}/preview", json=body, headers=foreign)
        assert answer.status_code == 404


class TestForecast:
    async def test_it_says_when_and_how_many_and_what_limits(self, client: httpx.AsyncClient) -> None:
        limits = {"visitsPerDay": 10, "connectionsPerDay": 5, "connectionsPerWeek": 1000}
        sender = await add_sender(client, limits=limits)
        steps = [
            {"id": "visit", "type": "visit_profile"},
            {"id": "invite", "type": "connect"},
            {"id": "hello", "type": "message", "text": "Hi {{firstName}}"},
        ]
        rows = [{"linkedinUrl": f"in/someone-{n}", **({"firstName": "A"} if n % 2 else {})} for n in range(30)]
        campaign = await make(client, *rows, sequence={"steps": steps}, senderIds=[sender])
        path = f"/v1/campaigns/{campaign}/forecast"
        found = (await client.get(f"{path}?days=30&acceptRate=1&replyRate=0")).json()
        assert (found["leads"], found["assumptions"]["asIfStarted"]) == (30, True)
        assert {kind: found["touches"][kind] for kind in ("visits", "connections", "messages", "total")} == {
            "visits": 30, "connections": 30, "messages": 15, "total": 75,
        }  # fmt: skip
        assert found["held"] == {"missing_field": 15}
        assert [day["touches"]["visits"] for day in found["perDay"][:4]] == [10, 10, 10, 0]
        assert [day["touches"]["connections"] for day in found["perDay"][:7]] == [5, 5, 5, 5, 5, 5, 0]
        assert found["perDay"][0]["limitedBy"]["rule"] == "daily_cap"
        assert found["limits"][0]["rule"] == "daily_cap"
        assert (found["through"], found["finishesAt"]) == (15, None)
        assert datetime.fromisoformat(found["firstTouchAt"]) <= datetime.fromisoformat(found["lastTouchAt"])
        more = found["oneMoreSender"]
        assert (more["through"], more["moreTouches"]) == (15, 0)
        assert more["lastTouchAt"] < found["lastTouchAt"]

    async def test_nobody_accepts(self, client: httpx.AsyncClient) -> None:
        sender = await add_sender(client)
        steps = [{"id": "invite", "type": "connect"}, {"id": "hello", "type": "message", "text": "Hi"}]
        rows = [{"linkedinUrl": f"in/someone-{n}"} for n in range(3)]
        campaign = await make(client, *rows, sequence={"steps": steps}, senderIds=[sender])
        path = f"/v1/campaigns/{campaign}/forecast"
        found = (await client.get(f"{path}?days=30&acceptRate=0")).json()
        assert (found["touches"]["total"], found["through"]) == (3, 3)
        assert found["finishesAt"] is not None
        assert (await client.get(f"{path}?days=14&acceptRate=0")).json()["finishesAt"] is None

    async def test_without_a_sender_nothing_happens(self, client: httpx.AsyncClient) -> None:
        campaign = await make(client, PERSON, sequence=SLEEPING)
        found = (await client.get(f"/v1/campaigns/{campaign}/forecast?days=3")).json()
        assert (found["firstTouchAt"], found["oneMoreSender"], found["touches"]["total"]) == (None, None, 0)
        assert found["perDay"][0]["limitedBy"] == {"rule": "sender_unavailable", "kind": None, "waiting": 1}

    @pytest.mark.parametrize("query", ["days=0", "days=366", "acceptRate=1.1", "replyRate=-1", "days=x"])
    async def test_bad_questions(self, client: httpx.AsyncClient, query: str) -> None:
        campaign = await make(client)
        assert (await client.get(f"/v1/campaigns/{campaign}/forecast?{query}")).status_code == 400
