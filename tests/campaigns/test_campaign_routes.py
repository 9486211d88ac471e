"""The routes of campaigns over HTTP, as sections 3 and 10 of the contract have them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.campaigns.asking import act, create, places, refused
from tests.starting import add_sender, startable

from leadwright import ids
from leadwright.postgres.pool import Database

OFFICE = {"timeZone": "Europe/Berlin", "days": ["mon", "fri"], "from": "09:00", "to": "17:30", "holidays": []}
SEQUENCE = {
    "steps": [
        {"id": "invite", "type": "connect", "note": "Hi {{firstName | default: 'there'}}"},
        {"id": "hello", "type": "message", "after": {"days": 1}, "text": "Thanks {{firstName}}"},
    ]
}
MakeKey = Callable[..., Awaitable[dict[str, str]]]
UNKNOWN = ids.public(ids.Prefix.CAMPAIGN, "0" * 32)


async def test_a_campaign_needs_a_name_only(client: httpx.AsyncClient) -> None:
    made = await create(client, name="  Founders in Berlin \n")
    assert ids.bare(ids.Prefix.CAMPAIGN, made["id"])
    created = made.pop("createdAt")
    assert datetime.fromisoformat(created).utcoffset() is not None
    assert created.endswith("Z")
    assert made == {
        "id": made["id"],
        "name": "Founders in Berlin",
        "status": "draft",
        "type": "outreach",
        "totalLeads": 0,
        "leadsContacted": 0,
        "connectionsSent": 0,
        "connectionsAccepted": 0,
        "messagesSent": 0,
        "repliesReceived": 0,
        "linkedInSenderIds": [],
        "updatedAt": created,
        "description": None,
        "senderIds": [],
        "schedule": None,
        "sequence": {"steps": []},
        "sequenceVersion": 1,
        "missingVariable": "hold",
        "acceptanceTimeout": {"days": 14},
        "maxNewLeadsPerDay": None,
        "approachDespiteOtherConversation": False,
        "startedAt": None,
        "finishedBy": None,
        "pauseReason": None,
    }


async def test_the_list_shows_the_same_campaign_as_reading_it(own: httpx.AsyncClient) -> None:
    made = await create(own, sequence=SEQUENCE, schedule=OFFICE)
    read = await own.get(f"/v1/campaigns/{made['id']}")
    assert (read.status_code, read.json()) == (200, made)
    listed = (await own.get("/v1/campaigns")).json()
    assert listed == {
        "campaigns": [made],
        "pagination": {"total": 1, "page": 1, "limit": 20, "totalPages": 1},
    }


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["name"]),
    ({"name": None}, ["name"]),
    ({"name": 5}, ["name"]),
    ({"name": " \n"}, ["name"]),
    ({"name": "x" * 201}, ["name"]),
    ({"name": "x", "description": 5}, ["description"]),
    ({"name": "x", "description": "x" * 5001}, ["description"]),
    ({"name": "x", "senderIds": None}, ["senderIds"]),
    ({"name": "x", "senderIds": "sender_1"}, ["senderIds"]),
    ({"name": "x", "senderIds": ["sender_1", 2]}, ["senderIds[1]"]),
    ({"name": "x", "schedule": []}, ["schedule"]),
    ({"name": "x", "schedule": {**OFFICE, "days": ["mon", "tue", "x"]}}, ["schedule.days[2]"]),
    ({"name": "x", "schedule": {**OFFICE, "to": "09:00"}}, ["schedule.to"]),
    ({"name": "x", "schedule": {**OFFICE, "timeZone": "Nowhere"}}, ["schedule.timeZone"]),
    ({"name": "x", "sequence": []}, ["sequence"]),
    ({"name": "x", "sequence": {}}, ["sequence.steps"]),
    ({"name": "x", "sequence": {"steps": [None]}}, ["sequence.steps[0]"]),
    ({"name": "x", "missingVariable": "send"}, ["missingVariable"]),
    ({"name": "x", "missingVariable": None}, ["missingVariable"]),
    ({"name": "x", "acceptanceTimeout": 14}, ["acceptanceTimeout"]),
    ({"name": "x", "acceptanceTimeout": {"days": -1}}, ["acceptanceTimeout.days"]),
    ({"name": "x", "acceptanceTimeout": {"weeks": 1}}, ["acceptanceTimeout"]),
    ({"name": "x", "maxNewLeadsPerDay": 0}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "maxNewLeadsPerDay": 1_000_001}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "maxNewLeadsPerDay": True}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "maxNewLeadsPerDay": 1.5}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "maxNewLeadsPerDay": "5"}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "maxNewLeadsPerDay": 10**40}, ["maxNewLeadsPerDay"]),
    ({"name": "x", "approachDespiteOtherConversation": 1}, ["approachDespiteOtherConversation"]),
]


@pytest.mark.parametrize(("body", "wrong"), WRONG)
async def test_a_wrong_field_is_named_and_nothing_is_made(
    own: httpx.AsyncClient, body: dict[str, Any], wrong: list[str]
) -> None:
    answer = await own.post("/v1/campaigns", json=body)
    assert places(answer) == wrong
    assert wrong[0] in answer.json()["message"]
    assert (await own.get("/v1/campaigns")).json()["pagination"]["total"] == 0


@pytest.mark.parametrize(("body", "wrong"), [case for case in WRONG if case[0]])
async def test_editing_refuses_what_creating_refuses(
    client: httpx.AsyncClient, body: dict[str, Any], wrong: list[str]
) -> None:
    made = await create(client, name="x")
    assert places(await client.patch(f"/v1/campaigns/{made['id']}", json=body)) == wrong
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json() == made


async def test_all_faults_of_a_body_are_told_at_once(client: httpx.AsyncClient) -> None:
    steps = [
        {"id": "visit", "type": "visit_profile"},
        {"id": "dance", "type": "dance"},
        {"id": "hello", "type": "message", "text": "Hi {{firstName"},
    ]
    body = {
        "name": 7,
        "schedule": {**OFFICE, "days": []},
        "sequence": {"steps": steps},
        "acceptanceTimeout": {"days": "soon"},
    }
    answer = await client.post("/v1/campaigns", json=body)
    assert sorted(places(answer)) == [
        "acceptanceTimeout.days",
        "name",
        "schedule.days",
        "sequence.steps[1].type",
        "sequence.steps[2].text",
    ]
    assert "hello" in answer.json()["message"]


@pytest.mark.parametrize("content", ["", "null", "[]", "5", '"x"', "{", '{"name": "a\\u0000b"}'])
async def test_a_body_that_is_no_object_is_refused(client: httpx.AsyncClient, content: str) -> None:
    json = {"Content-Type": "application/json"}
    for method, path in (("POST", "/v1/campaigns"), ("PATCH", f"/v1/campaigns/{UNKNOWN}")):
        refused(await client.request(method, path, content=content, headers=json))


async def test_unknown_fields_are_ignored(client: httpx.AsyncClient) -> None:
    made = await create(client, status="started", id="camp_x", color="red")
    assert made["status"] == "draft"
    assert "color" not in made


@pytest.mark.parametrize("sender", ["sender_" + "0" * 32, "x", "camp_" + "0" * 32, ""])
async def test_an_unknown_sender_is_refused(client: httpx.AsyncClient, sender: str) -> None:
    answers = [await client.post("/v1/campaigns", json={"name": "x", "senderIds": [sender]})]
    made = await create(client)
    answers.append(await client.patch(f"/v1/campaigns/{made['id']}", json={"senderIds": [sender]}))
    for answer in answers:
        assert refused(answer)["message"] == "Invalid request or sender not found"
        assert answer.json()["details"][0]["path"] == "senderIds"


async def test_actions_answer_as_clients_expect(client: httpx.AsyncClient) -> None:
    made = await create(client, **await startable(client))
    expected = [("start", "started"), ("pause", "paused"), ("resume", "started"), ("finish", "finished")]
    messages = {"start": "started", "pause": "paused", "resume": "resumed", "finish": "finished"}
    for action, status in expected:
        answer = await client.patch(f"/v1/campaigns/{made['id']}", json={"action": action})
        assert answer.status_code == 200
        assert answer.json() == {
            "success": True,
            "campaignId": made["id"],
            "action": action,
            "newStatus": status,
            "message": f"Campaign {messages[action]} successfully",
        }
        shown = (await client.get(f"/v1/campaigns/{made['id']}")).json()
        assert shown["status"] == status
        assert shown["startedAt"] is not None
        assert shown["finishedBy"] == ("api" if status == "finished" else None)


async def test_a_paused_campaign_that_cannot_work_is_not_resumed(client: httpx.AsyncClient) -> None:
    made = await create(client, **await startable(client))
    await act(client, made, "start", "pause")
    assert (await client.patch(f"/v1/campaigns/{made['id']}", json={"senderIds": []})).status_code == 200
    answer = await client.patch(f"/v1/campaigns/{made['id']}", json={"action": "resume"})
    assert refused(answer)["details"] == [
        {"path": "senderIds", "message": "the campaign has no sender; give it one in senderIds"}
    ]
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json()["status"] == "paused"


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        ({"senderIds": []}, "senderIds"),
        ({"sequence": {"steps": [{"type": "email", "subject": "Hi", "text": "Hello"}]}}, "sequence.steps[0]"),
    ],
)
async def test_a_started_campaign_is_not_made_one_that_cannot_work(
    client: httpx.AsyncClient, edit: dict[str, Any], place: str
) -> None:
    made = await create(client, **await startable(client))
    await act(client, made, "start")
    shown = (await client.get(f"/v1/campaigns/{made['id']}")).json()
    answer = refused(await client.patch(f"/v1/campaigns/{made['id']}", json=edit))
    assert {detail["path"] for detail in answer["details"]} >= {place}
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json() == shown


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ([], {"action": "pause"}),
        ([], {"action": "resume"}),
        (["start"], {"action": "resume"}),
        (["start", "pause"], {"action": "pause"}),
        (["start", "finish"], {"action": "start"}),
        ([], {"action": "stop"}),
        ([], {"action": "Start"}),
        ([], {"action": None}),
        ([], {"action": 5}),
        ([], {"action": ["start"]}),
        ([], {"action": {"start": True}}),
        ([], {"action": "start", "name": "New"}),
        ([], {}),
        ([], {"color": "red"}),
    ],
)
async def test_what_is_no_action_here_changes_nothing(
    client: httpx.AsyncClient, before: list[str], body: dict[str, Any]
) -> None:
    made = await create(client, **await startable(client))
    await act(client, made, *before)
    shown = (await client.get(f"/v1/campaigns/{made['id']}")).json()
    answer = refused(await client.patch(f"/v1/campaigns/{made['id']}", json=body))
    assert answer["message"] == "Invalid action or campaign state"
    assert answer["code"] == "invalid_campaign_action"
    assert answer["details"][0]["path"] == "action"
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json() == shown


async def test_editing_changes_what_was_sent_and_no_more(client: httpx.AsyncClient) -> None:
    senders = [await add_sender(client)]
    made = await create(
        client, description="Old", schedule=OFFICE, sequence=SEQUENCE, maxNewLeadsPerDay=5, senderIds=senders
    )
    await act(client, made, "start")
    before = (await client.get(f"/v1/campaigns/{made['id']}")).json()
    change = {"description": None, "schedule": None, "maxNewLeadsPerDay": None}
    after = (await client.patch(f"/v1/campaigns/{made['id']}", json=change)).json()
    assert after == {**before, **change, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]


async def test_every_version_of_a_sequence_can_be_read(client: httpx.AsyncClient) -> None:
    made = await create(client, sequence=SEQUENCE)
    path = f"/v1/campaigns/{made['id']}/sequence"
    changed = (await client.put(path, json={"steps": [{"type": "follow"}]})).json()
    first = {
        "campaignId": made["id"],
        "version": 1,
        "isCurrent": False,
        "createdAt": made["createdAt"],
        "sequence": SEQUENCE,
    }
    assert (await client.get(f"{path}?version=1")).json() == first
    second = (await client.get(f"{path}?version=2")).json()
    assert (second["isCurrent"], second["sequence"]) == (True, changed["sequence"])
    assert (await client.get(path)).json() == second


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?version=2", 404, "sequence_version_not_found"),
        ("?version=0", 400, "invalid_request"),
        ("?version=2147483648", 400, "invalid_request"),
        ("?version=first", 400, "invalid_request"),
    ],
)
async def test_a_version_that_is_not_there(client: httpx.AsyncClient, query: str, status: int, code: str) -> None:
    made = await create(client, sequence=SEQUENCE)
    assert refused(await client.get(f"/v1/campaigns/{made['id']}/sequence{query}"), status)["code"] == code


async def test_a_sequence_is_replaced_by_a_new_version(client: httpx.AsyncClient) -> None:
    made = await create(client)
    path = f"/v1/campaigns/{made['id']}/sequence"
    versions: list[int] = []
    for sequence in (SEQUENCE, SEQUENCE, {"steps": []}):
        answer = await client.put(path, json=sequence)
        assert (answer.status_code, answer.json()["sequence"]) == (200, sequence)
        versions.append(answer.json()["sequenceVersion"])
    assert versions == [2, 2, 3]


@pytest.mark.parametrize("actions", [["start"], ["start", "pause"], ["start", "finish"]])
async def test_only_a_draft_has_no_steps(client: httpx.AsyncClient, actions: list[str]) -> None:
    made = await create(client, **await startable(client))
    path = f"/v1/campaigns/{made['id']}"
    await act(client, made, *actions)
    before = (await client.get(path)).json()
    empty: dict[str, Any] = {"steps": []}
    for answer in (
        await client.patch(path, json={"name": "New", "sequence": empty}),
        await client.put(f"{path}/sequence", json=empty),
    ):
        status = before["status"]
        assert refused(answer)["message"] == f"sequence: expected at least one step, since the campaign is {status}"
        assert (await client.get(path)).json() == before


@pytest.mark.parametrize(
    ("sequence", "place"),
    [
        ([], "body"),
        ({}, "steps"),
        ({"steps": {}}, "steps"),
        ({"steps": [{"id": "a", "type": "message"}]}, "steps[0].text"),
        ({"steps": [{"id": "a", "type": "follow"}, {"id": "a", "type": "follow"}]}, "steps[1].id"),
    ],
)
async def test_a_sequence_that_cannot_be_stored_is_refused(
    client: httpx.AsyncClient, sequence: Any, place: str
) -> None:
    made = await create(client, sequence=SEQUENCE)
    assert places(await client.put(f"/v1/campaigns/{made['id']}/sequence", json=sequence)) == [place]
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json() == made


async def test_steps_without_an_id_get_one_that_stays(client: httpx.AsyncClient) -> None:
    made = await create(client, sequence={"steps": [{"type": "follow"}, {"type": "visit_profile"}]})
    named = [step["id"] for step in made["sequence"]["steps"]]
    assert len(set(named)) == 2
    again = await client.put(f"/v1/campaigns/{made['id']}/sequence", json=made["sequence"])
    assert again.json()["sequenceVersion"] == 1


async def test_a_deleted_campaign_is_gone_with_its_leads(own: httpx.AsyncClient, database: Database) -> None:
    made, kept = await create(own), await create(own, name="Kept")
    leads = [{"linkedinUrl": f"https://linkedin.com/in/person-{n}"} for n in range(3)]
    for campaign in (made, kept):
        added = await own.post("/v1/leads", json={"campaignId": campaign["id"], "leads": leads})
        assert added.json()["leadsAdded"] == 3
    answer = await own.delete(f"/v1/campaigns/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "campaignId": made["id"],
        "message": "Campaign deleted successfully",
    }
    refused(await own.delete(f"/v1/campaigns/{made['id']}"), 404)
    refused(await own.get("/v1/leads", params={"campaignId": made["id"]}), 404)
    async with database.session() as connection:
        cursor = await connection.execute(
            "SELECT (SELECT count(*) FROM lead WHERE campaign_id = %(id)s),"
            " (SELECT count(*) FROM enrolment WHERE campaign_id = %(id)s)",
            {"id": ids.bare(ids.Prefix.CAMPAIGN, made["id"])},
        )
        assert await cursor.fetchone() == (0, 0)
    assert [c["totalLeads"] for c in (await own.get("/v1/campaigns")).json()["campaigns"]] == [3]


@pytest.mark.parametrize("campaign_id", [UNKNOWN, "camp_x", "x", "lead_" + "0" * 32, "camp_" + "A" * 32, "%00"])
async def test_an_unknown_campaign_is_not_found(client: httpx.AsyncClient, campaign_id: str) -> None:
    path = f"/v1/campaigns/{campaign_id}"
    for answer in (
        await client.get(path),
        await client.patch(path, json={"action": "pause"}),
        await client.patch(path, json={"name": "New"}),
        await client.put(f"{path}/sequence", json=SEQUENCE),
        await client.delete(path),
    ):
        body = refused(answer, 404)
        assert (body["message"], body["code"]) == ("Campaign not found", "campaign_not_found")


async def test_another_workspaces_campaign_is_an_unknown_one(client: httpx.AsyncClient, own: httpx.AsyncClient) -> None:
    made = await create(client)
    path = f"/v1/campaigns/{made['id']}"
    for answer in (
        await own.get(path),
        await own.patch(path, json={"action": "start"}),
        await own.patch(path, json={"name": "Mine"}),
        await own.put(f"{path}/sequence", json=SEQUENCE),
        await own.get(f"{path}/sequence?version=1"),
        await own.delete(path),
    ):
        assert refused(answer, 404)["message"] == "Campaign not found"
    assert (await own.get("/v1/campaigns")).json()["campaigns"] == []
    assert (await client.get(path)).json() == made


async def test_reading_and_writing_want_their_scopes(anonymous: httpx.AsyncClient, make_key: MakeKey) -> None:
    reader, writer = await make_key("campaigns:read"), await make_key("campaigns:write")
    made = await anonymous.post("/v1/campaigns", json={"name": "x"}, headers=writer)
    path = f"/v1/campaigns/{made.json()['id']}"
    assert (await anonymous.get(path, headers=reader)).status_code == 200
    for method, where in (("GET", path), ("GET", "/v1/campaigns")):
        answer = await anonymous.request(method, where, headers=writer)
        assert refused(answer, 403)["message"] == "Key lacks campaigns:read"
    body = {"name": "y"}
    for method, where in (
        ("POST", "/v1/campaigns"),
        ("PATCH", path),
        ("PUT", f"{path}/sequence"),
        ("DELETE", path),
    ):
        answer = await anonymous.request(method, where, json=body, headers=reader)
        assert refused(answer, 403)["message"] == "Key lacks campaigns:write"
    refused(await anonymous.get(path), 401)


async def test_the_older_base_path_answers_too(client: httpx.AsyncClient) -> None:
    made = await create(client)
    assert (await client.get(f"/api/v1/campaigns/{made['id']}")).json() == made


async def test_creating_twice_with_one_idempotency_key_makes_one(own: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "campaign-1"}
    answers = [await own.post("/v1/campaigns", json={"name": "Once"}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (await own.get("/v1/campaigns")).json()["pagination"]["total"] == 1


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/latest", "https://[::1]/hook", "http://hooks.example.com/", "https://0x7f.1/"]
)
async def test_a_step_that_posts_to_where_nothing_may_be_sent_is_refused_when_it_is_saved(
    client: httpx.AsyncClient, url: str
) -> None:
    steps = {"steps": [{"id": "tell", "type": "webhook", "url": url}]}
    campaign = (await client.post("/v1/campaigns", json={"name": "Telling"})).json()["id"]
    for answer in (
        await client.post("/v1/campaigns", json={"name": "Telling", "sequence": steps}),
        await client.put(f"/v1/campaigns/{campaign}/sequence", json=steps),
        await client.patch(f"/v1/campaigns/{campaign}", json={"sequence": steps}),
    ):
        assert answer.status_code == 400, answer.text
        (told,) = answer.json()["details"]
        assert told["path"] == "sequence"
        assert told["message"].startswith("step tell: url: ")
    good = {"steps": [{"id": "tell", "type": "webhook", "url": "https://hooks.example.com/"}]}
    assert (await client.put(f"/v1/campaigns/{campaign}/sequence", json=good)).status_code == 200
