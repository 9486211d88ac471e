"""Looks at a data folder's database without starting, changing or waiting for anything."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from leadwright.postgres import guardian_lock
from leadwright.postgres.binaries import Binaries, find_binaries
from leadwright.postgres.cluster_folder import ClusterFolder, find_folder
from leadwright.postgres.cluster_process import postmaster_of, processes_of
from leadwright.postgres.cluster_user import require_reachable
from leadwright.postgres.embedded_errors import EmbeddedPostgresError, disk_full, explained, has_no_room

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """``version`` is that of the server as last started, ``data_major`` that of its files, if any."""

    data_dir: Path
    user: str
    running: bool
    guardian_pid: int | None
    postmaster_pid: int | None
    version: str | None
    data_major: int | None
    socket_dir: Path
    binaries: Binaries | None
    problems: tuple[Problem, ...]


def inspect(data_dir: Path) -> Inspection:
    """Raises EmbeddedPostgresError only when not even the folder's owner can be told."""
    with explained(data_dir):
        folder = find_folder(data_dir)
        problems: list[Problem] = []
        major = _attempt(folder, problems, lambda: folder.major)
        guardian = _attempt(folder, problems, lambda: guardian_lock.guardian_pid(folder.path))
        binaries = _attempt(folder, problems, lambda: find_binaries(major))
        _attempt(folder, problems, lambda: _check(folder, guardian))
        postmaster = postmaster_of(folder.data)
        return Inspection(
            data_dir=folder.path,
            user=folder.user.name,
            running=guardian is not None and postmaster is not None,
            guardian_pid=guardian,
            postmaster_pid=postmaster,
            version=_version(folder),
            data_major=major,
            socket_dir=folder.socket_dir,
            binaries=binaries,
            problems=tuple(problems),
        )


def _attempt(folder: ClusterFolder, problems: list[Problem], look: Callable[[], T]) -> T | None:
    try:
        with explained(folder.path):
            return look()
    except EmbeddedPostgresError as error:
        problems.append(Problem(error.message, error.advice))
        return None


def _check(folder: ClusterFolder, guardian: int | None) -> None:
    require_reachable(folder.path if folder.path.is_dir() else folder.path.parent, folder.user)
    if has_no_room(folder.path):
        raise disk_full(folder.path)
    strangers = [] if guardian is not None else processes_of(folder.data)
    if strangers:
        raise EmbeddedPostgresError(
            f"PostgreSQL processes {strangers} run on {folder.data} without a guardian.",
            "If they do not end by themselves in a few seconds, somebody started them by hand: stop them.",
        )


def _version(folder: ClusterFolder) -> str | None:
    try:
        return str(json.loads(folder.launch.read_text())["version"])
    except (OSError, ValueError, KeyError):
        return None
