"""Makes a new cluster with its role and database: complete, or not there."""

import os
import shutil
import subprocess
from pathlib import Path

from leadwright.postgres.binaries import Binaries
from leadwright.postgres.cluster_config import ADMINISTRATOR, DATABASE, ROLE
from leadwright.postgres.cluster_folder import ClusterFolder
from leadwright.postgres.embedded_errors import EmbeddedPostgresError, disk_full, has_no_room

# CREATEDB is for those who test on this cluster.
_FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB;
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO {ROLE};
CREATE DATABASE {DATABASE} OWNER {ROLE};
"""


def create_cluster(folder: ClusterFolder, binaries: Binaries) -> None:
    """Builds the cluster beside its place and renames it there, so that a crash leaves no half of one.

    Raises EmbeddedPostgresError, also when the disk is full; nothing of the attempt remains then.
    """
    draft = folder.draft
    _remove(draft)
    draft.mkdir(mode=0o700)
    try:
        if not folder.user.is_self:
            os.chown(draft, folder.user.uid, folder.user.gid, follow_symlinks=False)
        _require(folder, folder.user.run(_initdb(binaries, draft)))
        _require(folder, folder.user.run(_single_user(binaries, draft), _FIRST_STATEMENTS))
        draft.rename(folder.data)
    except BaseException:
        _remove(draft)
        raise
    _sync(folder.data.parent)


_LOG_FILE_MEGABYTES = 4
"""A new file of the log is filled with zeros while commits wait, 60 ms with the usual 16, until files are used again.

Without the zeros a full disk would stop the database, which so refuses what has no room and goes on.
"""


def _initdb(binaries: Binaries, data: Path) -> list[str | Path]:
    return [
        binaries.bin_dir / "initdb",
        "--pgdata",
        data,
        "--username",
        ADMINISTRATOR,
        "--auth=peer",
        "--auth-host=reject",
        "--encoding=UTF8",
        *_collation(binaries.major),
        "--data-checksums",
        f"--wal-segsize={_LOG_FILE_MEGABYTES}",
        "--no-instructions",
    ]


def _collation(major: int) -> list[str]:
    """By code point, whatever the machine's C library thinks: an upgrade of that never breaks an index."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]


def _single_user(binaries: Binaries, data: Path) -> list[str | Path]:
    return [binaries.bin_dir / "postgres", "--single", "-D", data, "-c", "exit_on_error=on", "postgres"]


def _require(folder: ClusterFolder, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode == 0:
        return
    output = (done.stderr + done.stdout).strip()
    if "No space left on device" in output or has_no_room(folder.path):
        raise disk_full(folder.path)
    lines = output.splitlines() or [f"exit status {done.returncode}"]
    raise EmbeddedPostgresError(
        f"A new database could not be made in {folder.path}.", f"PostgreSQL says: {' / '.join(lines[-5:])}"
    )


def _remove(draft: Path) -> None:
    if draft.exists():
        shutil.rmtree(draft)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
