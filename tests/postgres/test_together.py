"""Several statements in one message: one transaction, and each sees what was committed before it began."""

import asyncio

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from leadwright.postgres.pool import Connection
from leadwright.postgres.together import INTEGER, TEXT, Asked, numbered, together

CREATE = "CREATE TABLE IF NOT EXISTS kept (value integer PRIMARY KEY)"
KEEP = numbered(b"keep", "INSERT INTO kept VALUES (%(value)s)", {"value": INTEGER})
READ = numbered(b"read", "SELECT value, NULL FROM kept ORDER BY value", {})
LOCK = numbered(b"lock", "SELECT pg_advisory_xact_lock(hashtext(%(word)s))", {"word": TEXT})


def keep(value: int) -> Asked:
    return Asked(KEEP, [b"%d" % value])


@pytest.fixture
async def connection(database):
    async with database.session() as opened:
        await opened.execute(CREATE)
        await opened.execute("TRUNCATE kept")
        yield opened


async def kept(connection: Connection) -> list[int]:
    cursor = await connection.execute("SELECT value FROM kept ORDER BY value")
    return [value for (value,) in await cursor.fetchall()]


async def test_rows_come_back_statement_by_statement(connection):
    assert await together(connection, [keep(2), keep(1), Asked(READ, [])]) == [[], [], [(b"1", None), (b"2", None)]]
    assert await kept(connection) == [1, 2]


async def test_one_that_fails_takes_all_with_it_and_leaves_the_connection_usable(connection):
    with pytest.raises(UniqueViolation):
        await together(connection, [keep(1), keep(2), keep(1), keep(3)])
    assert await kept(connection) == []
    assert await together(connection, [keep(1), Asked(READ, [])]) == [[], [(b"1", None)]]


async def test_statements_that_the_server_forgot_are_told_again(connection):
    await together(connection, [keep(1), Asked(READ, [])])
    await connection.execute("DEALLOCATE ALL")
    assert await together(connection, [keep(2), Asked(READ, [])]) == [[], [(b"1", None), (b"2", None)]]


async def test_what_waits_for_a_lock_then_sees_what_its_holder_committed(connection, database):
    async with database.session() as holder:
        await holder.execute("BEGIN")
        await holder.execute("SELECT pg_advisory_xact_lock(hashtext('person'))")
        asking = asyncio.create_task(together(connection, [Asked(LOCK, [b"person"]), Asked(READ, [])]))
        while not await waits(database, connection):
            await asyncio.sleep(0)
        await holder.execute("INSERT INTO kept VALUES (7)")
        await holder.execute("COMMIT")
        assert (await asking)[1] == [(b"7", None)]


async def waits(database, connection: Connection) -> bool:
    async with database.session() as looking:
        pid = connection.info.backend_pid
        cursor = await looking.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", (pid,))
        return await cursor.fetchone() is not None


async def test_a_server_that_goes_away_ends_the_connection(connection, database):
    async with database.session() as holder:
        await holder.execute("SELECT pg_advisory_lock(hashtext('gone'))")
        asking = asyncio.create_task(together(connection, [keep(1), Asked(LOCK, [b"gone"])]))
        while not await waits(database, connection):
            await asyncio.sleep(0)
        await holder.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            await asking
        await holder.execute("SELECT pg_advisory_unlock_all()")
        assert connection.closed
        assert await kept(holder) == []


async def test_one_who_stops_waiting_changes_nothing(connection, database):
    async with database.session() as holder:
        await holder.execute("SELECT pg_advisory_lock(hashtext('slow'))")
        asking = asyncio.create_task(together(connection, [keep(1), Asked(LOCK, [b"slow"])]))
        while not await waits(database, connection):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await holder.execute("SELECT pg_advisory_unlock_all()")
        assert await kept(holder) == []
