"""Tasks over HTTP, made by the engine of a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.channels.channel import InboundFact
from leadwright.engine import service as engine
from leadwright.postgres.pool import Database

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
INVITE = {"id": "invite", "type": "connect", "note": "Hi {{firstName}}, from {{sender.firstName}}"}
CALL = {"id": "call", "type": "manual_task", "title": "Call {{firstName}}", "text": "Ask about {{company}}"}
STEPS = [{"id": "visit", "type": "visit_profile"}, CALL, INVITE]
Start = Callable[..., Awaitable[str]]


@pytest.fixture
async def own(
    base_url: str, database: Database, make_key: Callable[..., Awaitable[dict[str, str]]]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key for everything in a workspace that holds nothing yet."""
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Own", NOW)
    key = await make_key(workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        client.workspace_id = workspace.id  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def start(own: httpx.AsyncClient) -> Start:
    async def run(*slugs: str, steps: list[dict[str, Any]] = STEPS, channel: str = "manual") -> str:
        """A started campaign with these leads, on a sender of its own; answers its id."""
        body = {
            "name": "Ada Lovelace",
            "linkedinUrl": f"in/ada-{slugs[0]}",
            "channel": channel,
            "limits": {"minGap": {"seconds": 0}},
        }
        sender = (await own.post("/v1/senders", json=body)).json()["id"]
        made = await own.post("/v1/campaigns", json={"name": "C", "senderIds": [sender], "sequence": {"steps": steps}})
        campaign: str = made.json()["id"]
        leads = [
            {"linkedinUrl": f"https://www.linkedin.com/in/{slug}", "firstName": slug.title(), "company": "Acme"}
            for slug in slugs
        ]
        assert (await own.post("/v1/leads", json={"campaignId": campaign, "leads": leads})).json()["leadsAdded"]
        assert (await own.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})).status_code == 200
        return campaign

    return run


async def tasks(client: httpx.AsyncClient, count: int = 1, **query: Any) -> list[dict[str, Any]]:
    """The open tasks, as soon as there are so many."""

    async def asked() -> list[dict[str, Any]]:
        while True:
            found = (await client.get("/v1/tasks", params=query)).json()["tasks"]
            if len(found) == count:
                return found

    return await asyncio.wait_for(asked(), 30)


async def resolve(client: httpx.AsyncClient, task: dict[str, Any], how: str, body: Any = None) -> httpx.Response:
    return await client.post(f"/v1/tasks/{task['id']}/{how}", json=body)


async def history(client: httpx.AsyncClient, task: dict[str, Any]) -> list[dict[str, Any]]:
    return (await client.get(f"/v1/leads/{task['leadId']}/history")).json()["entries"]


async def test_a_lead_walks_from_task_to_task(own: httpx.AsyncClient, start: Start) -> None:
    campaign = await start("jane")
    [visit] = await tasks(own)
    assert visit["id"].startswith("task_")
    assert (visit["type"], visit["text"], visit["title"], visit["stepId"]) == ("visit_profile", None, None, "visit")
    assert visit["person"] == {
        "linkedinUrl": "https://www.linkedin.com/in/jane",
        "firstName": "Jane",
        "lastName": None,
        "company": "Acme",
        "title": None,
    }
    assert (visit["campaignId"], visit["campaignName"], visit["senderName"]) == (campaign, "C", "Ada Lovelace")
    assert datetime.fromisoformat(visit["since"]).tzinfo is not None
    assert (await own.get(f"/v1/tasks/{visit['id']}")).json() == visit
    done = await resolve(own, visit, "complete", {"note": "Nice profile"})
    assert done.json() == {"success": True, "id": visit["id"], "leadId": visit["leadId"], "outcome": "completed"}
    [call] = await tasks(own)
    assert (call["type"], call["title"], call["text"]) == ("manual_task", "Call Jane", "Ask about Acme")
    await resolve(own, call, "complete")
    [invite] = await tasks(own)
    assert (invite["type"], invite["text"]) == ("connect", "Hi Jane, from Ada")
    await resolve(own, invite, "complete", {})
    assert await tasks(own, 0) == []
    noted = [entry["detail"].get("note") for entry in await history(own, visit)]
    assert "Nice profile" in noted


async def test_a_skipped_task_lets_the_lead_go_on(own: httpx.AsyncClient, start: Start) -> None:
    await start("skip")
    [visit] = await tasks(own)
    assert (await resolve(own, visit, "skip", {"note": "Met her"})).json()["outcome"] == "skipped"
    [call] = await tasks(own)
    assert call["stepId"] == "call"
    assert any(entry["detail"].get("message") == "Met her" for entry in await history(own, visit))


async def test_a_failed_task_ends_the_lead_with_the_status_of_its_code(own: httpx.AsyncClient, start: Start) -> None:
    await start("gone")
    [visit] = await tasks(own)
    failed = await resolve(own, visit, "fail", {"code": "profile_unreachable", "note": "404"})
    assert failed.json()["outcome"] == "failed"
    assert (await own.get(f"/v1/leads/{visit['leadId']}")).json()["status"] == "PROFILE_UNREACHABLE"
    assert await tasks(own, 0) == []


async def test_an_invitation_that_was_not_needed_costs_nothing(own: httpx.AsyncClient, start: Start) -> None:
    await start("known", steps=[INVITE])
    [invite] = await tasks(own)
    [before] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert before["connectionsSentToday"] == 1
    await resolve(own, invite, "complete", {"found": "already_connected"})
    [after] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert after["connectionsSentToday"] == 0


async def test_a_task_is_answered_once(own: httpx.AsyncClient, start: Start) -> None:
    await start("once")
    [visit] = await tasks(own)
    answers = await asyncio.gather(*(resolve(own, visit, how) for how in ("complete", "skip", "fail", "complete")))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    late = await resolve(own, visit, "complete")
    assert (late.status_code, late.json()["code"]) == (409, "task_over")


@pytest.mark.parametrize(
    ("how", "state"), [("complete", "completed"), ("skip", "skipped"), ("fail", "failed"), ("reply", "cancelled")]
)
async def test_a_task_that_is_over_can_be_read(
    own: httpx.AsyncClient, database: Database, start: Start, how: str, state: str
) -> None:
    await start("read")
    [visit] = await tasks(own)
    assert visit["state"] == "open"
    if how == "reply":
        told = {"senderId": visit["senderId"], "linkedinUrl": "in/read", "type": "reply", "text": "Hello"}
        assert (await own.post("/v1/inbox/inbound", json=told)).status_code == 200
    else:
        await resolve(own, visit, how)
    assert (await own.get(f"/v1/tasks/{visit['id']}")).json() == {**visit, "state": state}
    late = (await resolve(own, visit, "skip")).json()
    assert (late["code"], late["message"]) == ("task_over", f"The task is over already: it is {state}")


async def test_what_a_channel_does_by_itself_is_no_task(own: httpx.AsyncClient, start: Start) -> None:
    await start("auto", steps=STEPS[:2], channel="simulator")

    async def deeds() -> list[str]:
        while True:
            done = (await own.get("/v1/actions?state=done")).json()["actions"]
            if len(done) == 2:
                return [each["id"].replace("act_", "task_") for each in done]

    for task_id in await asyncio.wait_for(deeds(), 30):
        for method, path in (("GET", ""), ("POST", "/complete")):
            answer = await own.request(method, f"/v1/tasks/{task_id}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")


async def test_a_key_makes_a_second_answer_the_first(own: httpx.AsyncClient, start: Start) -> None:
    await start("keyed")
    [visit] = await tasks(own)
    path, key = f"/v1/tasks/{visit['id']}/complete", {"Idempotency-Key": "keyed-1"}
    first = await own.post(path, headers=key)
    again = await own.post(path, headers=key)
    assert (first.status_code, again.json()) == (200, first.json())


async def test_lists_by_sender_campaign_page_and_cursor(own: httpx.AsyncClient, start: Start) -> None:
    first = await start("a-one", "a-two", "a-three")
    second = await start("b-one")
    every = await tasks(own, 4)
    assert [task["id"] for task in every] == sorted(task["id"] for task in every)
    assert len(await tasks(own, 3, campaignId=first)) == 3
    [other] = await tasks(own, 1, campaignId=second)
    assert await tasks(own, 1, senderId=other["senderId"]) == [other]
    page = (await own.get("/v1/tasks?limit=3&page=2")).json()
    assert [task["id"] for task in page["tasks"]] == [every[3]["id"]]
    assert page["pagination"] == {"total": 4, "page": 2, "limit": 3, "totalPages": 2}
    begun = (await own.get("/v1/tasks?limit=3&cursor=")).json()
    rest = (await own.get(f"/v1/tasks?limit=3&cursor={begun['nextCursor']}")).json()
    assert begun["tasks"] + rest["tasks"] == every
    assert rest["nextCursor"] is None


async def test_a_manual_task_of_an_http_sender_is_a_persons(own: httpx.AsyncClient, start: Start) -> None:
    body = {"url": "https://example.com/deeds"}
    made = await own.post("/v1/senders", json={"name": "H", "linkedinUrl": "in/h", "channel": "http", "config": body})
    assert made.status_code == 201
    campaign = await own.post(
        "/v1/campaigns", json={"name": "C", "senderIds": [made.json()["id"]], "sequence": {"steps": [CALL]}}
    )
    lead = {"linkedinUrl": "in/hanna", "firstName": "Hanna", "company": "Acme"}
    await own.post("/v1/leads", json={"campaignId": campaign.json()["id"], "leads": [lead]})
    await own.patch(f"/v1/campaigns/{campaign.json()['id']}", json={"action": "start"})
    [call] = await tasks(own)
    assert call["title"] == "Call Hanna"


async def test_a_reply_takes_the_task_away(own: httpx.AsyncClient, start: Start, database: Database) -> None:
    await start("answers", steps=[INVITE])
    [invite] = await tasks(own)
    reply = InboundFact("reply", invite["person"]["linkedinUrl"], datetime.now(UTC), "Hello!")
    sender = ids.bare(ids.Prefix.SENDER, invite["senderId"]) or ""
    workspace: str = own.workspace_id  # type: ignore[attr-defined]
    async with database.transaction() as connection:
        await engine.receive(connection, workspace, sender, reply, datetime.now(UTC))
    assert await tasks(own, 0) == []
    late = await resolve(own, invite, "fail")
    assert (late.status_code, late.json()["code"]) == (409, "task_over")
    assert (await own.get(f"/v1/leads/{invite['leadId']}")).json()["status"] == "REPLY_RECEIVED"
    [shown] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert shown["connectionsSentToday"] == 0


async def test_what_was_done_before_the_reply_came_counts(own: httpx.AsyncClient, start: Start) -> None:
    """The person sent it, and the answer was here before the person told us."""
    campaign = await start("quick", steps=[INVITE, CALL])
    [invite] = await tasks(own)
    told = {"senderId": invite["senderId"], "linkedinUrl": "in/quick", "type": "reply", "text": "Hello"}
    assert (await own.post("/v1/inbox/inbound", json=told)).status_code == 200
    assert (await resolve(own, invite, "complete")).status_code == 200
    [shown] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert shown["connectionsSentToday"] == 1
    assert (await own.get(f"/v1/tasks/{invite['id']}")).json()["state"] == "completed"
    assert (await own.get(f"/v1/leads/{invite['leadId']}")).json()["status"] == "REPLY_RECEIVED"
    assert (await own.get(f"/v1/campaigns/{campaign}")).json()["connectionsSent"] == 1
    assert (await resolve(own, invite, "complete")).status_code == 409


@pytest.mark.parametrize("how", ["complete", "skip", "fail"])
async def test_tasks_of_another_workspace_are_unknown(
    own: httpx.AsyncClient, start: Start, client: httpx.AsyncClient, how: str
) -> None:
    campaign = await start(f"foreign-{how}")
    [visit] = await tasks(own)
    for answer in (
        await resolve(client, visit, how),
        await client.get(f"/v1/tasks/{visit['id']}"),
        await resolve(client, {"id": "task_1"}, how),
    ):
        assert (answer.status_code, answer.json()["message"]) == (404, "Task not found")
    assert (await client.get("/v1/tasks", params={"campaignId": campaign})).status_code == 404
    assert (await client.get("/v1/tasks", params={"senderId": visit["senderId"]})).status_code == 404
    assert visit["id"] not in (await client.get("/v1/tasks")).text
    assert await tasks(own) == [visit]


@pytest.mark.parametrize(
    ("how", "body", "path"),
    [
        ("complete", {"note": "x" * 8001}, "note"),
        ("complete", {"found": "nothing"}, "found"),
        ("skip", {"note": 5}, "note"),
        ("fail", {"code": "skipped"}, "code"),
        ("fail", [], "body"),
    ],
)
async def test_a_bad_answer_names_its_field_and_changes_nothing(
    own: httpx.AsyncClient, start: Start, how: str, body: Any, path: str
) -> None:
    await start("bad")
    [visit] = await tasks(own)
    answer = await resolve(own, visit, how, body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == [path]
    assert await tasks(own) == [visit]


async def test_a_campaign_that_rests_lists_nothing_and_what_was_done_is_still_told(
    own: httpx.AsyncClient, start: Start
) -> None:
    campaign = await start("ada", "bob")
    first, _ = await tasks(own, 2)
    for action, listed in (("pause", 0), ("resume", 2), ("finish", 0)):
        assert (await own.patch(f"/v1/campaigns/{campaign}", json={"action": action})).status_code == 200
        shown = (await own.get("/v1/tasks")).json()
        assert (len(shown["tasks"]), shown["pagination"]["total"]) == (listed, listed)
    assert (await own.get(f"/v1/tasks/{first['id']}")).status_code == 200
    assert (await own.post(f"/v1/tasks/{first['id']}/complete", json={})).status_code == 200


async def test_a_sender_that_was_removed_lists_nothing(own: httpx.AsyncClient, start: Start) -> None:
    await start("ada")
    (task,) = await tasks(own)
    assert (await own.delete(f"/v1/senders/{task['senderId']}")).is_success
    assert (await own.get("/v1/tasks")).json()["tasks"] == []
