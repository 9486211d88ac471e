"""The two locks by which clients and the guardian of one data folder know of each other.

Clients share ``client.lock`` (flock). The guardian holds ``guardian.lock`` as a POSIX record lock: children
never inherit that kind, and the kernel names its holder, so no pid file has to be believed.
"""

import errno
import fcntl
import os
import struct
import time
from pathlib import Path

CLIENT_LOCK = "client.lock"
START_LOCK = "start.lock"
GUARDIAN_LOCK = "guardian.lock"

_FLOCK = "hhqqi0q"
"""struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid."""
_POLL_SECONDS = 0.01


def open_lock(path: Path) -> int:
    """A close-on-exec descriptor of the lock file, made (mode 0600) where it is missing.

    The file belongs to the owner of its folder, also when root makes it: else the owner could never lock it
    again.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    owner = path.parent.stat()
    if os.geteuid() == 0 and os.fstat(lock).st_uid != owner.st_uid:
        os.fchown(lock, owner.st_uid, owner.st_gid)
    return lock


def take_lock(path: Path, operation: int, deadline: float) -> int:
    """The descriptor of ``path`` locked by flock; closing it unlocks.

    ``deadline`` is on the monotonic clock. Raises TimeoutError when it passes first.
    """
    lock = open_lock(path)
    while not _flock_now(lock, operation):
        if time.monotonic() >= deadline:
            os.close(lock)
            raise TimeoutError(errno.ETIMEDOUT, "the lock stays held", str(path))
        time.sleep(_POLL_SECONDS)
    return lock


def take_client_lock_alone(lock: int) -> bool:
    """Whether no client is left; when so the lock is now held exclusively and no client can come."""
    return _flock_now(lock, fcntl.LOCK_EX)


def release_client_lock(lock: int) -> None:
    fcntl.flock(lock, fcntl.LOCK_UN)


def become_guardian(data_dir: Path) -> int | None:
    """Takes the guardian's lock for the life of this process, or None when another guardian has it."""
    lock = open_lock(data_dir / GUARDIAN_LOCK)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return None
        raise
    return lock


def guardian_pid(data_dir: Path) -> int | None:
    """The process that holds the guardian's lock, as the kernel says; it takes no lock itself.

    0 when the holder lives in another PID namespace. Never call this in the guardian: closing any descriptor
    of the file would drop the guardian's own lock.
    """
    try:
        lock = os.open(data_dir / GUARDIAN_LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(lock, fcntl.F_GETLK, question))
    finally:
        os.close(lock)
    return None if kind == fcntl.F_UNLCK else int(pid)


def guardian_pidfd(data_dir: Path) -> int | None:
    """A descriptor that polls readable when the present guardian dies; None when none is to be seen."""
    pid = guardian_pid(data_dir)
    if not pid:
        return None
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if guardian_pid(data_dir) == pid:
        return pidfd
    os.close(pidfd)
    return None


def _flock_now(lock: int, operation: int) -> bool:
    try:
        fcntl.flock(lock, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
