"""Which processes are PostgreSQL on this data folder, by ``/proc`` and never by a pid file alone."""

import os
import select
import signal
import time
from pathlib import Path

_PROC = Path("/proc")
_CHILD_TITLE = b"postgres: "
"""How PostgreSQL titles all its processes but the postmaster."""


class ForeignServerError(Exception):
    """A server that no guardian started runs on the folder; it is left alone."""


def processes_of(data: Path) -> list[int]:
    """The pids of all PostgreSQL processes whose working folder is ``data`` (each of them works there)."""
    try:
        home = data.stat()
    except OSError:
        return []
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _works_in(pid, home)]


def postmaster_of(data: Path) -> int | None:
    """The postmaster that ``postmaster.pid`` names, if ``/proc`` confirms that it is one of this folder."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        confirmed = _works_in(pid, data.stat()) and not command_line(pid).startswith(_CHILD_TITLE)
    except (OSError, ValueError):
        return None
    return pid if confirmed else None


def command_line(pid: int) -> bytes:
    """The arguments, each ended by NUL; empty when the process is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def wait_for_exit(pids: list[int], seconds: float) -> list[int]:
    """The processes of ``pids`` that still live after at most ``seconds``."""
    watched = {pidfd: pid for pid in pids if (pidfd := _open_pidfd(pid)) is not None}
    poller = select.poll()
    for pidfd in watched:
        poller.register(pidfd, select.POLLIN)
    deadline = time.monotonic() + seconds
    while watched and (left := deadline - time.monotonic()) > 0:
        for pidfd, _ in poller.poll(left * 1000):
            poller.unregister(pidfd)
            os.close(pidfd)
            del watched[pidfd]
    for pidfd in watched:
        os.close(pidfd)
    return list(watched.values())


def clear_folder(data: Path, config: Path, grace: float = 10.0) -> None:
    """Returns once no process of an earlier, dead guardian is left on ``data``.

    What it left is on its way out: the postmaster is told by its parent's death, its children by the
    postmaster's. Who lingers longer than ``grace`` seconds is quit, then killed. Raises ForeignServerError
    for a server that was started by somebody else, that is without our ``config``.
    """
    for farewell in (None, signal.SIGQUIT, signal.SIGKILL):
        pids = processes_of(data)
        for pid in pids:
            _refuse_foreign(pid, config)
            if farewell is not None:
                signal_process(pid, farewell)
        if not wait_for_exit(pids, grace):
            return
    raise ForeignServerError(f"PostgreSQL processes {processes_of(data)} on {data} cannot be stopped")


def signal_process(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _refuse_foreign(pid: int, config: Path) -> None:
    line = command_line(pid)
    if line and not line.startswith(_CHILD_TITLE) and os.fsencode(config) not in line:
        raise ForeignServerError(f"PostgreSQL process {pid}, which Leadwright did not start, uses the folder")


def _works_in(pid: int, home: os.stat_result) -> bool:
    process = _PROC / str(pid)
    try:
        program = str((process / "exe").readlink()).removesuffix(" (deleted)")
        return program.endswith("/postgres") and os.path.samestat((process / "cwd").stat(), home)
    except OSError:
        return False


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
