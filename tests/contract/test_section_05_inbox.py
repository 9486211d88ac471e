"""Sections 4 and 5 of the wire contract: senders and what is left of their limits, conversations and messages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadwright import ids
from leadwright.identity import Identity, IdentityKind
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Direction, NewMessage

UNKNOWN = "0199c0ffee0070008000000000000001"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONVERSATIONS = "/v1/inbox/conversations"


@pytest.fixture
def make_sender(own):
    async def make(**fields: Any) -> dict[str, Any]:
        body = {"name": "Ada Lovelace", "linkedinUrl": f"in/{ids.new_id()}", "channel": "simulator", **fields}
        answer = await own.post("/v1/senders", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@pytest.fixture
def written(database, own):
    """Keeps what somebody wrote to a sender, or it to them, minutes after a fixed time."""

    async def keep(sender: str, person: str, text: str, minute: int, direction: Direction = Direction.RECEIVED) -> None:
        message = NewMessage(
            ids.bare(ids.Prefix.SENDER, sender) or "",
            Identity(IdentityKind.SLUG, person),
            f"https://www.linkedin.com/in/{person}",
            person.title(),
            direction,
            text,
            NOW + timedelta(minutes=minute),
        )
        async with database.transaction() as connection:
            await inbox.keep_messages(connection, own.workspace_id, [message])

    return keep


async def test_4_the_inbox_lists_its_senders(own, make_sender):
    made = await make_sender(limits={"messagesPerDay": 7, "connectionsPerDay": 3})
    body = (await own.get("/v1/inbox/senders")).json()
    assert set(body) == {"senders", "total"}
    assert body["total"] == 1
    assert body["senders"] == [
        {
            "id": made["id"],
            "name": "Ada Lovelace",
            "linkedinUrl": made["linkedinUrl"],
            "status": "active",
            "dailyMessageLimit": 7,
            "messagesSentToday": 0,
            "remainingMessages": 7,
            "dailyConnectionLimit": 3,
            "connectionsSentToday": 0,
            "remainingConnections": 3,
        }
    ]


async def test_4_quotas_have_a_limit_a_use_a_rest_and_an_end(own, make_sender):
    made = await make_sender(limits={"messagesPerDay": 7})
    body = (await own.get("/v1/senders/quotas")).json()
    assert (set(body), body["total"]) == ({"senders", "total"}, 1)
    [sender] = body["senders"]
    assert (sender["id"], sender["name"]) == (made["id"], "Ada Lovelace")
    assert {"connections", "messages", "likes"} <= sender["quotas"].keys()
    assert all(set(quota) == {"limit", "used", "remaining", "resetsAt"} for quota in sender["quotas"].values())
    assert (sender["quotas"]["messages"]["limit"], sender["quotas"]["messages"]["remaining"]) == (7, 7)
    assert datetime.fromisoformat(sender["quotas"]["messages"]["resetsAt"]) > datetime.now(UTC)


async def test_4_senders_are_made_read_edited_and_removed(own, make_sender, refused):
    made = await make_sender()
    path = f"/v1/senders/{made['id']}"
    assert (await own.get(path)).json()["name"] == "Ada Lovelace"
    assert (await own.patch(path, json={"name": "Ada King"})).json()["name"] == "Ada King"
    assert [each["id"] for each in (await own.get("/v1/senders")).json()["senders"]] == [made["id"]]
    assert (await own.delete(path)).status_code == 200
    refused(await own.get(path), 404, "Sender not found")


async def test_5_a_conversation_as_clients_read_it(own, make_sender, written):
    sender = (await make_sender())["id"]
    await written(sender, "jane", "Hello Jane", 0, Direction.SENT)
    await written(sender, "jane", "x" * 150, 1)
    body = (await own.get(CONVERSATIONS)).json()
    assert set(body) == {"conversations", "pagination"}
    assert body["pagination"] == {"continuationToken": None, "limit": 20, "hasMore": False}
    [found] = body["conversations"]
    wanted = {
        "id",
        "accountId",
        "participants",
        "lastMessage",
        "lastActivityAt",
        "unreadCount",
        "createdAt",
        "updatedAt",
    }
    assert wanted <= found.keys()
    assert (found["accountId"], found["unreadCount"]) == (sender, 1)
    [participant] = found["participants"]
    assert set(participant) == {"id", "name", "profileUrl", "profilePicture"}
    assert (participant["name"], participant["profileUrl"]) == ("Jane", "https://www.linkedin.com/in/jane")
    assert found["lastMessage"] == {"content": "x" * 100, "sentAt": "2026-03-02T09:01:00.000Z", "direction": "received"}


async def test_5_the_newest_activity_comes_first_and_tokens_go_on(own, make_sender, written):
    one, two = (await make_sender())["id"], (await make_sender())["id"]
    for minute, (sender, person) in enumerate([(one, "a"), (two, "b"), (one, "c")]):
        await written(sender, person, "Hi", minute)
    first = (await own.get(CONVERSATIONS, params={"limit": 2})).json()
    assert first["pagination"]["hasMore"] is True
    await written(two, "d", "Later", 9)
    token = first["pagination"]["continuationToken"]
    rest = (await own.get(CONVERSATIONS, params={"limit": 2, "continuationToken": token})).json()
    names = [each["participants"][0]["name"] for each in first["conversations"] + rest["conversations"]]
    assert names == ["C", "B", "A"]
    assert rest["pagination"] == {"continuationToken": None, "limit": 2, "hasMore": False}
    of_two = (await own.get(CONVERSATIONS, params={"accountId": two})).json()["conversations"]
    assert {each["accountId"] for each in of_two} == {two}


async def test_5_an_unknown_account_is_404(own, refused):
    refused(await own.get(CONVERSATIONS, params={"accountId": f"sender_{UNKNOWN}"}), 404, "Account not found")


async def test_5_messages_as_clients_read_them(own, make_sender, written):
    sender = await make_sender()
    await written(sender["id"], "jane", "Hello Jane", 0, Direction.SENT)
    await written(sender["id"], "jane", "Hi Ada", 1)
    [conversation] = (await own.get(CONVERSATIONS)).json()["conversations"]
    path = f"{CONVERSATIONS}/{conversation['id']}/messages"
    body = (await own.get(path, params={"accountId": sender["id"]})).json()
    assert set(body) == {"conversationId", "messages", "pagination"}
    assert (body["conversationId"], body["pagination"]["limit"]) == (conversation["id"], 50)
    sent, received = body["messages"]
    for message in (sent, received):
        assert message["id"].startswith("msg_")
        assert {"id", "name", "profileUrl"} <= message["sender"].keys()
        assert {"id", "name", "profileUrl"} <= message["recipient"].keys()
        assert (message["contentType"], message["attachments"]) == ("TEXT", [])
        assert message["readStatus"] in ("read", "unread", "unknown")
    assert (sent["content"], sent["direction"], sent["sender"]["name"]) == ("Hello Jane", "sent", "Ada Lovelace")
    assert (received["content"], received["direction"], received["recipient"]["name"]) == (
        "Hi Ada",
        "received",
        "Ada Lovelace",
    )
    assert received["readStatus"] == "unread"


async def test_5_messages_want_their_account(own, make_sender, written, refused):
    sender = (await make_sender())["id"]
    await written(sender, "jane", "Hi", 0)
    [conversation] = (await own.get(CONVERSATIONS)).json()["conversations"]
    refused(await own.get(f"{CONVERSATIONS}/{conversation['id']}/messages"), 400, "Missing accountId parameter")
    unknown = f"{CONVERSATIONS}/conv_{UNKNOWN}/messages"
    refused(await own.get(unknown, params={"accountId": sender}), 404, "Conversation not found")


async def test_10_a_sender_has_the_contracts_defaults(own, make_sender):
    made = await make_sender(linkedinUrl="in/ada")
    limits = {"connectionsPerDay": 20, "connectionsPerWeek": 100, "messagesPerDay": 50, "visitsPerDay": 80}
    limits |= {"likesPerDay": 30, "emailsPerDay": 50, "minGap": {"seconds": 0}}
    assert limits.items() <= made["limits"].items()
    assert (made["rampUp"], made["schedule"], made["firstName"], made["lastName"]) == (None, None, "Ada", "Lovelace")
    config = {"seed": 1, "acceptRate": 0.35, "replyRate": 0.1, "failureRate": 0}
    assert config.items() <= made["config"].items()
    assert {"acceptAfter", "replyAfter", "replyText"} <= made["config"].keys()
    other = await make_sender(channel="manual")
    assert other["limits"]["minGap"] == {"minutes": 1, "seconds": 30}


async def test_10_one_account_has_one_set_of_caps(own, make_sender, refused):
    await make_sender(linkedinUrl="in/ada")
    again = {"name": "Twin", "linkedinUrl": "https://uk.linkedin.com/in/Ada/", "channel": "simulator"}
    refused(await own.post("/v1/senders", json=again), 400)
    assert (await own.post("/v1/senders", json=again | {"channel": "manual"})).status_code == 201


async def test_10_the_secrets_of_a_config_are_masked(own, make_sender):
    config = {"url": "https://example.com/deeds", "secret": "sixteen letters and more"}
    made = await make_sender(channel="http", config=config)
    assert "sixteen letters" not in (await own.get(f"/v1/senders/{made['id']}")).text
