"""Deeds to perform, senders to perform them, and an operator's endpoint that keeps what it is asked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from leadwright import ids
from leadwright.channels.channel import Deed
from leadwright.channels.conformance import sample_sender
from leadwright.channels.registry import CONFIGS
from leadwright.engine.sequence import StepType
from leadwright.identity import Identity, IdentityKind
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.senders.model import ChannelName, Sender

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def sender(channel: ChannelName, **config: Any) -> Sender:
    return sample_sender(channel, CONFIGS[channel].model_validate(config).to_json())


def deed(of: Sender, kind: StepType = StepType.CONNECT, slug: str = "jane-smith", **fields: Any) -> Deed:
    given: dict[str, Any] = {
        "id": ids.new_id(),
        "workspace_id": ids.new_id(),
        "sender": of,
        "kind": kind,
        "identity": Identity(IdentityKind.SLUG, slug),
        "linkedin_url": f"https://www.linkedin.com/in/{slug}",
        "content": {"text": "Hi Jane"},
        "attempt": 1,
        "at": NOW,
    }
    return Deed(**given | fields)


@pytest.fixture(scope="session")
def make_sender() -> Any:
    return sender


@pytest.fixture(scope="session")
def make_deed() -> Any:
    return deed


@dataclass
class Endpoint:
    """A real HTTP endpoint as an operator would write one: it does each deed once, by its id.

    ``answers``: what it says to the next requests instead of its own words; ``lost`` drops the connection after the
    deed, ``refused`` before it.
    """

    url: str = ""
    performed: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: list[web.Response | dict[str, Any] | str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.heads.append(dict(request.headers))
        self.bodies.append(await request.read())
        self.asked.append(asked)
        scripted = self.answers.pop(0) if self.answers else None
        if isinstance(scripted, web.Response):
            return scripted
        if isinstance(scripted, dict):
            return web.json_response(scripted)
        if scripted != "refused" and asked["want"] == "perform" and asked["id"] not in self.performed:
            self.performed.append(asked["id"])
        if scripted is not None:
            assert request.transport is not None
            request.transport.abort()
        if asked["id"] in self.performed:
            return web.json_response({"status": "done", "externalId": f"ext-{asked['id']}"})
        return web.json_response({"status": "not_done"})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    application = web.Application()
    application.router.add_post("/deeds", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/deeds"
    yield made
    await runner.cleanup()


@pytest.fixture
async def outbound() -> AsyncIterator[OutboundClient]:
    async with OutboundClient(AllowedHosts.parse(["127.0.0.1"]), connect=2, total=3, answer=1) as client:
        yield client
