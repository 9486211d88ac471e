"""A proxy before the real server that loses requests and answers as it is told, and clients that go through it."""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web

from leadwright.client import AsyncClient, Client

Verdict = str | int | tuple[int, dict[str, str]]
"""What becomes of a request: ``pass``, ``lose`` (it is done, the answer is lost), ``drop`` (it is not), or a status."""


@dataclass
class Proxy:
    """Treats requests by ``verdicts``, one after the other, and lets the rest pass."""

    target: httpx.AsyncClient
    url: str = ""
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    seen: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path, request.headers.get("Idempotency-Key")))
        verdict = self.verdicts.pop(0) if self.verdicts else "pass"
        if verdict in ("pass", "lose"):
            kept = {
                name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")
            }
            answer = await self.target.request(
                request.method, request.path_qs, content=await request.read(), headers=kept
            )
            if verdict == "pass":
                told = {
                    name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers
                }
                return web.Response(status=answer.status_code, body=answer.content, headers=told)
        if isinstance(verdict, str):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        status, headers = verdict if isinstance(verdict, tuple) else (verdict, {})
        return web.Response(status=status, text="not of the API", headers=headers)


@pytest.fixture
async def proxy(base_url: str) -> AsyncIterator[Proxy]:
    async with httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as target:
        made = Proxy(target)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", made.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
        await runner.cleanup()


@dataclass
class Waited:
    """Stands in for sleeping, and remembers for how long."""

    seconds: list[float] = field(default_factory=list[float])

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    async def later(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waited() -> Waited:
    return Waited()


@pytest.fixture
async def through(proxy: Proxy, headers: dict[str, str], waited: Waited) -> AsyncIterator[AsyncClient]:
    """An asynchronous client behind the proxy."""
    async with AsyncClient(proxy.url, headers["X-API-Key"], sleep=waited.later) as client:
        yield client


@pytest.fixture
async def direct(base_url: str, headers: dict[str, str]) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url, headers["X-API-Key"]) as client:
        yield client


@pytest.fixture
def blocking(base_url: str, headers: dict[str, str]) -> Callable[..., Any]:
    """Opens a blocking client, for use in a thread."""

    def opened(**options: Any) -> Client:
        return Client(options.pop("url", base_url), headers["X-API-Key"], **options)

    return opened


@pytest.fixture
async def startable(direct: AsyncClient) -> str:
    """The id of a draft that can be started: it has a step and a sender."""
    sender = await direct.senders.create("Ada", f"in/{secrets.token_hex(8)}", "manual")
    sequence = {"steps": [{"id": "later", "type": "visit_profile", "after": {"days": 9}}]}
    return (await direct.campaigns.create("Startable", sender_ids=[sender.id], sequence=sequence)).id
