"""What the settings say is forgotten by age; what is not said, and what is still to go out, stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Database
from leadwright.privacy.retention import Days, forget_old
from leadwright.settings import Settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)
EVERYTHING = Days(30, 30, 30, 30, 30)

INSERTS = (
    "INSERT INTO history (workspace_id, lead_id, at, type) VALUES (%(w)s, %(id)s, %(at)s, 'noted')",
    """
    INSERT INTO event (workspace_id, id, position, type, stream, data, created_at)
    VALUES (%(w)s, %(id)s, %(n)s, 'lead.updated', 's', '{}', %(at)s)
    """,
    """
    INSERT INTO conversation (workspace_id, id, sender_id, identity_kind, identity_key, participant_url, last_content,
        last_activity_at, created_at, updated_at)
    VALUES (%(w)s, %(id)s, %(id)s, 'slug', 'x', '', 'Hello', %(at)s, %(at)s, %(at)s)
    """,
    """
    INSERT INTO message (workspace_id, id, conversation_id, direction, content, sent_at)
    VALUES (%(w)s, %(id)s, %(id)s, 'sent', 'Hello', %(at)s)
    """,
    """
    INSERT INTO action (workspace_id, id, sender_id, identity_kind, identity_key, linkedin_url, kind, content, state,
        due_at, planned_at, finished_at)
    VALUES (%(w)s, %(id)s, %(id)s, 'slug', 'x', '', 'message', '{"text": "Hello"}', 'done', %(at)s, %(at)s, %(at)s)
    """,
    """
    INSERT INTO lead_import (workspace_id, id, campaign_id, api_key_id, received, added, updated, duplicates, invalid,
        created_at) VALUES (%(w)s, %(id)s, %(id)s, %(id)s, 1, 0, 0, 0, 1, %(at)s)
    """,
    """
    INSERT INTO lead_import_outcome (workspace_id, import_id, row_index, outcome)
    VALUES (%(w)s, %(id)s, 0, 'invalid')
    """,
    """
    INSERT INTO audit_entry (workspace_id, id, at, action, path, status, key_name)
    VALUES (%(w)s, %(id)s, %(at)s, 'x', 'x', 200, 'x')
    """,
)
SHOWN: dict[str, LiteralString] = {
    "history": "SELECT at FROM history",
    "event": "SELECT created_at FROM event",
    "message": "SELECT sent_at FROM message",
    "conversation": "SELECT last_activity_at FROM conversation WHERE last_content IS NOT NULL",
    "action": "SELECT finished_at FROM action WHERE content <> '{}'",
    "import": "SELECT i.created_at FROM lead_import_outcome o JOIN lead_import i ON i.id = o.import_id",
    "audit": "SELECT at FROM audit_entry WHERE action = 'x'",
}
FORGETS = {
    "history": ["history"],
    "events": ["event"],
    "messages": ["message", "conversation", "action"],
    "imports": ["import"],
    "audit": ["audit"],
}


@pytest.fixture
async def kept(make_database: Callable[..., str]) -> AsyncIterator[Database]:
    """A database of its own with an old and a young record of each kind."""
    opened = Database(await asyncio.to_thread(make_database), size=4)
    await opened.open()
    async with opened.transaction() as connection:
        workspace = await accounts.default_workspace(connection)
        for number, at, row_id in ((1, OLD, ids.new_id()), (2, YOUNG, ids.new_id())):
            for statement in INSERTS:
                await connection.execute(statement, {"w": workspace.id, "id": row_id, "at": at, "n": number})
    yield opened
    await opened.close()


async def ages(database: Database) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    async with database.session() as connection:
        for name, query in SHOWN.items():
            cursor = await connection.execute(query)
            found[name] = sorted(row[0] for row in await cursor.fetchall())
    return found


async def test_without_settings_everything_stays_for_ever(kept: Database, settings: Settings) -> None:
    assert Days.of(settings) == Days()
    assert not await forget_old(kept, Days(), NOW + timedelta(days=40_000))
    assert set(map(tuple, (await ages(kept)).values())) == {(OLD, YOUNG)}


@pytest.mark.parametrize("kind", list(FORGETS))
async def test_each_kind_goes_by_its_own_age_and_no_other_with_it(kept: Database, kind: str) -> None:
    assert not await forget_old(kept, Days(**{kind: 30}), NOW)
    found = await ages(kept)
    assert {name: found[name] for name in FORGETS[kind]} == {name: [YOUNG] for name in FORGETS[kind]}
    assert all(times == [OLD, YOUNG] for name, times in found.items() if name not in FORGETS[kind])


async def test_it_takes_small_bites_until_nothing_is_left(kept: Database) -> None:
    rounds = 1
    while await forget_old(kept, EVERYTHING, NOW + timedelta(days=2), rows=1):
        rounds += 1
    assert rounds == 3
    assert set(map(tuple, (await ages(kept)).values())) == {()}


async def test_an_event_that_is_still_to_be_delivered_or_published_stays(kept: Database) -> None:
    async with kept.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, event_type, stream, position,
                created_at)
            SELECT workspace_id, id, id, id, 'x', 's', position, created_at FROM event WHERE created_at = %s
            """,
            (OLD,),
        )
        await connection.execute("UPDATE event SET position = NULL WHERE created_at = %s", (YOUNG,))
    await forget_old(kept, EVERYTHING, NOW + timedelta(days=99))
    assert (await ages(kept))["event"] == [OLD, YOUNG]
    async with kept.transaction() as connection:
        await connection.execute("UPDATE webhook_delivery SET status = 'delivered'")
    await forget_old(kept, EVERYTHING, NOW)
    assert (await ages(kept))["event"] == [YOUNG]


async def test_one_process_at_a_time_has_the_duty(kept: Database) -> None:
    async with kept.transaction() as connection:
        await connection.execute("SELECT 1 FROM duty WHERE name = 'forget_old' FOR UPDATE")
        assert not await forget_old(kept, EVERYTHING, NOW)
    assert set(map(tuple, (await ages(kept)).values())) == {(OLD, YOUNG)}


async def test_an_import_keeps_its_numbers_and_its_key(kept: Database) -> None:
    await forget_old(kept, EVERYTHING, NOW + timedelta(days=99))
    async with kept.session() as connection:
        cursor = await connection.execute("SELECT count(*) FROM lead_import WHERE invalid = 1")
        assert await cursor.fetchone() == (2,)
