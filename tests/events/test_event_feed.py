"""The feed on a real database: positions without gaps, nothing missed, nothing twice, order kept."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from leadwright import ids
from leadwright.errors import InvalidRequest
from leadwright.events import service, store
from leadwright.events.model import Event, EventType, cursor_at
from leadwright.events.publisher import publish
from leadwright.events.wire import envelope
from leadwright.postgres.pool import Connection, Database

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SEARCH = EventType.LEAD_DATABASE_SEARCH_COMPLETED
JOB = EventType.LEAD_EXTRACTOR_JOB_COMPLETED


@pytest.fixture
async def fresh(database: Database) -> str:
    """A workspace id of its own for each test; no event waits when the test begins."""
    while await publish(database):
        pass
    return ids.new_id()


async def note(
    connection: Connection,
    workspace_id: str,
    number: int,
    *,
    kind: EventType = SEARCH,
    lead_id: str | None = None,
) -> str:
    return await service.record(connection, workspace_id, type=kind, data={"number": number}, now=NOW, lead_id=lead_id)


async def read(
    database: Database, workspace_id: str, after: str = "", types: Sequence[EventType] = (), limit: int = 100
) -> service.FeedPage:
    async with database.session() as connection:
        return await service.feed(connection, workspace_id, after=after, types=types, limit=limit)


def numbers(events: Sequence[Event]) -> list[int]:
    return [json.loads(event.data)["number"] for event in events]


async def test_the_database_knows_the_same_types(database: Database) -> None:
    async with database.session() as connection:
        cursor = await connection.execute("SELECT unnest(enum_range(NULL::event_type))::text")
        assert [row[0] for row in await cursor.fetchall()] == [str(name) for name in EventType]


async def test_an_event_is_in_the_feed_once_it_is_published(database: Database, fresh: str) -> None:
    async with database.transaction() as connection:
        event_id = await note(connection, fresh, 1)
    assert (await read(database, fresh)).events == []
    assert await publish(database) == 1
    page = await read(database, fresh)
    assert [(e.id, e.position, e.type, e.created_at) for e in page.events] == [(event_id, 1, SEARCH, NOW)]
    assert (page.next_position, page.has_more) == (1, False)


async def test_publishing_goes_on_in_portions_and_ends_with_zero(database: Database, fresh: str) -> None:
    async with database.transaction() as connection:
        for number in range(5):
            await note(connection, fresh, number)
    assert [await publish(database, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    page = await read(database, fresh)
    assert numbers(page.events) == [0, 1, 2, 3, 4]
    assert [e.position for e in page.events] == [1, 2, 3, 4, 5]


async def test_a_transaction_that_commits_late_comes_later_and_not_behind(database: Database, fresh: str) -> None:
    async with database.session() as slow, database.session() as fast:
        async with slow.transaction():
            await note(slow, fresh, 1)
            async with fast.transaction():
                await note(fast, fresh, 2)
            assert await publish(database) == 1
            first = await read(database, fresh)
        assert await publish(database) == 1
    second = await read(database, fresh, cursor_at(fresh, first.next_position))
    assert (numbers(first.events), numbers(second.events)) == ([2], [1])
    assert [e.position for e in second.events] == [2]


async def test_what_is_rolled_back_leaves_no_gap(database: Database, fresh: str) -> None:
    async with database.session() as connection:
        for number in range(6):
            async with connection.transaction(force_rollback=number % 2 == 1):
                await note(connection, fresh, number)
    await publish(database)
    page = await read(database, fresh)
    assert [(e.position, n) for e, n in zip(page.events, numbers(page.events), strict=True)] == [
        (1, 0),
        (2, 2),
        (3, 4),
    ]


async def test_one_publisher_at_a_time(database: Database, fresh: str) -> None:
    async with database.transaction() as connection:
        await note(connection, fresh, 1)
    async with database.transaction() as other:
        assert await store.take_publishing(other)
        assert await publish(database) == 0
    assert await publish(database) == 1


@pytest.mark.usefixtures("fresh")
async def test_with_nothing_to_publish_nothing_is_written(database: Database) -> None:
    async with database.transaction() as connection:
        assert not await store.take_publishing(connection)
        cursor = await connection.execute("SELECT pg_current_xact_id_if_assigned()")
        assert await cursor.fetchone() == (None,)


async def test_each_workspace_has_its_own_positions(database: Database, fresh: str) -> None:
    other = ids.new_id()
    async with database.transaction() as connection:
        for number in range(6):
            await note(connection, other if number % 2 else fresh, number)
    await publish(database)
    one, two = await read(database, fresh), await read(database, other)
    assert (numbers(one.events), numbers(two.events)) == ([0, 2, 4], [1, 3, 5])
    assert [e.position for e in one.events] == [e.position for e in two.events] == [1, 2, 3]


async def test_a_filter_moves_the_cursor_past_what_it_leaves_out(database: Database, fresh: str) -> None:
    async with database.transaction() as connection:
        for number in range(10):
            await note(connection, fresh, number, kind=JOB if number in (3, 5) else SEARCH)
    await publish(database)
    first = await read(database, fresh, types=[JOB], limit=1)
    assert (numbers(first.events), first.next_position, first.has_more) == ([3], 4, True)
    second = await read(database, fresh, cursor_at(fresh, 4), types=[JOB], limit=1)
    assert (numbers(second.events), second.next_position, second.has_more) == ([5], 10, False)
    both = await read(database, fresh, types=[JOB, SEARCH])
    assert numbers(both.events) == list(range(10))
    none = await read(database, fresh, types=[EventType.LEAD_UPDATED])
    assert (none.events, none.next_position, none.has_more) == ([], 10, False)


async def test_an_empty_feed_gives_a_cursor_that_means_its_beginning(database: Database, fresh: str) -> None:
    page = await read(database, fresh)
    assert (page.events, page.next_position, page.has_more) == ([], 0, False)
    async with database.transaction() as connection:
        await note(connection, fresh, 1)
    await publish(database)
    assert numbers((await read(database, fresh, cursor_at(fresh, page.next_position))).events) == [1]


async def test_a_cursor_from_beyond_the_end_is_refused(database: Database, fresh: str) -> None:
    with pytest.raises(InvalidRequest, match="after: points beyond the end of this feed"):
        await read(database, fresh, cursor_at(fresh, 1))


async def test_an_event_has_the_same_bytes_each_time(database: Database, fresh: str) -> None:
    data = {"z": 1.0, "a": [1, 2.5, None, "Zoë \U0001f600"], "m": {"b": True, "a": "\\"}}
    async with database.transaction() as connection:
        await service.record(connection, fresh, type=JOB, data=data, now=NOW, simulated=True)
    await publish(database)
    bodies = {msgspec.json.encode(envelope(fresh, (await read(database, fresh)).events[0])) for _ in range(2)}
    (body,) = bodies
    assert b'"data":{"z":1.0,"a":[1,2.5,null,"Zo\xc3\xab \xf0\x9f\x98\x80"],"m":{"b":true,"a":"\\\\"}}' in body
    assert body.endswith(b'"simulated":true}')


async def test_a_leads_events_are_read_in_order_published_or_not(database: Database, fresh: str) -> None:
    lead = ids.new_id()
    async with database.transaction() as connection:
        await note(connection, fresh, 1, lead_id=lead)
        await note(connection, fresh, 2, lead_id=ids.new_id())
    await publish(database)
    async with database.transaction() as connection:
        await note(connection, fresh, 3, lead_id=lead)
        found = await store.of_lead(connection, fresh, lead)
        assert numbers([event for _, event in found]) == [1, 3]
        rest = await store.of_lead(connection, fresh, lead, after_seq=found[0][0])
        assert numbers([event for _, event in rest]) == [3]
        assert await store.of_lead(connection, ids.new_id(), lead) == []


@pytest.mark.parametrize(
    ("subjects", "prefix"),
    [
        ({"lead_id": "1" * 32, "conversation_id": "2" * 32, "campaign_id": "3" * 32}, "lead_1111"),
        ({"conversation_id": "2" * 32, "campaign_id": "3" * 32}, "conv_2222"),
        ({"campaign_id": "3" * 32}, "camp_3333"),
        ({}, "evt_"),
    ],
)
async def test_order_is_kept_by_lead_else_conversation_else_campaign(
    database: Database, fresh: str, subjects: dict[str, Any], prefix: str
) -> None:
    async with database.transaction() as connection:
        await service.record(connection, fresh, type=JOB, data={}, now=NOW, **subjects)
        cursor = await connection.execute("SELECT stream FROM event WHERE workspace_id = %s", (fresh,))
        (stream,) = await cursor.fetchall()
    assert stream[0].startswith(prefix)


WRITERS = 8
TRANSACTIONS_EACH = 30
SUBJECTS = 5


async def write(database: Database, workspaces: Sequence[str], subjects: Sequence[str], dice: random.Random) -> int:
    """Numbers the events of each subject under its row lock, in transactions of random length and end."""
    written = 0
    async with database.session() as connection:
        for _ in range(TRANSACTIONS_EACH):
            given_up = dice.random() < 0.2
            async with connection.transaction(force_rollback=given_up):
                for subject in sorted(dice.sample(subjects, dice.randint(1, 2))):
                    cursor = await connection.execute(
                        "UPDATE subject SET last = last + 1 WHERE id = %s RETURNING last", (subject,)
                    )
                    (number,) = await cursor.fetchone() or (0,)
                    workspace_id = workspaces[subjects.index(subject) % len(workspaces)]
                    await note(connection, workspace_id, number, kind=dice.choice([SEARCH, JOB]), lead_id=subject)
                    written += not given_up
                for _ in range(dice.choice([0, 0, 1, 5, 20])):
                    await connection.execute("SELECT 1")
    return written


async def keep_publishing(database: Database, done: asyncio.Event) -> None:
    """Until a round that began after ``done`` finds nothing."""
    while True:
        last_round = done.is_set()
        if not await publish(database, limit=7) and last_round:
            return


async def follow(database: Database, workspace_id: str, types: Sequence[EventType], done: asyncio.Event) -> list[Event]:
    """All that a reader gets from the beginning until everything has been published."""
    seen: list[Event] = []
    cursor = ""
    while True:
        last_round = done.is_set()
        page = await read(database, workspace_id, cursor, types, limit=5)
        seen += page.events
        cursor = cursor_at(workspace_id, page.next_position)
        if last_round and not page.has_more:
            return seen


async def stored(database: Database, workspace_id: str) -> list[tuple[str, int, str, str]]:
    """Id, position, type and lead of every event of a workspace, in the order in which they happened."""
    async with database.session() as connection:
        cursor = await connection.execute(
            "SELECT id, position, type::text, lead_id FROM event WHERE workspace_id = %s ORDER BY seq",
            (workspace_id,),
        )
        return await cursor.fetchall()


@pytest.mark.parametrize("seed", range(3))
async def test_a_reader_beside_eight_writers_misses_nothing_and_sees_nothing_twice(
    database: Database, fresh: str, seed: int
) -> None:
    workspaces = (fresh, ids.new_id())
    subjects = sorted(ids.new_id() for _ in range(SUBJECTS))
    async with database.session() as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS subject (id uuid PRIMARY KEY, last integer NOT NULL)")
        await connection.execute("INSERT INTO subject SELECT unnest(%s::uuid[]), 0", (subjects,))
    written, published = asyncio.Event(), asyncio.Event()
    publishers = [asyncio.create_task(keep_publishing(database, written)) for _ in range(2)]
    readers = {
        (workspace, types): asyncio.create_task(follow(database, workspace, types, published))
        for workspace in workspaces
        for types in ((), (JOB,), (JOB, SEARCH))
    }
    writers = [write(database, workspaces, subjects, random.Random(seed * 100 + n)) for n in range(WRITERS)]
    total = sum(await asyncio.gather(*writers))
    written.set()
    await asyncio.gather(*publishers)
    published.set()
    assert await publish(database) == 0
    seen = {who: await reader for who, reader in readers.items()}

    assert sum(len(seen[workspace, ()]) for workspace in workspaces) == total
    for workspace in workspaces:
        rows = await stored(database, workspace)
        assert sorted(position for _, position, _, _ in rows) == list(range(1, len(rows) + 1))
        in_feed = [event_id for event_id, *_ in sorted(rows, key=lambda row: row[1])]
        assert [event.id for event in seen[workspace, ()]] == in_feed
        assert [event.id for event in seen[workspace, (JOB, SEARCH)]] == in_feed
        jobs = {event_id for event_id, _, event_type, _ in rows if event_type == JOB}
        assert [event.id for event in seen[workspace, (JOB,)]] == [i for i in in_feed if i in jobs]
        assert_numbered_in_order(seen[workspace, ()], {event_id: lead for event_id, _, _, lead in rows})


def assert_numbered_in_order(events: Sequence[Event], lead_of: dict[str, str]) -> None:
    by_lead: dict[str, list[int]] = defaultdict(list)
    for event, number in zip(events, numbers(events), strict=True):
        by_lead[lead_of[event.id]].append(number)
    assert by_lead
    for given_numbers in by_lead.values():
        assert given_numbers == list(range(1, len(given_numbers) + 1))
