"""The schema, step by step: numbered SQL files, each applied once, in order, in a transaction of its own."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import LiteralString, cast

from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable, UndefinedTable

from leadwright.postgres.pool import Connection

# Any constant will do, as long as no other program on the same database uses it.
ADVISORY_LOCK = 7_113_906_821
LOCK_TIMEOUT = "10s"
LEAST_SERVER_VERSION = 150000

_LEDGER: LiteralString = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationError(Exception):
    """The database cannot be brought to this program's schema; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known() -> list[Migration]:
    """The migrations that this program ships, oldest first."""
    folder = resources.files("leadwright.postgres") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(int(f.name[:4]), f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


async def pending(connection: Connection) -> list[Migration]:
    """What is still to be applied. Raises MigrationError when the database is newer or was changed underneath."""
    applied = await _applied(connection)
    shipped = known()
    newer = set(applied) - {m.version for m in shipped}
    if newer:
        raise MigrationError(f"the database has migration {max(newer)}, which is newer than this program: upgrade it")
    changed = [m for m in shipped if m.version in applied and applied[m.version] != m.checksum]
    if changed:
        raise MigrationError(f"migration {changed[0].name} was applied with another text: use the release it came from")
    return [m for m in shipped if m.version not in applied]


async def migrate(conninfo: str) -> list[Migration]:
    """Applies what is pending and returns it. Two at once are safe: the second waits and finds nothing to do."""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        _check_server(connection)
        await connection.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        await connection.execute(_LEDGER)
        todo = await pending(connection)
        for migration in todo:
            await _apply(connection, migration)
        return todo


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            await connection.execute(cast(LiteralString, migration.sql))
            await connection.execute(
                "INSERT INTO schema_migration (version, name, checksum) VALUES (%s, %s, %s)",
                (migration.version, migration.name, migration.checksum),
            )
    except LockNotAvailable as error:
        raise MigrationError(
            f"migration {migration.name} could not lock its tables within {LOCK_TIMEOUT}; nothing was changed"
        ) from error


async def _applied(connection: Connection) -> dict[int, str]:
    try:
        cursor = await connection.execute("SELECT version, checksum FROM schema_migration")
    except UndefinedTable:
        return {}
    return dict(await cursor.fetchall())


def _check_server(connection: Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise MigrationError(f"the database's encoding must be UTF8, it is {encoding}: create it with ENCODING 'UTF8'")
    if connection.info.server_version < LEAST_SERVER_VERSION:
        major = connection.info.server_version // 10000
        raise MigrationError(f"PostgreSQL 15 or newer is needed, the server is {major}")
