"""Brings the database of a data folder up: cluster, guardian, then waiting until it answers."""

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

import leadwright
from leadwright.postgres import guardian, guardian_lock
from leadwright.postgres.binaries import Binaries, find_binaries
from leadwright.postgres.binaries_staging import stage
from leadwright.postgres.cluster_config import DATABASE, ROLE, write_configuration
from leadwright.postgres.cluster_create import create_cluster
from leadwright.postgres.cluster_folder import PORT, ClusterFolder, make_subfolders, write_owned
from leadwright.postgres.cluster_user import SERVER_ENVIRONMENT, first_closed
from leadwright.postgres.embedded_errors import EmbeddedPostgresError, disk_full, has_no_room

_FIRST_RETRY_MILLISECONDS = 5.0
_LONGEST_RETRY_MILLISECONDS = 200.0
"""Each try during a long recovery leaves a line in the server's log."""
_ATTEMPTS = 2
"""The guardian may be killed while it starts; a failure with a reason repeats itself in 0.1 s."""
_LONGEST_LOG = 1_000_000
_PASSED_ON = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV", guardian.LINGER_VARIABLE)


def conninfo_of(folder: ClusterFolder) -> str:
    """Valid for the folder's life. ``requirepeer``: only the cluster's own user may be the server."""
    return make_conninfo(
        host=str(folder.socket_dir), port=PORT, user=ROLE, dbname=DATABASE, requirepeer=folder.user.name
    )


def bring_up(folder: ClusterFolder, deadline: float) -> None:
    """Returns once the database answers. The caller holds the client lock, else it may stop again.

    Raises EmbeddedPostgresError; ``deadline`` is on the monotonic clock.
    """
    if guardian_lock.guardian_pid(folder.path) is not None and _answers(folder):
        return
    starting = guardian_lock.take_lock(folder.start_lock, fcntl.LOCK_EX, deadline)
    try:
        if not _wait_until_it_answers(folder, deadline):
            _start(folder, deadline)
    finally:
        os.close(starting)


def _start(folder: ClusterFolder, deadline: float) -> None:
    prepare(folder)
    log_start = _shorten_log(folder.guardian_log)
    reason = ""
    for _ in range(_ATTEMPTS):
        reason = _spawn_guardian(folder)
        if reason in (guardian.HOLDING, guardian.SECOND):
            reason = "PostgreSQL ended while starting"
            if _wait_until_it_answers(folder, deadline):
                return
    raise _failed(folder, log_start, reason)


def prepare(folder: ClusterFolder) -> None:
    """Everything the guardian needs: folders, a cluster, programs its user can run, configuration."""
    make_subfolders(folder)
    binaries = _reachable(folder, find_binaries(folder.major))
    if folder.major is None:
        create_cluster(folder, binaries)
    write_configuration(folder, binaries.major)
    launch = {
        "argv": [
            str(binaries.bin_dir / "postgres"),
            "-D",
            str(folder.data),
            "-c",
            f"config_file={folder.config}",
        ],
        "environment": SERVER_ENVIRONMENT,
        "config": str(folder.config),
        "socket": str(folder.socket),
        "version": binaries.version,
    }
    write_owned(folder.launch, json.dumps(launch, indent=2) + "\n")


def _reachable(folder: ClusterFolder, binaries: Binaries) -> Binaries:
    if folder.user.is_self:
        return binaries
    program = binaries.bin_dir / "postgres"
    closed = first_closed([*reversed(program.parents), program, binaries.bin_dir / "initdb"], folder.user)
    return binaries if closed is None else stage(binaries, folder.path / "postgres")


def _spawn_guardian(folder: ClusterFolder) -> str:
    """Returns the guardian's first line, or an empty one when it died before it could speak."""
    log = guardian_lock.open_lock(folder.guardian_log)
    fcntl.fcntl(log, fcntl.F_SETFL, os.O_APPEND)
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", guardian.__name__, folder.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=_guardian_environment(),
            start_new_session=True,
            text=True,
        ) as started:
            return started.stdout.readline().strip() if started.stdout else ""
    finally:
        os.close(log)


def _guardian_environment() -> dict[str, str]:
    """Little of ours, and no secrets: this is what a system user's ``ps`` could show for days."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    package = Path(str(leadwright.__file__)).parent.parent
    return {**kept, "PYTHONPATH": str(package)}


def _wait_until_it_answers(folder: ClusterFolder, deadline: float) -> bool:
    """True once a connection succeeds, False when there is no guardian (any more)."""
    watched = guardian_lock.guardian_pidfd(folder.path)
    if watched is None:
        return False
    poller = select.poll()
    poller.register(watched, select.POLLIN)
    pause = _FIRST_RETRY_MILLISECONDS
    try:
        while not _answers(folder):
            if poller.poll(pause):
                return False
            pause = min(pause * 1.5, _LONGEST_RETRY_MILLISECONDS)
            if time.monotonic() >= deadline:
                raise EmbeddedPostgresError(
                    f"The database in {folder.path} did not answer in time; it may be in crash recovery.",
                    f"Wait and try again. Its logs are in {folder.log} and {folder.guardian_log}.",
                )
    finally:
        os.close(watched)
    return True


def _answers(folder: ClusterFolder) -> bool:
    try:
        psycopg.connect(conninfo_of(folder), connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def _shorten_log(path: Path) -> int:
    """Empties a guardian's log that has grown long; returns where new lines will begin."""
    if not path.exists():
        return 0
    if path.stat().st_size > _LONGEST_LOG:
        os.truncate(path, 0)
    return path.stat().st_size


def _failed(folder: ClusterFolder, log_start: int, reason: str) -> EmbeddedPostgresError:
    new = folder.guardian_log.read_bytes()[log_start:].decode(errors="replace")
    if "No space left on device" in new or has_no_room(folder.path):
        return disk_full(folder.path)
    lines = [line.strip() for line in new.splitlines() if "FATAL" in line or "failed" in line]
    return EmbeddedPostgresError(
        f"The database in {folder.path} did not start: {' / '.join([reason, *lines[-3:]])}.",
        f"Its logs are in {folder.log} and {folder.guardian_log}.",
    )
