"""What is done to a sender shows at once in what it does: a real server, its engine and a real endpoint."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

Make = Callable[..., Awaitable[dict[str, Any]]]
VISIT = {"id": "visit", "type": "visit_profile"}
INVITE = {"id": "invite", "type": "connect", "note": "Hi {{firstName}}"}


async def start(
    client: httpx.AsyncClient, *sender_ids: str, leads: int = 1, steps: tuple[dict[str, Any], ...] = (VISIT,)
) -> tuple[str, list[str]]:
    """A started campaign of these senders; its id and its leads'."""
    body = {"name": "C", "senderIds": list(sender_ids), "sequence": {"steps": list(steps)}}
    campaign: str = (await client.post("/v1/campaigns", json=body)).json()["id"]
    rows = [{"linkedinUrl": f"in/{sender_ids[0][-12:]}-{n}", "firstName": "Jane"} for n in range(leads)]
    added = await client.post("/v1/leads?report=full", json={"campaignId": campaign, "leads": rows})
    assert (await client.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})).status_code == 200
    return campaign, [result["leadId"] for result in added.json()["results"]]


async def until(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is true."""

    async def asked() -> Any:
        while not (answer := await ask()):
            pass
        return answer

    return await asyncio.wait_for(asked(), 30)


def tasks_of(client: httpx.AsyncClient, sender: dict[str, Any]) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    async def ask() -> list[dict[str, Any]]:
        return (await client.get("/v1/tasks", params={"senderId": sender["id"]})).json()["tasks"]

    return ask


async def test_a_sender_that_is_connected_again_goes_on(own: httpx.AsyncClient, make_sender: Make) -> None:
    off, working = await make_sender(channel="manual"), await make_sender(channel="manual")
    await own.patch(f"/v1/senders/{off['id']}", json={"status": "disconnected"})
    await start(own, off["id"])
    await start(own, working["id"])
    await until(tasks_of(own, working))  # the engine has been round, and left the other alone
    assert await tasks_of(own, off)() == []
    await own.patch(f"/v1/senders/{off['id']}", json={"status": "active"})
    assert len(await until(tasks_of(own, off))) == 1


async def test_a_cap_that_is_raised_is_used_at_once(own: httpx.AsyncClient, make_sender: Make) -> None:
    none = {"limits": {"visitsPerDay": 0, "minGap": {"seconds": 0}}}
    capped, working = await make_sender(channel="manual", **none), await make_sender(channel="manual")
    await start(own, capped["id"], leads=3)
    await start(own, working["id"])
    await until(tasks_of(own, working))
    assert await tasks_of(own, capped)() == []
    await own.patch(f"/v1/senders/{capped['id']}", json={"limits": {"visitsPerDay": 2}})

    async def two() -> bool:
        return len(await tasks_of(own, capped)()) == 2

    await until(two)


async def test_leads_of_a_removed_sender_that_it_has_not_contacted_get_another(
    own: httpx.AsyncClient, make_sender: Make
) -> None:
    gone, other = await make_sender(channel="manual"), await make_sender(channel="manual")
    await own.patch(f"/v1/senders/{gone['id']}", json={"status": "disconnected"})
    await start(own, gone["id"], other["id"])
    await own.delete(f"/v1/senders/{gone['id']}")
    assert [task["senderId"] for task in await until(tasks_of(own, other))] == [other["id"]]


class Endpoint:
    """An operator's endpoint, whose next answers the test gives."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.json_response(self.answers.pop(0) if self.answers else {"status": "done", "externalId": "e1"})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    application = web.Application()
    application.router.add_post("/deeds", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/deeds"
    yield made
    await runner.cleanup()


def status_of(client: httpx.AsyncClient, lead_id: str, *wanted: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return (await client.get(f"/v1/leads/{lead_id}")).json()["status"] in wanted

    return ask


async def test_the_operators_endpoint_does_the_deeds(
    own: httpx.AsyncClient, make_sender: Make, endpoint: Endpoint
) -> None:
    sender = await make_sender(
        channel="http", config={"url": endpoint.url}, limits={"minGap": {"seconds": 0}}, firstName="Ada"
    )
    note = {**INVITE, "note": "Hi {{firstName}}, {{sender.firstName}}"}
    campaign, [lead] = await start(own, sender["id"], steps=(VISIT, note))
    await until(status_of(own, lead, "DONE"))
    assert [(asked["want"], asked["type"]) for asked in endpoint.asked] == [
        ("perform", "visit_profile"),
        ("perform", "connect"),
    ]
    invitation = endpoint.asked[1]
    assert invitation["content"] == {"text": "Hi Jane, Ada"}
    assert (invitation["leadId"], invitation["campaignId"]) == (lead, campaign)
    assert invitation["sender"]["id"] == sender["id"]


async def test_an_account_that_is_shut_out_rests_and_its_leads_wait(
    own: httpx.AsyncClient, make_sender: Make, endpoint: Endpoint
) -> None:
    endpoint.answers.append({"status": "disconnected", "message": "log in again"})
    sender = await make_sender(channel="http", config={"url": endpoint.url}, limits={"minGap": {"seconds": 0}})
    _, [lead] = await start(own, sender["id"])
    path = f"/v1/senders/{sender['id']}"

    async def is_down() -> Any:
        shown = (await own.get(path)).json()
        return shown if shown["status"] == "disconnected" else None

    down = await until(is_down)
    assert "log in again" in down["statusReason"]
    assert await status_of(own, lead, "PENDING")()
    [quota] = (await own.get("/v1/senders/quotas")).json()["senders"]
    assert quota["quotas"]["visits"]["used"] == 0
    await own.patch(path, json={"status": "active"})
    await until(status_of(own, lead, "DONE"))
    assert len({asked["id"] for asked in endpoint.asked}) == 1  # the same deed, tried again


async def test_a_simulated_sender_walks_its_leads_to_the_end_marked_as_simulated(
    own: httpx.AsyncClient, make_sender: Make
) -> None:
    quick = {"acceptRate": 1, "acceptAfter": {"seconds": 0}, "replyRate": 1, "replyAfter": {"seconds": 0}}
    sender = await make_sender(config={**quick, "replyText": "Tell me more"})
    hello = {"id": "hello", "type": "message", "text": "Thanks {{firstName}}"}
    _, [lead] = await start(own, sender["id"], steps=(VISIT, INVITE, hello))
    await until(status_of(own, lead, "REPLY_RECEIVED"))

    async def replied() -> Any:
        events = (await own.get("/v1/events?types=reply.received")).json()["events"]
        return [event for event in events if event["data"]["leadId"] == lead]

    [reply] = await until(replied)
    assert reply["simulated"] is True
    assert reply["data"]["reply"] == "Tell me more"
