"""The checks of ``leadwright doctor``: each looks at one thing and neither makes, starts nor changes any."""

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg

from leadwright.campaigns.schedule import time_zones
from leadwright.cli.faults import CommandError, database_sentence
from leadwright.cli.session import connect, hand_over, load_settings, without_secrets
from leadwright.crypto import KEY_FILE, SecretBox, SecretKeyError
from leadwright.postgres import durability, migrate
from leadwright.postgres.cluster_folder import find_folder
from leadwright.postgres.embedded import EmbeddedPostgresError, Inspection, inspect
from leadwright.postgres.embedded_start import conninfo_of
from leadwright.settings import Settings, unknown_settings

_LOW_DISK_BYTES = 1_000_000_000


class Result(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` is empty when there is nothing to do."""

    check: str
    result: Result
    found: str
    advice: str = ""


def examine(port: int) -> list[Finding]:
    """Every check in order; when the settings are wrong nothing else can be told."""
    try:
        settings = load_settings()
    except CommandError as fault:
        return [Finding("settings", Result.FAIL, str(fault), "Correct it and run this again.")]
    database = _embedded if settings.embedded else _external
    return [
        *_settings(settings),
        *_data_dir(settings),
        _secret_key(settings),
        *database(settings),
        _port(port),
        _zones(),
    ]


def _settings(settings: Settings) -> Iterator[Finding]:
    file = (
        f"read from {settings.config_file} and the environment" if settings.config_file else "read from the environment"
    )
    yield Finding("settings", Result.OK, file)
    for name in unknown_settings():
        yield Finding("settings", Result.WARN, f"{name} is no setting", "Correct its spelling or remove it.")


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.expanduser()
    if not folder.exists():
        yield Finding("data folder", Result.OK, f"{folder} does not exist yet; the first start makes it")
    elif not folder.is_dir():
        yield Finding("data folder", Result.FAIL, f"{folder} is not a folder", "Set LEADWRIGHT_DATA_DIR to a folder.")
    else:
        yield _ownership(folder)
    yield _disk(folder)


def _ownership(folder: Path) -> Finding:
    owner = folder.stat().st_uid
    if os.geteuid() not in (0, owner):
        advice = "Run Leadwright as the folder's owner, or set LEADWRIGHT_DATA_DIR to a folder of this user."
        return Finding("data folder", Result.FAIL, f"{folder} belongs to user id {owner}", advice)
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = f"Make it writable: chmod u+rwx '{folder}'"
        return Finding("data folder", Result.FAIL, f"{folder} cannot be written to", advice)
    return Finding("data folder", Result.OK, str(folder))


def _disk(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _LOW_DISK_BYTES:
        return Finding("disk", Result.WARN, found, f"Free some space on the disk of {existing}.")
    return Finding("disk", Result.OK, found)


def _secret_key(settings: Settings) -> Finding:
    if settings.secret_key is not None:
        return _key_material(settings.secret_key.get_secret_value(), "LEADWRIGHT_SECRET_KEY is set")
    file = settings.data_dir.expanduser() / KEY_FILE
    try:
        if file.stat().st_mode & 0o077:
            return Finding("secret key", Result.FAIL, f"{file} can be read by others", f"Run: chmod 600 '{file}'")
        return _key_material(file.read_text(), str(file))
    except FileNotFoundError:
        return Finding("secret key", Result.OK, f"{file} does not exist yet; the first start makes it")
    except UnicodeDecodeError:
        return Finding("secret key", Result.FAIL, f"{file} is not text", "Put the key back from your backup.")
    except OSError as error:
        return Finding("secret key", Result.FAIL, f"{file}: {error.strerror}", "Run Leadwright as the file's owner.")


def _key_material(material: str, found: str) -> Finding:
    try:
        SecretBox(material)
    except SecretKeyError as error:
        return Finding("secret key", Result.FAIL, str(error), "Restore the key, or set one of 16 characters or more.")
    return Finding("secret key", Result.OK, found)


def _embedded(settings: Settings) -> Iterator[Finding]:
    hand_over(settings)
    try:
        seen = inspect(settings.data_dir)
    except EmbeddedPostgresError as error:
        yield Finding("embedded database", Result.FAIL, error.message, error.advice)
        return
    if seen.binaries is not None:
        yield Finding("PostgreSQL programs", Result.OK, f"{seen.binaries.version} from {seen.binaries.source}")
    yield _process(seen)
    for problem in seen.problems:
        yield Finding("embedded database", Result.FAIL, problem.message, problem.advice)
    if seen.running:
        yield from _connection(conninfo_of(find_folder(settings.data_dir)))


def _process(seen: Inspection) -> Finding:
    if seen.running:
        found = f"running: guardian {seen.guardian_pid}, PostgreSQL {seen.version} as user {seen.user}"
    elif seen.data_major is not None:
        found = f"not running; PostgreSQL {seen.data_major} is started when it is needed"
    else:
        found = f"not made yet; will run as user {seen.user}"
    return Finding("embedded database", Result.OK, found)


def _external(settings: Settings) -> Iterator[Finding]:
    assert settings.database_url is not None
    yield from _connection(settings.database_url.get_secret_value())


def _connection(conninfo: str) -> Iterator[Finding]:
    try:
        version, waiting, off = asyncio.run(_look_inside(conninfo))
        yield Finding(
            "database", Result.OK, f"PostgreSQL {version // 10000}.{version % 10000} at {without_secrets(conninfo)}"
        )
    except (psycopg.Error, migrate.MigrationError) as error:
        sentence = database_sentence(error) if isinstance(error, psycopg.Error) else str(error)
        yield Finding("database", Result.FAIL, " ".join(sentence.split()), "Correct that and run this again.")
        return
    if version < migrate.LEAST_SERVER_VERSION:
        yield Finding("database", Result.FAIL, "It is too old", "Leadwright needs PostgreSQL 15 or newer.")
    for setting, harm in off.items():
        yield Finding("durability", Result.WARN, f"{setting} is off: {harm}", f"Set {setting} = on in that server.")
    if waiting:
        yield Finding("migrations", Result.WARN, f"pending: {', '.join(waiting)}", "Run: leadwright db migrate")
    else:
        yield Finding("migrations", Result.OK, "current")


async def _look_inside(conninfo: str) -> tuple[int, list[str], dict[str, str]]:
    async with await connect(conninfo) as connection:
        waiting = await migrate.pending(connection)
        off = await durability.loosened(connection)
        return connection.info.server_version, [migration.name for migration in waiting], off


def _port(port: int) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            advice = f"If that is not this server itself, take another one: leadwright serve --port {port + 1}"
            return Finding("port", Result.WARN, f"{port} cannot be had: {error.strerror}", advice)
    return Finding("port", Result.OK, f"{port} is free")


def _zones() -> Finding:
    count = len(time_zones())
    if count < 300:
        advice = "Install the Python package tzdata again."
        return Finding("time zones", Result.FAIL, f"only {count} are known", advice)
    return Finding("time zones", Result.OK, f"{count} are known")
