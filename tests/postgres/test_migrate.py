"""Migrations on a real database: applied once, by one at a time, and never where they do not fit."""

import asyncio
from collections.abc import Callable
from typing import LiteralString, TypeAlias

import psycopg
import pytest

from leadwright.postgres import migrate
from leadwright.postgres.migrate import Migration, MigrationError, known, pending

Ship: TypeAlias = Callable[[LiteralString], Migration]


@pytest.fixture
async def empty(make_database: Callable[..., str]) -> str:
    """The conninfo of a database without any table."""
    return await asyncio.to_thread(make_database, migrated=False)


@pytest.fixture
async def current(make_database: Callable[..., str]) -> str:
    """The conninfo of a database that has every migration."""
    return await asyncio.to_thread(make_database)


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> Ship:
    """Makes this a program that ships one migration more."""

    def one_more(sql: LiteralString) -> Migration:
        number = known()[-1].version + 1
        migration = Migration(number, f"{number:04d}_more", sql)
        shipped = [*known(), migration]
        monkeypatch.setattr(migrate, "known", lambda: shipped)
        return migration

    return one_more


async def connect(conninfo: str) -> migrate.Connection:
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)


async def tables(conninfo: str) -> set[str]:
    async with await connect(conninfo) as connection:
        cursor = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in await cursor.fetchall()}


async def ledger(conninfo: str) -> list[tuple[int, str, str]]:
    async with await connect(conninfo) as connection:
        cursor = await connection.execute("SELECT version, name, checksum FROM schema_migration ORDER BY version")
        return await cursor.fetchall()


def shipped_ledger() -> list[tuple[int, str, str]]:
    return [(m.version, m.name, m.checksum) for m in known()]


def test_the_shipped_migrations_are_numbered_without_gaps() -> None:
    assert [m.version for m in known()] == list(range(1, len(known()) + 1))
    assert all(m.name.startswith(f"{m.version:04d}_") for m in known())


async def test_an_empty_database_gets_every_migration_once(empty: str) -> None:
    assert await migrate.migrate(empty) == known()
    assert await ledger(empty) == shipped_ledger()
    assert {"workspace", "lead", "event"} <= await tables(empty)
    assert await migrate.migrate(empty) == []
    assert await ledger(empty) == shipped_ledger()


async def test_before_the_first_all_are_pending_and_looking_changes_nothing(empty: str) -> None:
    async with await connect(empty) as connection:
        assert await pending(connection) == known()
    assert await tables(empty) == set()


async def test_two_at_once_apply_each_migration_once(empty: str) -> None:
    done = await asyncio.gather(*(migrate.migrate(empty) for _ in range(4)))
    assert sorted(done, key=len) == [[], [], [], known()]
    assert await ledger(empty) == shipped_ledger()


async def test_only_what_is_missing_is_applied(current: str, ship: Ship) -> None:
    one_more = ship("CREATE TABLE more ()")
    async with await connect(current) as connection:
        assert await pending(connection) == [one_more]
    assert await migrate.migrate(current) == [one_more]
    assert await ledger(current) == [*shipped_ledger(), (one_more.version, one_more.name, one_more.checksum)]


async def test_a_newer_database_is_refused(current: str) -> None:
    async with await connect(current) as connection:
        await connection.execute("INSERT INTO schema_migration VALUES (9999, '9999_later', 'x')")
        with pytest.raises(MigrationError, match=r"has migration 9999, which is newer than this program: upgrade"):
            await pending(connection)
    with pytest.raises(MigrationError):
        await migrate.migrate(current)


async def test_a_migration_that_was_applied_with_another_text_is_refused(current: str) -> None:
    async with await connect(current) as connection:
        await connection.execute("UPDATE schema_migration SET checksum = 'x' WHERE version = 1")
        with pytest.raises(MigrationError, match="migration 0001_foundation was applied with another text"):
            await pending(connection)
    with pytest.raises(MigrationError):
        await migrate.migrate(current)


async def test_a_lock_that_is_not_to_be_had_changes_nothing(
    current: str, ship: Ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_more = ship("CREATE TABLE more (); ALTER TABLE campaign ADD more integer")
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "100ms")
    before = await tables(current), await ledger(current)
    async with await connect(current) as holder, holder.transaction():
        await holder.execute("SELECT FROM campaign")
        with pytest.raises(MigrationError, match=r"_more could not lock its tables within 100ms; nothing was"):
            await migrate.migrate(current)
    assert (await tables(current), await ledger(current)) == before
    assert await migrate.migrate(current) == [one_more]


async def test_a_migration_that_fails_half_way_leaves_nothing(current: str, ship: Ship) -> None:
    ship("CREATE TABLE half (); SELECT 1 / 0")
    before = await tables(current), await ledger(current)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate.migrate(current)
    assert (await tables(current), await ledger(current)) == before
