"""Conversations and messages over HTTP, as a client of the public API reads them."""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.ids import Prefix, public

CONVERSATIONS = "/v1/inbox/conversations"


@pytest.fixture
async def reader(box: Any, make_key: Any, base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the box's workspace that may read the inbox and nothing else."""
    key = await make_key("inbox:read", workspace_id=box.workspace_id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        yield client


def account(box: Any) -> str:
    return public(Prefix.SENDER, box.sender_id)


async def pages(reader: httpx.AsyncClient, **query: Any) -> AsyncIterator[list[dict[str, Any]]]:
    token: str | None = ""
    while token is not None:
        body = (await reader.get(CONVERSATIONS, params={**query, "continuationToken": token})).json()
        token = body["pagination"]["continuationToken"]
        assert body["pagination"]["hasMore"] == (token is not None)
        yield body["conversations"]


def names(conversations: list[dict[str, Any]]) -> list[str]:
    return [conversation["participants"][0]["name"] for conversation in conversations]


async def test_a_conversation_is_shown_whole(box: Any, desk: Any, reader: httpx.AsyncClient) -> None:
    _, [lead] = await desk.leads({"linkedinUrl": "in/jane"})
    await box.note("connected", "jane")
    await box.keep(
        box.message("jane", "Hello Jane", at=box.at(0), lead_id=ids.bare(Prefix.LEAD, lead), shown="Jane Smith"),
        box.message("jane", "ü" * 101, at=box.at(1), received=True),
    )
    body = (await reader.get(CONVERSATIONS, params={"accountId": account(box)})).json()
    assert body["pagination"] == {"continuationToken": None, "limit": 20, "hasMore": False}
    [found] = body["conversations"]
    assert found["id"].startswith("conv_")
    [participant] = found["participants"]
    assert participant.pop("id").startswith("person_")
    assert participant == {
        "name": "Jane Smith",
        "profileUrl": "https://www.linkedin.com/in/jane",
        "profilePicture": None,
    }
    assert {name: found[name] for name in found.keys() - {"id", "participants"}} == {
        "accountId": account(box),
        "lastMessage": {"content": "ü" * 100, "sentAt": "2026-03-02T09:01:00.000Z", "direction": "received"},
        "lastActivityAt": "2026-03-02T09:01:00.000Z",
        "unreadCount": 1,
        "connection": "connected",
        "leadId": lead,
        "createdAt": "2026-03-02T09:00:00.000Z",
        "updatedAt": "2026-03-02T09:01:00.000Z",
    }
    assert (await reader.get(f"{CONVERSATIONS}/{found['id']}")).json()["id"] == found["id"]


async def test_a_lead_that_was_deleted_is_not_named(box: Any, desk: Any, reader: httpx.AsyncClient) -> None:
    campaign, [jane, joe] = await desk.leads({"linkedinUrl": "in/jane"}, {"linkedinUrl": "in/joe"})
    kept = await box.keep(
        box.message("jane", at=box.at(1), lead_id=ids.bare(Prefix.LEAD, jane)),
        box.message("joe", at=box.at(0), lead_id=ids.bare(Prefix.LEAD, joe)),
    )

    async def named() -> list[tuple[str | None, ...]]:
        listed = (await reader.get(CONVERSATIONS)).json()["conversations"]
        alone = [(await reader.get(f"{CONVERSATIONS}/{each['id']}")).json() for each in listed]
        [first, second] = [
            await desk.messages(public(Prefix.CONVERSATION, each.conversation_id), account(box)) for each in kept
        ]
        return [tuple(each["leadId"] for each in found) for found in (listed, alone, [*first, *second])]

    assert await named() == [(jane, joe)] * 3
    await desk.client.delete(f"/v1/leads/{jane}?purge=true")
    assert await named() == [(None, joe)] * 3
    await desk.client.delete(f"/v1/campaigns/{campaign}")
    assert await named() == [(None, None)] * 3


async def test_newest_activity_first_of_one_account_or_of_all(box: Any, reader: httpx.AsyncClient) -> None:
    other = await box.add_sender("Sam Roe")
    await box.keep(
        box.message("first", at=box.at(1)),
        box.message("second", at=box.at(2), sender_id=other),
        box.message("third", at=box.at(0)),
    )
    await box.keep(box.message("third", at=box.at(3), received=True))
    assert [names(page) async for page in pages(reader, limit=2)] == [["third", "second"], ["first"]]
    assert [names(page) async for page in pages(reader, accountId=account(box))] == [["third", "first"]]
    assert [names(page) async for page in pages(reader, unread="true")] == [["third"]]


async def test_an_account_without_conversations_has_an_empty_page(box: Any, reader: httpx.AsyncClient) -> None:
    assert [page async for page in pages(reader, accountId=account(box))] == [[]]


@pytest.mark.parametrize("seed", range(4))
async def test_paging_misses_and_repeats_nothing_while_messages_come_in(
    box: Any, reader: httpx.AsyncClient, seed: int
) -> None:
    """New messages, old ones told late, new conversations, between every two pages."""
    dice = random.Random(seed)
    there = [f"person-{n}" for n in range(23)]
    await box.keep(*[box.message(name, at=box.at(n)) for n, name in enumerate(there)])
    shown: list[str] = []
    async for page in pages(reader, limit=4):
        shown += names(page)
        spoken_to = [*dice.sample(there, 6), f"new-{len(shown)}"]
        await box.keep(*[box.message(n, at=box.at(dice.uniform(-5, 40)), received=True) for n in spoken_to])
    assert shown == there[::-1]


async def test_a_message_under_way_at_the_first_page_and_told_after_it_hides_nothing(
    box: Any, reader: httpx.AsyncClient
) -> None:
    """Its transaction began before the first page was read, and another after it had committed before."""
    from leadwright.inbox import service

    await box.keep(*[box.message(f"person-{n}", at=box.at(n)) for n in range(6)])
    reading = pages(reader, limit=2)
    async with box.database.session() as slow:
        async with slow.transaction():
            await service.keep_messages(slow, box.workspace_id, [box.message("person-1", at=box.at(9))])
            await box.keep(box.message("person-0", at=box.at(8)))
            first = names(await anext(reading))
        assert first == ["person-0", "person-5"]
        rest = [name async for page in reading for name in names(page)]
    assert rest == ["person-4", "person-3", "person-2", "person-1"]


async def test_rows_of_a_restored_dump_are_old_whatever_their_transactions_number(
    box: Any, reader: httpx.AsyncClient
) -> None:
    await box.keep(*[box.message(f"person-{n}", at=box.at(n)) for n in range(5)])
    async with box.database.session() as connection:
        for statement in (
            "UPDATE conversation SET moved_by = '1000000000000' WHERE workspace_id = %s",
            "UPDATE message SET kept_by = '1000000000000' WHERE workspace_id = %s",
        ):
            await connection.execute(statement, (box.workspace_id,))
    shown = [name async for page in pages(reader, limit=2) for name in names(page)]
    assert shown == [f"person-{n}" for n in reversed(range(5))]


async def conversation_of(box: Any, *messages: Any) -> str:
    kept = await box.keep(*messages)
    return public(Prefix.CONVERSATION, kept[0].conversation_id)


async def test_messages_are_shown_from_both_sides(box: Any, reader: httpx.AsyncClient) -> None:
    found = await conversation_of(
        box,
        box.message("jane", "Hello", at=box.at(0), shown="Jane Smith"),
        box.message("jane", "Hi", at=box.at(1), received=True),
    )
    answer = await reader.get(f"{CONVERSATIONS}/{found}/messages", params={"accountId": account(box)})
    body = answer.json()
    assert body["conversationId"] == found
    assert body["pagination"] == {"continuationToken": None, "limit": 50, "hasMore": False}
    sent, received = body["messages"]
    assert sent["id"].startswith("msg_")
    assert (sent["sender"]["id"], sent["sender"]["name"]) == (account(box), "Alex Doe")
    assert (sent["recipient"]["name"], sent["recipient"]["profileUrl"]) == (
        "Jane Smith",
        "https://www.linkedin.com/in/jane",
    )
    assert (received["sender"], received["recipient"]) == (sent["recipient"], sent["sender"])
    told = [
        (m["content"], m["direction"], m["sentAt"], m["readStatus"], m["contentType"], m["attachments"], m["leadId"])
        for m in (sent, received)
    ]
    assert told == [
        ("Hello", "sent", "2026-03-02T09:00:00.000Z", "unknown", "TEXT", [], None),
        ("Hi", "received", "2026-03-02T09:01:00.000Z", "unread", "TEXT", [], None),
    ]


@pytest.mark.parametrize("order", ["oldest", "newest"])
async def test_messages_by_token_while_more_come_in(box: Any, reader: httpx.AsyncClient, order: str) -> None:
    found = await conversation_of(box, *[box.message("jane", f"m{n}", at=box.at(n // 2)) for n in range(9)])
    shown: list[str] = []
    token: str | None = ""
    while token is not None:
        query = {"accountId": account(box), "limit": 4, "order": order, "continuationToken": token}
        body = (await reader.get(f"{CONVERSATIONS}/{found}/messages", params=query)).json()
        shown += [message["content"] for message in body["messages"]]
        token = body["pagination"]["continuationToken"]
        if len(shown) < 9:
            await box.keep(box.message("jane", "later", at=box.at(100)))
    there = [f"m{n}" for n in range(9)]
    assert [text for text in shown if text != "later"] == (there if order == "oldest" else there[::-1])


async def test_messages_want_their_account(box: Any, reader: httpx.AsyncClient) -> None:
    found = await conversation_of(box, box.message("jane"))
    path, other = f"{CONVERSATIONS}/{found}/messages", public(Prefix.SENDER, await box.add_sender("Sam Roe"))
    for query in ("", "?accountId="):
        missing = await reader.get(path + query)
        assert (missing.status_code, missing.json()["message"]) == (400, "Missing accountId parameter")
    of_another = await reader.get(path, params={"accountId": other})
    assert (of_another.status_code, of_another.json()["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("name", ["x", "sender_", "sender_" + "0" * 32, "%00"])
async def test_an_unknown_account_is_not_found(box: Any, reader: httpx.AsyncClient, name: str) -> None:
    found = await conversation_of(box, box.message("jane"))
    for path in (CONVERSATIONS, f"{CONVERSATIONS}/{found}/messages"):
        answer = await reader.get(f"{path}?accountId={name}")
        assert (answer.status_code, answer.json()["message"]) == (404, "Account not found")


async def test_another_workspace_sees_nothing_of_it(box: Any, make_box: Any, reader: httpx.AsyncClient) -> None:
    other = await make_box()
    found = await conversation_of(other, other.message("jane", received=True))
    assert [page async for page in pages(reader)] == [[]]
    theirs = await reader.get(CONVERSATIONS, params={"accountId": account(other)})
    assert (theirs.status_code, theirs.json()["message"]) == (404, "Account not found")
    for answer in (
        await reader.get(f"{CONVERSATIONS}/{found}"),
        await reader.get(f"{CONVERSATIONS}/{found}/messages", params={"accountId": account(box)}),
        await reader.post(f"{CONVERSATIONS}/{found}/read"),
    ):
        assert (answer.status_code, answer.json()["message"]) == (404, "Conversation not found")


async def unread(reader: httpx.AsyncClient, found: str) -> int:
    return (await reader.get(f"{CONVERSATIONS}/{found}")).json()["unreadCount"]


async def test_marking_read_up_to_a_message_and_all(box: Any, reader: httpx.AsyncClient) -> None:
    kept = await box.keep(*[box.message("jane", f"m{n}", at=box.at(n), received=True) for n in range(3)])
    found, second = public(Prefix.CONVERSATION, kept[0].conversation_id), public(Prefix.MESSAGE, kept[1].message_id)
    marked = await reader.post(f"{CONVERSATIONS}/{found}/read", json={"upToMessageId": second})
    assert marked.json() == {"success": True, "conversationId": found, "messagesRead": 2, "unreadCount": 1}
    assert await unread(reader, found) == 1
    messages = await reader.get(f"{CONVERSATIONS}/{found}/messages", params={"accountId": account(box)})
    assert [m["readStatus"] for m in messages.json()["messages"]] == ["read", "read", "unread"]
    assert (await reader.post(f"{CONVERSATIONS}/{found}/read")).json()["messagesRead"] == 1
    again = await reader.post(f"{CONVERSATIONS}/{found}/read", json={})
    assert (again.json()["messagesRead"], await unread(reader, found)) == (0, 0)
    await box.keep(box.message("jane", "one more", at=box.at(9), received=True))
    assert await unread(reader, found) == 1


async def test_marking_up_to_a_message_of_elsewhere_changes_nothing(box: Any, reader: httpx.AsyncClient) -> None:
    found = await conversation_of(box, box.message("jane", received=True))
    [elsewhere] = await box.keep(box.message("bob", received=True))
    for name in (public(Prefix.MESSAGE, elsewhere.message_id), "msg_x", "x"):
        answer = await reader.post(f"{CONVERSATIONS}/{found}/read", json={"upToMessageId": name})
        assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "upToMessageId")
    assert await unread(reader, found) == 1


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "é", "A" * 9000])
async def test_a_token_of_another_list_is_refused(box: Any, reader: httpx.AsyncClient, token: str) -> None:
    await box.keep(*[box.message(f"person-{n}", at=box.at(n)) for n in range(3)])
    page = (await reader.get(CONVERSATIONS, params={"limit": 1})).json()
    real = page["pagination"]["continuationToken"]
    for query in ({"continuationToken": token}, {"continuationToken": real, "accountId": account(box)}):
        answer = await reader.get(CONVERSATIONS, params=query)
        assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "continuationToken")


@pytest.mark.parametrize("limit", ["0", "101", "x"])
async def test_a_limit_beyond_the_convention_is_refused(reader: httpx.AsyncClient, limit: str) -> None:
    answer = await reader.get(CONVERSATIONS, params={"limit": limit})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "limit")


async def test_reading_needs_its_scope(box: Any, make_key: Any, anonymous: httpx.AsyncClient) -> None:
    key = await make_key("inbox:send", workspace_id=box.workspace_id)
    answer = await anonymous.get(CONVERSATIONS, headers=key)
    assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks inbox:read")


async def test_of_somebody_who_was_erased_no_address_is_made_up(desk: Any) -> None:
    sender = await desk.sender()
    await desk.connect(sender, "jane")
    sent = (await desk.send(sender, "jane")).json()
    erased = await desk.client.post("/v1/privacy/erase", json={"linkedinUrl": "in/jane"})
    assert erased.status_code == 200
    (found,) = (await desk.client.get("/v1/inbox/conversations")).json()["conversations"]
    (person,) = found["participants"]
    assert (person["name"], person["profileUrl"]) == ("[erased]", "[erased]")
    (message,) = await desk.messages(sent["conversationId"], sender)
    assert message["recipient"]["profileUrl"] == "[erased]"
