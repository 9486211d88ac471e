"""Receivers on this machine, and endpoints that point at them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from tests.starting import startable

from leadwright.settings import Settings


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers what ``answers`` says, one after the other and then the last for ever: a status, or a coroutine."""

    url: str = ""
    answers: list[Any] = field(default_factory=lambda: [200])
    got: list[Received] = field(default_factory=list[Received])
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(dict(request.headers), await request.read())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        async with self.arrived:
            self.got.append(received)
            self.arrived.notify_all()
        if callable(answer):
            return await answer(request)
        return web.Response(status=answer)

    async def wait_for(self, count: int) -> list[Received]:
        """The first ``count`` posts, when they have come."""
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)
        return self.got[:count]


MakeReceiver = Callable[[], Awaitable[Receiver]]


@pytest.fixture
async def make_receiver() -> AsyncIterator[MakeReceiver]:
    runners: list[web.AppRunner] = []

    async def make() -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.router.add_post("/{tail:.*}", receiver.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is for ever
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return receiver

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(make_receiver: MakeReceiver) -> Receiver:
    return await make_receiver()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(
        rate_limit=100_000,
        webhook_allow_hosts="127.0.0.1",  # type: ignore[arg-type] # read like the variable
        webhook_retry_schedule="0.05,0.05,0.05",  # type: ignore[arg-type]
        webhook_timeout=2,
    )


Subscribe = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def subscribe(client: httpx.AsyncClient) -> AsyncIterator[Subscribe]:
    """Creates endpoints, which end with the test."""
    made: list[str] = []

    async def create(url: str, **fields: Any) -> dict[str, Any]:
        answer = await client.post("/v1/webhooks", json={"name": "A receiver", "url": url, **fields})
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield create
    for webhook in made:
        await client.delete(f"/v1/webhooks/{webhook}")


Happen = Callable[..., Awaitable[str]]


@pytest.fixture
async def happen(client: httpx.AsyncClient) -> Happen:
    """Makes a campaign start, or be paused and resumed: an event each."""
    ready = await startable(client)

    async def act(*actions: str, campaign: str | None = None) -> str:
        if campaign is None:
            body = {"name": "Told", **ready}
            campaign = (await client.post("/v1/campaigns", json=body)).json()["id"]
        for action in actions:
            answer = await client.patch(f"/v1/campaigns/{campaign}", json={"action": action})
            assert answer.status_code == 200, answer.text
        return campaign

    return act
