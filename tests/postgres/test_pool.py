"""The pool on a real server: lost connections are replaced unseen, and each passing fault has its 503."""

import asyncio
import select
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import LiteralString

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from leadwright.errors import Unavailable
from leadwright.postgres import pool
from leadwright.postgres.pool import Connection, Database, passing_fault


@pytest.fixture
async def small(make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A pool of two connections that gives up soon, on an empty database with one table."""
    monkeypatch.setattr(pool, "WAIT_FOR_DATABASE_SECONDS", 1.0)
    monkeypatch.setattr(pool, "AWAY_AFTER_SECONDS", 0.5)
    monkeypatch.setattr(pool, "RECONNECT_SECONDS", 0.1)
    opened = Database(await asyncio.to_thread(make_database, migrated=False), size=2)
    await opened.open()
    async with opened.session() as connection:
        await connection.execute("CREATE TABLE kept (value integer)")
    yield opened
    await opened.close()


async def backend(connection: Connection) -> int:
    cursor = await connection.execute("SELECT pg_backend_pid()")
    (pid,) = await cursor.fetchone() or (0,)
    return pid


async def values(database: Database) -> list[int]:
    async with database.session() as connection:
        cursor = await connection.execute("SELECT value FROM kept ORDER BY value")
        return [value for (value,) in await cursor.fetchall()]


async def fault_of(connection: Connection, *statements: LiteralString) -> psycopg.Error:
    """The fault that the last of the statements raises."""
    *first, last = statements
    for statement in first:
        await connection.execute(statement)
    with pytest.raises(psycopg.Error) as raised:
        await connection.execute(last)
    return raised.value


def told(fault: BaseException) -> str | None:
    passing = passing_fault(fault)
    return None if passing is None else passing.code


async def end_all_others(database: Database) -> None:
    """Ends every other connection to the database, and waits until they are gone."""
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        await connection.execute(
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )


async def test_connections_that_the_server_ended_are_replaced_unseen(small: Database) -> None:
    async with small.session() as one, small.session() as two:
        before = {await backend(one), await backend(two)}
    await end_all_others(small)
    async with small.session() as one, small.session() as two:
        after = {await backend(one), await backend(two)}
    assert len(before) == len(after) == 2
    assert not before & after


async def test_a_connection_lost_in_use_is_the_callers_fault_and_nobody_elses_after(small: Database) -> None:
    async with small.session() as connection:
        await end_all_others(small)
        fault = await fault_of(connection, "SELECT 1")
    assert told(fault) == "database_unavailable"
    assert await values(small) == []


async def test_a_database_that_is_away_is_unavailable_until_it_is_back(small: Database) -> None:
    """Also when it is away for longer than the pool tries by itself."""
    elsewhere = psycopg.conninfo.make_conninfo(small.conninfo, dbname="postgres")
    name = psycopg.sql.Identifier(psycopg.conninfo.conninfo_to_dict(small.conninfo)["dbname"])
    open_or_close = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    async with await psycopg.AsyncConnection.connect(elsewhere, autocommit=True) as operator:
        await end_all_others(small)
        await operator.execute(open_or_close.format(name, False))
        for _ in range(2):
            with pytest.raises(Unavailable) as fault:
                await values(small)
            assert (fault.value.code, fault.value.retry_after) == ("database_unavailable", 2)
        await operator.execute(open_or_close.format(name, True))
    assert await values(small) == []


async def test_one_that_is_only_busy_is_waited_for_longer(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "AWAY_AFTER_SECONDS", 0.01)
    async with small.session(), small.session() as held:
        monkeypatch.setattr(pool, "WAIT_FOR_DATABASE_SECONDS", 30.0)
        asking = asyncio.create_task(asked_for(small, 30.0))
        await held.execute("SELECT pg_sleep(0.1)")
        assert not asking.done()
    await asking


async def asked_for(database: Database, wait: float) -> None:
    async with database.session(wait=wait) as connection:
        await connection.execute("SELECT 1")


async def test_when_nobody_has_a_connection_the_database_is_away_soon(small: Database) -> None:
    elsewhere = psycopg.conninfo.make_conninfo(small.conninfo, dbname="postgres")
    name = psycopg.sql.Identifier(psycopg.conninfo.conninfo_to_dict(small.conninfo)["dbname"])
    async with await psycopg.AsyncConnection.connect(elsewhere, autocommit=True) as operator:
        await end_all_others(small)
        await operator.execute(psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await asked_for(small, 600.0)
        assert asyncio.get_running_loop().time() - started < 60


async def test_a_closed_pool_is_unavailable(small: Database) -> None:
    await small.close()
    with pytest.raises(Unavailable):
        await values(small)


async def insert_and_fail(block: AbstractAsyncContextManager[Connection], value: int) -> None:
    async with block as connection:
        await connection.execute("INSERT INTO kept VALUES (%s)", (value,))
        raise ZeroDivisionError


async def test_a_transaction_is_kept_whole_or_not_at_all(small: Database) -> None:
    async with small.transaction() as connection:
        await connection.execute("INSERT INTO kept VALUES (1)")
        assert connection.pgconn.transaction_status == TransactionStatus.INTRANS
    with pytest.raises(ZeroDivisionError):
        await insert_and_fail(small.transaction(), 2)
    assert await values(small) == [1]


async def test_a_session_keeps_each_statement_by_itself(small: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await insert_and_fail(small.session(), 3)
    assert await values(small) == [3]


async def test_a_connection_left_in_a_transaction_never_reaches_the_next_user(small: Database) -> None:
    for _ in range(2):
        async with small.session() as connection:
            await connection.execute("BEGIN")
            await connection.execute("INSERT INTO kept VALUES (4)")
    assert await values(small) == []


async def test_a_statement_that_takes_too_long(small: Database) -> None:
    async with small.session() as connection:
        cursor = await connection.execute("SHOW statement_timeout")
        assert await cursor.fetchone() == (f"{pool.STATEMENT_TIMEOUT_SECONDS}s",)
        fault = await fault_of(connection, "SET statement_timeout = 1", "SELECT pg_sleep(10)")
        await connection.execute("RESET statement_timeout")
    assert told(fault) == "database_timeout"


async def test_a_lock_that_is_not_to_be_had(small: Database) -> None:
    async with small.transaction() as holder, small.session() as connection:
        await holder.execute("LOCK TABLE kept")
        fault = await fault_of(connection, "SET lock_timeout = 1", "SELECT FROM kept")
        await connection.execute("RESET lock_timeout")
    assert told(fault) == "database_timeout"


async def test_an_operator_who_ends_the_connection(small: Database) -> None:
    async with small.session() as connection:
        fault = await fault_of(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert isinstance(fault, psycopg.errors.AdminShutdown)
        assert told(fault) == "database_unavailable"
        assert told(await fault_of(connection, "SELECT 1")) == "database_unavailable"


async def test_a_transaction_that_was_left_idle(small: Database) -> None:
    async with small.session() as connection:
        await connection.execute("SET idle_in_transaction_session_timeout = 1")
        await connection.execute("BEGIN")
        await asyncio.to_thread(select.select, [connection.fileno()], [], [])
        fault = await fault_of(connection, "SELECT 1")
    assert isinstance(fault, psycopg.errors.IdleInTransactionSessionTimeout)
    assert told(fault) == "database_unavailable"


async def test_a_server_that_takes_no_more_connections(small: Database) -> None:
    name = psycopg.sql.Identifier(psycopg.conninfo.conninfo_to_dict(small.conninfo)["dbname"])
    async with small.session() as connection:
        await connection.execute(psycopg.sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
    with pytest.raises(psycopg.OperationalError, match="too many connections") as fault:
        await psycopg.AsyncConnection.connect(small.conninfo)
    assert told(fault.value) == "database_unavailable"


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(psycopg.OperationalError) as fault:
        await psycopg.AsyncConnection.connect("host=/nonexistent")
    assert told(fault.value) == "database_unavailable"


CODES = {
    "disk_full": "disk_full",
    "out_of_memory": "database_unavailable",
    "too_many_connections": "database_unavailable",
    "configuration_limit_exceeded": "database_unavailable",
    "crash_shutdown": "database_unavailable",
    "cannot_connect_now": "database_unavailable",
    "connection_failure": "database_unavailable",
    "query_canceled": "database_timeout",
    "unique_violation": None,
    "syntax_error": None,
    "invalid_text_representation": None,
    "insufficient_privilege": None,
    "internal_error": None,
    "index_corrupted": None,
}


@pytest.mark.parametrize("condition", CODES)
async def test_each_condition_has_its_answer(database: Database, condition: str) -> None:
    """Raised by the server, so that what psycopg makes of it is looked at."""
    block = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{condition}'; END $$"
    async with database.session() as connection:
        assert told(await fault_of(connection, block)) == CODES[condition]


async def test_what_the_client_did_wrong_does_not_pass(database: Database) -> None:
    async with database.session() as connection:
        with pytest.raises(psycopg.ProgrammingError) as fault:
            await connection.execute("SELECT %s", ())
    assert passing_fault(fault.value) is None
    assert passing_fault(ConnectionError()) is None


@pytest.mark.parametrize("binary", [False, True])
async def test_a_uuid_is_read_as_a_bare_id(database: Database, binary: bool) -> None:
    text = "0199c0ff-ee00-7000-8000-0000000000ff"
    async with database.session() as connection:
        cursor = connection.cursor(binary=binary)
        await cursor.execute("SELECT %s::uuid, NULL::uuid, ARRAY[%s]::uuid[]", (text, text))
        row = await cursor.fetchone()
    bare = uuid.UUID(text).hex
    assert row == (bare, None, [bare])
