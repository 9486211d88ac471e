"""The server is killed while a message is with the channel: under its key it goes out once, and the retry learns so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web

pytestmark = pytest.mark.slow
PATIENCE = 60.0
Site = Any
"""A class of conftest.py, which cannot be imported."""


@dataclass
class Operator:
    """Behind the http channel: each deed is told to ``arrived``; ``does`` says whether it was done before the kill."""

    url: str = ""
    does: bool = True
    holds: bool = True
    done: list[str] = field(default_factory=list[str])
    asked: int = 0
    arrived: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        deed = await request.json()
        if deed["want"] == "outcome":
            self.asked += 1
            return web.json_response({"status": "done" if deed["id"] in self.done else "not_done"})
        if self.does or not self.holds:
            self.done.append(deed["id"])
        self.arrived.put_nowait(deed["id"])
        if self.holds:
            await self.released.wait()
        return web.json_response({"status": "done"})


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    made = Operator()
    app = web.Application()
    app.router.add_post("/deeds", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is for ever
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/deeds"
    yield made
    made.released.set()
    await runner.cleanup()


@pytest.fixture
async def own_site(template: Any, shelf: Any, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A server of its own, which may post to this machine."""
    made = template.copy(shelf / f"sending-{request.node.callspec.id}")
    made.settings["webhook_allow_hosts"] = "127.0.0.1"
    await made.start()
    yield made
    await made.close()


async def post(site: Site, headers: dict[str, str], path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        extra = {"Idempotency-Key": key} if key else {}
        return await client.post(site.url + path, json=body, headers={**headers, **extra})


async def make_sender(site: Site, headers: dict[str, str], operator: Operator) -> str:
    body = {
        "name": "Ada Lovelace",
        "linkedinUrl": "in/ada-of-the-crash",
        "channel": "http",
        "config": {"url": operator.url},
        "limits": {"minGap": {"seconds": 0}},
    }
    answer = await post(site, headers, "/v1/senders", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def settled(site: Site, headers: dict[str, str], body: dict[str, Any]) -> httpx.Response:
    """The retry's first answer that is not 202; each of them is told what is known by then."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await post(site, headers, "/v1/inbox/connect", body, "once")
            if answer.status_code != 202:
                return answer
            assert answer.json()["status"] in ("queued", "uncertain")


@pytest.mark.parametrize("does", [True, False], ids=["done", "not-done"])
async def test_a_server_killed_while_it_sends_never_sends_twice(
    own_site: Site, template: Any, operator: Operator, does: bool
) -> None:
    """Whether the channel had done it or not: it has been done once when the retry says that it was sent."""
    headers: dict[str, str] = template.headers
    operator.does = does
    sender = await make_sender(own_site, headers, operator)
    body = {"senderId": sender, "recipientLinkedinUrl": "in/jane", "message": "Hi"}
    lost = asyncio.create_task(post(own_site, headers, "/v1/inbox/connect", body, "once"))
    deed = await asyncio.wait_for(operator.arrived.get(), PATIENCE)
    await own_site.kill_server()
    with pytest.raises(httpx.TransportError):
        await lost
    operator.holds = False
    operator.released.set()
    await own_site.start()
    retried = await post(own_site, headers, "/v1/inbox/connect", body, "once")
    assert (retried.status_code, retried.json()["actionId"]) == (202, deed)
    assert operator.done == ([deed] if does else [])
    await own_site.end_leases()
    answer = await settled(own_site, headers, body)
    assert (answer.status_code, answer.json()["status"]) == (200, "sent")
    assert answer.json()["requestId"] == retried.json()["requestId"]
    assert operator.done == [deed]
    assert operator.asked >= 1
