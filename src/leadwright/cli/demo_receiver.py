"""A receiver of webhooks on this machine, for ``leadwright demo``: it believes only what is signed."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

HOST = "127.0.0.1"


@dataclass(slots=True)
class Receiver:
    """``events`` are those whose signature was right, each once, in the order in which they came."""

    url: str = ""
    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    signatures: list[str] = field(default_factory=list[str])
    refused: int = 0
    told_of_the_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        body, signature = await request.read(), request.headers.get("Webhook-Signature", "")
        if not is_signed(self.secret, signature, body):
            self.refused += 1
            return web.Response(status=401)
        event = json.loads(body)
        if event["eventId"] not in {each["eventId"] for each in self.events}:
            self.events.append(event)
            self.signatures.append(signature)
        if event["eventType"] == "campaign.finished":
            self.told_of_the_end.set()
        return web.Response(status=204)

    def of(self, event_type: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["eventType"] == event_type]


def is_signed(secret: str, signature: str, body: bytes) -> bool:
    """Whether ``t=<seconds>,s=<hex>`` is the body's, as a receiver in any language would work it out."""
    parts = {name: value for name, _, value in (part.partition("=") for part in signature.split(","))}
    expected = hmac.new(secret.encode(), parts.get("t", "").encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts.get("s", ""))


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """Takes requests while the block runs."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        receiver.url = f"http://{HOST}:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()
