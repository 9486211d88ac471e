"""Forks the guardian's children: the postmaster, and the one that waits for the last client to go.

The guardian has one thread, so running Python between fork and exec is safe; a parent-death signal is tied to
the thread that forked, which is therefore always the guardian's main one.
"""

import ctypes
import fcntl
import os
import pwd
import signal
from collections.abc import Callable, Mapping, Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """The children of a killed postmaster become ours, so that they are reaped wherever there is no init."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def drop_privileges(uid: int) -> None:
    """Becomes the user for good, with its groups. Raises KeyError for a user id without a name."""
    user = pwd.getpwuid(uid)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(uid, uid, uid)


def fork_postmaster(argv: Sequence[str], environment: Mapping[str, str], uid: int) -> int:
    """Starts the postmaster as user ``uid``; our death stops it by SIGINT, a fast shutdown."""

    def become_postmaster(guardian: int) -> None:
        if os.geteuid() != uid:
            drop_privileges(uid)
        os.dup2(2, 1)  # standard output still is the pipe to the client that started us
        _die_with(guardian, signal.SIGINT)
        os.execve(argv[0], list(argv), dict(environment))  # noqa: S606

    return _fork(become_postmaster)


def fork_client_watch(client_lock: int) -> int:
    """A process that ends as soon as no client holds the lock; it lets go of it again at once."""

    def wait_for_lock(guardian: int) -> None:
        _die_with(guardian, signal.SIGKILL)
        lock = os.open(f"/proc/self/fd/{client_lock}", os.O_RDWR)  # a hold of its own, not shared with us
        fcntl.flock(lock, fcntl.LOCK_EX)

    return _fork(wait_for_lock)


def _fork(body: Callable[[int], None]) -> int:
    guardian = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _restore_signals()
        body(guardian)
        status = 0
    except BaseException as error:  # noqa: BLE001  a forked child must never run its parent's code
        os.write(2, f"guardian: child failed: {error!r}\n".encode())
    os._exit(status)


def _restore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _die_with(guardian: int, number: signal.Signals) -> None:
    """Only after privileges are dropped: changing credentials clears the setting."""
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != guardian:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
