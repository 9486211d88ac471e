"""What is left of the senders' limits, over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from leadwright import ids
from leadwright.crypto import SecretBox
from leadwright.postgres.pool import Database
from leadwright.senders import quotas, service
from leadwright.senders.limits import QuotaKind

Make = Callable[..., Awaitable[dict[str, Any]]]
SECRETS = SecretBox("a key for tests only")


async def use(database: Database, own: Any, sender_id: str, kind: QuotaKind, count: int) -> None:
    """Takes as the engine does when it plans deeds."""
    bare = ids.bare(ids.Prefix.SENDER, sender_id) or ""
    async with database.transaction() as connection:
        sender = await service.read(connection, own.workspace_id, SECRETS, bare)
        await quotas.reserve(connection, own.workspace_id, sender, kind, count, datetime.now(UTC))


async def test_inbox_senders_tell_what_may_be_sent_today(
    own: httpx.AsyncClient, make_sender: Make, database: Database
) -> None:
    first = await make_sender(limits={"messagesPerDay": 5, "connectionsPerDay": 9, "connectionsPerWeek": 4})
    second = await make_sender(limits={"messagesPerDay": None})
    await use(database, own, first["id"], QuotaKind.MESSAGES, 2)
    await use(database, own, first["id"], QuotaKind.CONNECTIONS, 3)
    answer = (await own.get("/v1/inbox/senders")).json()
    assert answer["total"] == 2
    assert answer["senders"] == [
        {
            "id": first["id"],
            "name": "Ada Lovelace",
            "linkedinUrl": first["linkedinUrl"],
            "status": "active",
            "dailyMessageLimit": 5,
            "messagesSentToday": 2,
            "remainingMessages": 3,
            "dailyConnectionLimit": 9,
            "connectionsSentToday": 3,
            "remainingConnections": 1,
        },
        {
            "id": second["id"],
            "name": "Ada Lovelace",
            "linkedinUrl": second["linkedinUrl"],
            "status": "active",
            "dailyMessageLimit": None,
            "messagesSentToday": 0,
            "remainingMessages": None,
            "dailyConnectionLimit": 20,
            "connectionsSentToday": 0,
            "remainingConnections": 20,
        },
    ]


async def test_quotas_of_every_kind(own: httpx.AsyncClient, make_sender: Make, database: Database) -> None:
    made = await make_sender(limits={"likesPerDay": 3, "visitsPerDay": None, "visitsPerWeek": None})
    await use(database, own, made["id"], QuotaKind.LIKES, 9)
    answer = (await own.get("/v1/senders/quotas")).json()
    [shown] = answer["senders"]
    assert (answer["total"], shown["id"], shown["name"]) == (1, made["id"], "Ada Lovelace")
    assert set(shown["quotas"]) == {"connections", "messages", "likes", "visits", "emails"}
    likes = shown["quotas"]["likes"]
    assert (likes["limit"], likes["used"], likes["remaining"]) == (3, 3, 0)
    resets_at = datetime.fromisoformat(likes["resetsAt"])
    assert timedelta() < resets_at - datetime.now(UTC) <= timedelta(days=1)
    assert (resets_at.hour, resets_at.minute) == (0, 0)
    visits = shown["quotas"]["visits"]
    assert (visits["limit"], visits["used"], visits["remaining"]) == (None, 0, None)


async def test_a_ramp_up_is_todays_limit(own: httpx.AsyncClient, make_sender: Make) -> None:
    begun = (datetime.now(UTC) - timedelta(days=8)).date().isoformat()
    await make_sender(rampUp={"start": 2, "addPerWeek": 3, "beginsOn": begun})
    [shown] = (await own.get("/v1/senders/quotas")).json()["senders"]
    assert {kind: quota["limit"] for kind, quota in shown["quotas"].items()} == dict.fromkeys(shown["quotas"], 5)


async def test_other_workspaces_and_removed_senders_are_not_there(
    own: httpx.AsyncClient, make_sender: Make, client: httpx.AsyncClient
) -> None:
    made = await make_sender()
    assert made["id"] not in (await client.get("/v1/inbox/senders")).text
    assert made["id"] not in (await client.get("/v1/senders/quotas")).text
    await own.delete(f"/v1/senders/{made['id']}")
    assert (await own.get("/v1/inbox/senders")).json() == {"senders": [], "total": 0}
    assert (await own.get("/v1/senders/quotas")).json() == {"senders": [], "total": 0}
