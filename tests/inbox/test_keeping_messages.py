"""Messages in their conversations: what is last, what is unread, and two conversations that are with one person."""

from typing import Any

from leadwright import ids
from leadwright.inbox import service
from leadwright.inbox.model import Direction, NewMessage
from leadwright.leads import joining
from leadwright.postgres.pool import Connection


async def conversations(box: Any) -> list[tuple[Any, ...]]:
    """Key, last content, direction, time, unread; by key."""
    async with box.database.session() as connection:
        cursor = await connection.execute(
            """
            SELECT identity_key, last_content, last_direction, last_activity_at, unread_count FROM conversation
            WHERE workspace_id = %s ORDER BY identity_key
            """,
            (box.workspace_id,),
        )
        return list(await cursor.fetchall())


async def contents(connection: Connection, workspace_id: str, conversation_id: str) -> list[str]:
    cursor = await connection.execute(
        "SELECT content FROM message WHERE workspace_id = %s AND conversation_id = %s ORDER BY sent_at",
        (workspace_id, conversation_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def test_messages_are_kept_in_order_in_one_conversation_a_person(box: Any) -> None:
    first, other, second = await box.keep(
        box.message("jane", "one", at=box.at(0)),
        box.message("bob", "to bob", at=box.at(0)),
        box.message("jane", "two", at=box.at(1), received=True),
    )
    assert first.conversation_id == second.conversation_id != other.conversation_id
    assert await conversations(box) == [
        ("bob", "to bob", "sent", box.at(0), 0),
        ("jane", "two", "received", box.at(1), 1),
    ]
    known = await box.with_person("jane")
    assert (known.last_sent_at, known.last_received_at) == (box.at(0), box.at(1))
    (third,) = await box.keep(box.message("jane", "three", at=box.at(2), received=True))
    assert third.conversation_id == first.conversation_id
    assert (await conversations(box))[1] == ("jane", "three", "received", box.at(2), 2)
    async with box.database.session() as connection:
        assert await contents(connection, box.workspace_id, first.conversation_id) == ["one", "two", "three"]


async def test_a_message_told_late_does_not_become_the_last(box: Any) -> None:
    await box.keep(box.message("jane", "later", at=box.at(9)))
    await box.keep(box.message("jane", "earlier", at=box.at(1), received=True))
    assert await conversations(box) == [("jane", "later", "sent", box.at(9), 1)]


async def test_of_a_long_message_the_conversation_shows_the_beginning(box: Any) -> None:
    await box.keep(box.message("jane", "ä" * 101))
    assert (await conversations(box))[0][1] == "ä" * 100


async def test_a_message_keeps_the_id_it_was_promised(box: Any) -> None:
    promised, url = ids.new_id(), "https://www.linkedin.com/in/jane"
    message = NewMessage(box.sender_id, box.person("jane"), url, "Jane", Direction.SENT, "Hi", box.at(0), id=promised)
    assert [kept.message_id for kept in await box.keep(message)] == [promised]


async def joined(box: Any, one: str, other: str) -> bool:
    async with box.database.transaction() as connection:
        return await joining.join(connection, box.workspace_id, box.person(one), box.person(other), box.at(0))


async def test_joining_two_keys_merges_what_a_sender_has_with_them(box: Any) -> None:
    lead = ids.new_id()
    await box.note("invited", "jane", at=box.at(0))
    await box.note("connected", "ACoAAjane", at=box.at(3))
    (kept, gone) = await box.keep(
        box.message("jane", "to the slug", at=box.at(4), received=True),
        box.message("ACoAAjane", "to the token", at=box.at(5), lead_id=lead),
    )
    await box.keep(box.message("ACoAAjane", "from the token", at=box.at(2), received=True))
    assert await joined(box, "jane", "ACoAAjane") is True
    assert await conversations(box) == [("jane", "to the token", "sent", box.at(5), 2)]
    known = await box.with_person("ACoAAjane")
    assert (known.state, known.invited_at, known.connected_at) == ("connected", box.at(0), box.at(3))
    assert (known.last_sent_at, known.last_received_at, known.last_lead_id) == (box.at(5), box.at(4), lead)
    async with box.database.session() as connection:
        told = await contents(connection, box.workspace_id, kept.conversation_id)
        assert told == ["from the token", "to the slug", "to the token"]
        assert await contents(connection, box.workspace_id, gone.conversation_id) == []


async def test_joining_where_only_the_old_key_is_known_carries_all_over(box: Any) -> None:
    (kept,) = await box.keep(box.message("ACoAAbob", "hi", at=box.at(1)))
    await joined(box, "ACoAAbob", "bob")
    assert await conversations(box) == [("bob", "hi", "sent", box.at(1), 0)]
    (again,) = await box.keep(box.message("ACoAAbob", "again", at=box.at(2)))
    assert again.conversation_id == kept.conversation_id


async def test_joining_leaves_other_senders_and_workspaces_alone(box: Any, make_box: Any) -> None:
    other, sender = await make_box(), ids.new_id()
    await box.keep(box.message("jane"), box.message("ACoAAjane", sender_id=sender))
    await other.keep(other.message("ACoAAjane"))
    await joined(box, "jane", "ACoAAjane")
    assert [row[0] for row in await conversations(box)] == ["jane", "jane"]
    assert [row[0] for row in await conversations(other)] == ["ACoAAjane"]


async def elsewhere(box: Any, campaign_id: str, *names: str) -> set[str]:
    async with box.database.session() as connection:
        found = await service.conversations_elsewhere(
            connection, box.workspace_id, [box.person(name) for name in names], campaign_id
        )
    return {identity.key for identity in found}


async def make_lead(box: Any, name: str, campaign_id: str) -> str:
    lead_id = ids.new_id()
    async with box.database.session() as connection:
        await connection.execute(
            """
            INSERT INTO lead (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, custom,
                import_id, created_at, updated_at)
            VALUES (%s, %s, %s, 'slug', %s, %s, '{}', %s, %s, %s)
            """,
            (box.workspace_id, lead_id, campaign_id, name, f"in/{name}", ids.new_id(), box.at(0), box.at(0)),
        )
    return lead_id


async def test_who_answered_in_another_campaign(box: Any) -> None:
    here, there = ids.new_id(), ids.new_id()
    jane, bob = await make_lead(box, "jane", there), await make_lead(box, "bob", there)
    await box.keep(
        box.message("jane", received=True, lead_id=jane, sender_id=ids.new_id()),
        box.message("bob", lead_id=bob),
        box.message("ann", received=True),
    )
    assert await elsewhere(box, here, "jane", "bob", "ann", "nobody") == {"jane"}
    assert await elsewhere(box, there, "jane", "bob") == set()
    await joined(box, "jane", "ACoAAjane")
    assert await elsewhere(box, here, "ACoAAjane") == {"ACoAAjane"}
