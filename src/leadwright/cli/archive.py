"""Backups: the database into one file and back, by PostgreSQL's own programs."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from leadwright.cli.faults import CommandError
from leadwright.cli.session import CONNECT_SECONDS, without_secrets
from leadwright.postgres.binaries import find_binaries
from leadwright.postgres.embedded_errors import EmbeddedPostgresError

STANDARD_OUTPUT = Path("-")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")

# In one transaction with all that follows, so that a broken file leaves the old contents as they were.
_BEGIN = b"BEGIN;\nSET LOCAL lock_timeout = '10s';\n"
_CLEAR = b"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
_COMMIT = b"COMMIT;\n"


@dataclass(frozen=True, slots=True)
class Target:
    """A database and the programs that fit it: of its own major version, else of the next one there is."""

    conninfo: str
    bin_dir: Path

    def command(self, program: str, *options: str) -> list[str | Path]:
        """The password is not in it: other users of the machine can read command lines."""
        return [self.bin_dir / program, *options, f"--dbname={without_secrets(self.conninfo)}"]

    @property
    def environment(self) -> dict[str, str]:
        password = conninfo_to_dict(self.conninfo).get("password")
        own = {name: value for name, value in os.environ.items() if not name.startswith("LEADWRIGHT_")}
        return own if password is None else own | {"PGPASSWORD": str(password)}


def target(conninfo: str) -> Target:
    """Raises CommandError when no program fits the server, psycopg.Error when that cannot be reached."""
    with psycopg.connect(conninfo, connect_timeout=CONNECT_SECONDS) as connection:
        major = connection.info.server_version // 10000
    found = [(version, folder) for folder in _places() if (version := _major(folder)) >= major]
    if not found:
        raise CommandError(
            f"The server is PostgreSQL {major}, and no pg_dump of that version or a later one was found; "
            f"install its client programs, or put their folder first in PATH"
        )
    return Target(conninfo, min(found, key=lambda each: each[0])[1])


def dump(database: Target, file: Path) -> None:
    """Writes a consistent snapshot; the file has its name only once it is whole and on the disk."""
    if file == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise CommandError("A dump is no text for a terminal; name a file, or pipe it on")
        _dump(database)
        return
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600, exist_ok=False)
    try:
        # pg_dump itself syncs what it writes to a named file.
        _dump(database, f"--file={draft.absolute()}")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _dump(database: Target, *options: str) -> None:
    command = database.command("pg_dump", "--format=custom", "--no-owner", "--no-privileges", *options)
    done = subprocess.run(command, stderr=subprocess.PIPE, env=database.environment, check=False)
    if done.returncode:
        raise CommandError(f"The dump failed: {_last_lines(done.stderr)}")


def restore(database: Target, file: Path, *, replace: bool) -> None:
    """All of the file or nothing, in one transaction. Raises CommandError, also while others use it."""
    require_restorable(database.conninfo, replace=replace)
    start = _BEGIN + (_CLEAR if replace else b"")
    script = [
        database.bin_dir / "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--file=-",
        str(file.absolute()),
    ]
    load = database.command("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-", "--output=/dev/null")
    with (
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading,
        subprocess.Popen(load, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=database.environment) as loading,
    ):
        fault = _feed(reading, loading, start)
        said = loading.stderr.read() if loading.stderr else b""
    if fault is not None:
        raise CommandError(f"Nothing was changed, {file} cannot be read as a dump: {fault}")
    if loading.returncode:
        raise CommandError(f"Nothing was changed, the database refused the file: {_last_lines(said)}")


def _feed(reading: "subprocess.Popen[bytes]", loading: "subprocess.Popen[bytes]", start: bytes) -> str | None:
    """Passes the script on, and the final COMMIT only if it was whole; else what was wrong with the file."""
    assert reading.stdout is not None
    assert reading.stderr is not None
    assert loading.stdin is not None
    fault = None
    try:
        loading.stdin.write(start)
        shutil.copyfileobj(reading.stdout, loading.stdin)
        fault = _last_lines(reading.stderr.read()) if reading.wait() else None
        loading.stdin.write(b"ROLLBACK;\n" if fault else _COMMIT)
        loading.stdin.close()
    except BrokenPipeError:
        # It gave up, and says why on its standard error.
        reading.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            loading.stdin.close()
    return fault


def require_restorable(conninfo: str, *, replace: bool) -> None:
    """Raises CommandError when something would be lost unasked, or taken from under a running program."""
    with psycopg.connect(conninfo, connect_timeout=CONNECT_SECONDS) as connection:
        tables = {name for (name,) in connection.execute(_TABLES).fetchall()}
        in_use = _in_use(connection)
    if in_use:
        raise CommandError("Other programs are connected to the database; stop them first (`leadwright serve`, psql)")
    if tables and "schema_migration" not in tables:
        raise CommandError("The database holds tables that are not Leadwright's; restore into one of its own")
    if tables and not replace:
        raise CommandError(f"The database is not empty ({len(tables)} tables); --replace throws away what it holds")


def _in_use(connection: psycopg.Connection) -> bool:
    """Whether another client stays connected. One that has just ended is still listed for a moment."""
    for _ in range(20):
        others = connection.execute(_OTHER_CLIENTS).fetchone()
        if not others or not others[0]:
            return False
        connection.execute("SELECT pg_sleep(0.1), pg_stat_clear_snapshot()")
    return True


_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
_OTHER_CLIENTS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def psql(database: Target, arguments: Sequence[str]) -> int:
    """Opens psql on the database, waits for it and answers its exit status."""
    return subprocess.call([*database.command("psql"), *arguments], env=database.environment)


def _places() -> list[Path]:
    """Folders with client programs: those on the PATH, those of the embedded database."""
    found = shutil.which("pg_dump")
    places = [Path(found).parent] if found else []
    with contextlib.suppress(EmbeddedPostgresError):
        places.append(find_binaries().bin_dir)
    return places


def _major(bin_dir: Path) -> int:
    """0 when one of the programs is missing."""
    if not all(os.access(bin_dir / program, os.X_OK) for program in ("pg_dump", "pg_restore", "psql")):
        return 0
    answer = subprocess.run([bin_dir / "pg_dump", "--version"], capture_output=True, text=True, check=False)
    match = _VERSION.search(answer.stdout)
    return int(match[1]) if match else 0


def _last_lines(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return " / ".join(line.strip() for line in lines[-3:]) or "it gave no reason"
