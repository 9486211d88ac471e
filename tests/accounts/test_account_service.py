"""Keys and workspaces on a real database: made, recognised, ended, and never stored in clear."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql

from leadwright import ids
from leadwright.accounts import service, store
from leadwright.accounts.model import ALL_SCOPES, ApiKey, Workspace, key_digest
from leadwright.errors import InvalidRequest, NotFound
from leadwright.postgres.pool import Connection, Database

NOW = datetime(2126, 3, 1, 9, 30, tzinfo=UTC)
"""Later than the migration, which made the default workspace: the oldest."""
HOUR = timedelta(hours=1)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """In a transaction that is undone, so that each test begins with no key and one workspace."""
    async with database.session() as opened, opened.transaction(force_rollback=True):
        yield opened


async def make(connection: Connection, **given: Any) -> tuple[ApiKey, str]:
    fields: dict[str, Any] = {"name": "a key", "scopes": (), "workspace_id": None, "expires_at": None, "now": NOW}
    return await service.create_key(connection, **(fields | given))


async def everything_stored(connection: Connection) -> str:
    """Every row of every table as text, binary columns in hexadecimal."""
    cursor = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows: list[str] = []
    for (table,) in await cursor.fetchall():
        found = await connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        rows += [text for (text,) in await found.fetchall()]
    return "\n".join(rows)


async def test_a_key_is_stored_as_its_hash_alone(connection: Connection) -> None:
    key, secret = await make(connection, name="for the import")
    stored = await everything_stored(connection)
    assert "for the import" in stored
    assert key_digest(secret).hex() in stored
    assert secret.startswith(key.shown)
    assert len(key.shown) == len("lw_live_") + 4
    hidden = secret.removeprefix(key.shown)
    for form in (hidden, hidden.encode().hex(), secret[:16], secret.encode().hex()[:32]):
        assert form not in stored


async def test_a_key_is_recognised_by_its_secret(connection: Connection, workspace: Workspace) -> None:
    key, secret = await make(connection, scopes=["leads:write", "leads:read"], expires_at=NOW + HOUR)
    found = await store.principal(connection, key_digest(secret))
    assert found is not None
    assert (found.key_id, found.key_name, found.workspace_id) == (key.id, "a key", workspace.id)
    assert (found.scopes, found.expires_at) == (("leads:read", "leads:write"), NOW + HOUR)
    assert await store.principal(connection, key_digest(secret + "x")) is None
    assert await store.begin_as(connection, key.id)


async def test_a_key_is_listed_as_it_was_made(connection: Connection, workspace: Workspace) -> None:
    first, _ = await make(connection, name=" first ")
    second, _ = await make(connection, name="second", scopes=["leads:read"], expires_at=NOW + HOUR, now=NOW + HOUR / 2)
    assert await store.keys(connection) == [first, second]
    assert (first.name, first.workspace_id, list(first.scopes)) == ("first", workspace.id, [ALL_SCOPES])
    assert (first.expires_at, first.revoked_at, first.last_used_at) == (None, None, None)


async def test_a_revoked_key_is_nobodys_and_stays_revoked_since_then(connection: Connection) -> None:
    key, secret = await make(connection)
    other, _ = await make(connection)
    await service.revoke_key(connection, key.id, NOW + HOUR)
    assert await store.principal(connection, key_digest(secret)) is None
    assert not await store.begin_as(connection, key.id)
    assert await store.begin_as(connection, other.id)
    await service.revoke_key(connection, key.id, NOW + 2 * HOUR)
    assert {listed.id: listed.revoked_at for listed in await store.keys(connection)} == {
        key.id: NOW + HOUR,
        other.id: None,
    }


@pytest.mark.parametrize("key_id", [None, "0" * 32])
async def test_revoking_what_is_no_key(connection: Connection, key_id: str | None) -> None:
    with pytest.raises(NotFound, match="Key not found"):
        await service.revoke_key(connection, key_id, NOW)


async def test_a_replaced_key_ends_and_others_of_that_name_elsewhere_do_not(
    connection: Connection, workspace: Workspace
) -> None:
    other = await service.create_workspace(connection, "Other", NOW)
    theirs, _ = await make(connection, name="development", workspace_id=other.id)
    named_otherwise, _ = await make(connection, name="developments")
    secrets = [
        await service.replace_key(connection, name="development", workspace_id=workspace.id, now=NOW + n * HOUR)
        for n in range(3)
    ]
    valid = [await store.principal(connection, key_digest(secret)) is not None for secret in secrets]
    assert valid == [False, False, True]
    assert await store.begin_as(connection, theirs.id)
    assert await store.begin_as(connection, named_otherwise.id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scopes": ["leads:delete"]}, "scope 'leads:delete' does not exist; expected one of: workspace:read, "),
        ({"expires_at": NOW}, "expires: expected a time in the future"),
        ({"expires_at": NOW - HOUR}, "expires: expected a time in the future"),
        ({"name": ""}, "name: expected 1 to 200 characters"),
        ({"name": " \t\n"}, "name: expected 1 to 200 characters"),
        ({"name": "x" * 201}, "name: expected 1 to 200 characters"),
        ({"name": "a\0b"}, "name: expected 1 to 200 characters"),
        ({"name": "a\udcffb"}, "name: expected 1 to 200 characters"),
    ],
)
async def test_what_makes_no_key(connection: Connection, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{message}"):
        await make(connection, **wrong)
    assert await store.keys(connection) == []


async def test_a_key_for_an_unknown_workspace(connection: Connection) -> None:
    with pytest.raises(NotFound, match="Workspace not found"):
        await make(connection, workspace_id="0" * 32)


async def test_a_key_acts_for_the_workspace_it_was_made_in(connection: Connection, workspace: Workspace) -> None:
    other = await service.create_workspace(connection, "Other", NOW)
    _, ours = await make(connection)
    _, theirs = await make(connection, workspace_id=other.id)
    found = [await store.principal(connection, key_digest(secret)) for secret in (ours, theirs)]
    assert [one.workspace_id for one in found if one] == [workspace.id, other.id]


async def test_workspaces_are_listed_oldest_first_and_the_first_is_the_default(
    connection: Connection, workspace: Workspace
) -> None:
    made = [await service.create_workspace(connection, f" {name} ", NOW) for name in ("Zoë & Co", "Zoë & Co")]
    assert [one.name for one in made] == ["Zoë & Co", "Zoë & Co"]
    assert await store.workspaces(connection) == [workspace, *sorted(made, key=lambda one: one.id)]
    assert await service.default_workspace(connection) == workspace
    assert await store.workspace(connection, made[0].id) == made[0]
    assert await store.workspace(connection, ids.new_id()) is None


async def test_the_use_of_a_key_is_written_at_most_once_a_minute(connection: Connection) -> None:
    key, _ = await make(connection)

    async def touched(seconds: float) -> datetime | None:
        await store.touch_key(connection, key.id, NOW + timedelta(seconds=seconds))
        return (await store.keys(connection))[0].last_used_at

    assert await touched(0) == NOW
    assert await touched(30) == NOW
    assert await touched(60) == NOW
    assert await touched(60.001) == NOW + timedelta(seconds=60.001)
    assert await touched(-100) == NOW + timedelta(seconds=60.001)
