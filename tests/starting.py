"""What a campaign needs to be started: a sender, and a sequence of which nothing is done while a test runs."""

import secrets
from typing import Any

import httpx

SLEEPING: dict[str, Any] = {"steps": [{"id": "visit", "type": "visit_profile", "after": {"days": 1}}]}


def sender_body(**fields: Any) -> dict[str, Any]:
    """A simulator sender with an account of its own."""
    account = f"https://www.linkedin.com/in/sender-{secrets.token_hex(8)}"
    return {"name": "Max Muster", "linkedinUrl": account, "channel": "simulator", **fields}


async def add_sender(client: httpx.AsyncClient, **fields: Any) -> str:
    """Answers its id."""
    answer = await client.post("/v1/senders", json=sender_body(**fields))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def startable(client: httpx.AsyncClient) -> dict[str, Any]:
    """Fields of a campaign that lacks nothing to be started."""
    return {"senderIds": [await add_sender(client)], "sequence": SLEEPING}
