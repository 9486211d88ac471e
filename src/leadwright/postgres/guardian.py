"""Owns one data folder's postmaster, restarts it after a crash, stops it when the last client is gone.

Run as ``python -m leadwright.postgres.guardian <data_dir>``: standard library only, so that it starts in tens
of milliseconds and stays small. What to run stands in ``guardian.json`` of the folder, written by the client.
"""

import contextlib
import json
import os
import signal
import stat
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from leadwright.postgres import cluster_process, guardian_child, guardian_lock

LAUNCH_FILE = "guardian.json"
LINGER_VARIABLE = "LEADWRIGHT_POSTGRES_LINGER_SECONDS"
HOLDING = "holding"
"""What a guardian prints once it has its lock and has started the postmaster."""
SECOND = "another guardian is running"

_SHUTDOWN_SECONDS = 60.0
_QUICK_DEATH_SECONDS = 10.0
_MOST_QUICK_DEATHS = 10
_LONGEST_PAUSE = 5.0
_WAKING = frozenset({signal.SIGCHLD, signal.SIGTERM})


class Guardian:
    """One run of the guardian, from the first start of the postmaster to its last stop."""

    def __init__(self, data_dir: Path, client_lock: int, linger: float) -> None:
        self._data_dir = data_dir
        self._data = data_dir / "postgres" / "data"
        self._client_lock = client_lock
        self._linger = linger
        self._postmaster: int | None = None
        self._client_watch: int | None = None
        self._started_at = 0.0
        self._quick_deaths = 0
        self._restart_at: float | None = None
        self._stop_at: float | None = None
        self._last_attach = 0

    def start(self) -> None:
        """Raises ForeignServerError when somebody else's server runs on the folder."""
        launch = json.loads((self._data_dir / LAUNCH_FILE).read_text())
        cluster_process.clear_folder(self._data, Path(launch["config"]))
        _remove_stale_files(self._data, Path(launch["socket"]))
        self._restart_at = None
        self._started_at = time.monotonic()
        self._postmaster = guardian_child.fork_postmaster(launch["argv"], launch["environment"], _owner(self._data))
        log(f"postmaster {self._postmaster} started")

    def supervise(self) -> str:
        """Returns why it ended; the postmaster has stopped by then."""
        self._watch_clients()
        while True:
            received = signal.sigtimedwait(_WAKING, self._patience())
            if received is not None and received.si_signo == signal.SIGTERM:
                self._stop_postmaster()
                return "told to stop"
            failure = self._reap()
            if failure is not None:
                return failure
            if _due(self._restart_at):
                self.start()
            if _due(self._stop_at) and self._stop_unused():
                return "the last client is gone"

    def _reap(self) -> str | None:
        for pid, status in _ended_children():
            if pid == self._client_watch:
                self._last_attach = os.fstat(self._client_lock).st_mtime_ns
                self._stop_at = time.monotonic() + self._linger
            elif pid == self._postmaster:
                self._postmaster = None
                if (failure := self._after_death(status)) is not None:
                    return failure
        return None

    def _after_death(self, status: int) -> str | None:
        """A killed postmaster is started again; one that gave up has logged why and stays down."""
        log(f"postmaster ended with wait status {status}")
        if os.WIFEXITED(status):
            return f"postmaster exited with status {os.WEXITSTATUS(status)}"
        lived = time.monotonic() - self._started_at
        self._quick_deaths = self._quick_deaths + 1 if lived < _QUICK_DEATH_SECONDS else 0
        if self._quick_deaths > _MOST_QUICK_DEATHS:
            return f"postmaster was killed {self._quick_deaths} times in a row"
        pause = min(0.05 * 2**self._quick_deaths, _LONGEST_PAUSE) if self._quick_deaths > 1 else 0.0
        self._restart_at = time.monotonic() + pause
        return None

    def _watch_clients(self) -> None:
        self._stop_at = None
        self._client_watch = guardian_child.fork_client_watch(self._client_lock)

    def _stop_unused(self) -> bool:
        """Stops the database if there still is no client, and none came and went meanwhile."""
        alone = guardian_lock.take_client_lock_alone(self._client_lock)
        if alone and os.fstat(self._client_lock).st_mtime_ns == self._last_attach:
            self._stop_postmaster()
            return True
        if alone:
            guardian_lock.release_client_lock(self._client_lock)
        self._watch_clients()
        return False

    def _stop_postmaster(self) -> None:
        if self._postmaster is None:
            return
        processes = cluster_process.processes_of(self._data)
        cluster_process.signal_process(self._postmaster, signal.SIGINT)
        if cluster_process.wait_for_exit([self._postmaster], _SHUTDOWN_SECONDS):
            cluster_process.signal_process(self._postmaster, signal.SIGQUIT)
        cluster_process.wait_for_exit(processes, _SHUTDOWN_SECONDS)
        _ended_children()

    def _patience(self) -> float:
        moments = [moment for moment in (self._restart_at, self._stop_at) if moment is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else 3600.0


def main(arguments: list[str]) -> int:
    """Exit status 0 after an ordinary end, also when another guardian is there already; 1 after a failure."""
    data_dir = Path(arguments[0])
    if os.fork():
        return 0
    os.chdir("/")
    os.umask(0o077)
    _become_owner(data_dir)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAKING)
    guardian_child.adopt_orphans()
    lock = guardian_lock.become_guardian(data_dir)
    if lock is None:
        report(SECOND)
        return 0
    return _guard(data_dir, lock)


def report(line: str) -> None:
    """Tells the client that started us, then leaves its pipe for the log."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())
    os.dup2(2, 1)


def log(line: str) -> None:
    """Best effort: a full disk must not end the guardian."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    with contextlib.suppress(OSError):
        os.write(2, f"{moment} guardian {os.getpid()}: {line}\n".encode())


def _guard(data_dir: Path, lock: int) -> int:
    client_lock = guardian_lock.open_lock(data_dir / guardian_lock.CLIENT_LOCK)
    try:
        guardian = Guardian(data_dir, client_lock, float(os.environ.get(LINGER_VARIABLE, "5")))
        guardian.start()
        report(HOLDING)
        reason = guardian.supervise()
    except (OSError, ValueError, KeyError, cluster_process.ForeignServerError) as error:
        log(f"failed: {error}")
        report(str(error))
        return 1
    log(f"ends: {reason}")
    # In this order, so that a client waiting for the second finds the first free.
    os.close(lock)
    os.close(client_lock)
    return 0


def _become_owner(data_dir: Path) -> None:
    """Root guards another user's folder as that user: what stands in it is not root's to trust."""
    owner = data_dir.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        guardian_child.drop_privileges(owner)


def _owner(data: Path) -> int:
    found = data.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid == 0:
        raise ValueError(f"{data} must be a folder of an unprivileged user")
    return found.st_uid


def _remove_stale_files(data: Path, socket: Path) -> None:
    """Only when no PostgreSQL process works in the folder: whomever these files name is a stranger."""
    for file in (data / "postmaster.pid", socket, socket.with_name(socket.name + ".lock")):
        file.unlink(missing_ok=True)


def _ended_children() -> list[tuple[int, int]]:
    ended: list[tuple[int, int]] = []
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append(child)
    return ended


def _due(moment: float | None) -> bool:
    return moment is not None and time.monotonic() >= moment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
