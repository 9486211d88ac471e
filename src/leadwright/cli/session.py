"""What a command works with: settings, a reachable database, one transaction that ends with the command."""

import asyncio
import os
import tomllib
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import ValidationError

from leadwright.cli.faults import CommandError
from leadwright.clock import system_clock
from leadwright.postgres import cluster_user, guardian, migrate
from leadwright.postgres.binaries import OVERRIDE_VARIABLE
from leadwright.postgres.embedded import attach
from leadwright.postgres.pool import Connection, Database
from leadwright.settings import ENV_PREFIX, Settings

T = TypeVar("T")
SECRET_PARAMETERS = ("password", "sslpassword")
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Session:
    """One command's connection, in a transaction, and its time."""

    connection: Connection
    now: datetime


def load_settings() -> Settings:
    """Raises CommandError naming the setting that is wrong and what was expected of it."""
    file = os.environ.get(f"{ENV_PREFIX}CONFIG_FILE")
    if file and not Path(file).is_file():
        raise CommandError(f"The settings file {file} does not exist; correct or unset LEADWRIGHT_CONFIG_FILE")
    try:
        return Settings()  # pyright: ignore[reportCallIssue] -- every field comes from the environment
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"The settings file {file} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ENV_PREFIX + str(first["loc"][0]).upper() if first["loc"] else "The settings"
        raise CommandError(f"{name}: {first['msg']}; correct the variable or the settings file") from error


@contextmanager
def database_of(settings: Settings) -> Generator[str]:
    """The connection string of the database; the embedded one runs at least as long as the block."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    hand_over(settings)
    with attach(settings.data_dir) as embedded:
        yield embedded.conninfo


def hand_over(settings: Settings) -> None:
    """The embedded database and its guardian read the environment alone: so what the file says goes there."""
    if settings.postgres_bin_dir is not None:
        os.environ[OVERRIDE_VARIABLE] = str(settings.postgres_bin_dir)
    if settings.postgres_user is not None:
        os.environ[cluster_user.USER_VARIABLE] = settings.postgres_user
    os.environ[guardian.LINGER_VARIABLE] = str(settings.postgres_linger_seconds)


async def bring_to_schema(conninfo: str, *, embedded: bool) -> None:
    """Migrates the embedded database; of any other only makes sure that nothing is pending (CommandError)."""
    if embedded:
        await migrate.migrate(conninfo)
        return
    async with await connect(conninfo) as connection:
        waiting = await migrate.pending(connection)
    if waiting:
        names = ", ".join(migration.name for migration in waiting)
        raise CommandError(f"The database lacks migrations ({names}); run: leadwright db migrate")


async def connect(conninfo: str) -> Connection:
    """A connection of its own, without a transaction; its faults say more than those of a pool."""
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS)


def in_transaction(work: Callable[[Session], Awaitable[T]]) -> T:
    """Does a command's work in one transaction on the database, committed when it does not raise."""
    settings = load_settings()
    with database_of(settings) as conninfo:
        return asyncio.run(_transact(conninfo, embedded=settings.embedded, work=work))


async def _transact(conninfo: str, *, embedded: bool, work: Callable[[Session], Awaitable[T]]) -> T:
    await bring_to_schema(conninfo, embedded=embedded)
    database = Database(conninfo, size=1)
    await database.open()
    try:
        async with database.transaction() as connection:
            return await work(Session(connection, system_clock()))
    finally:
        await database.close()


def without_secrets(conninfo: str) -> str:
    """The connection string as it may be shown or put on another program's command line."""
    parts = {name: value for name, value in conninfo_to_dict(conninfo).items() if name not in SECRET_PARAMETERS}
    return make_conninfo("", **parts)
