"""What can go wrong with the embedded database, each with what to do about it."""

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_NO_ROOM_BYTES = 16 * 2**20
"""Below this PostgreSQL cannot even open its next WAL segment."""


class EmbeddedPostgresError(Exception):
    """``message`` is one sentence saying what is wrong, ``advice`` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice


def disk_full(folder: Path) -> EmbeddedPostgresError:
    free = shutil.disk_usage(_nearest_existing(folder)).free // 2**20
    return EmbeddedPostgresError(
        f"The disk that holds {folder} is full ({free} MB free).",
        "Free some space (a new database needs 100 MB) and start again; nothing that was saved is lost.",
    )


def has_no_room(folder: Path) -> bool:
    return shutil.disk_usage(_nearest_existing(folder)).free < _NO_ROOM_BYTES


@contextmanager
def explained(folder: Path) -> Generator[None]:
    """Turns an OSError about the data folder into an EmbeddedPostgresError that a person can act on."""
    try:
        yield
    except OSError as error:
        raise _explain(error, folder) from error


def _explain(error: OSError, folder: Path) -> EmbeddedPostgresError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    where = error.filename or folder
    if error.errno in (errno.EACCES, errno.EPERM):
        return EmbeddedPostgresError(
            f"User id {os.geteuid()} may not use {where}.",
            f"Run Leadwright as the owner of {folder}, or set LEADWRIGHT_DATA_DIR to a folder of this user.",
        )
    return EmbeddedPostgresError(
        f"The data folder {folder} cannot be used: {error.strerror} ({where}).",
        "Set LEADWRIGHT_DATA_DIR to a folder on a local disk that can be written to.",
    )


def _nearest_existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())
