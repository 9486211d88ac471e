"""The embedded PostgreSQL as its clients see it: attach to the one of a data folder, and keep it."""

import fcntl
import os
import select
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from leadwright.postgres import guardian_lock
from leadwright.postgres.cluster_folder import ClusterFolder, make_data_dir
from leadwright.postgres.cluster_process import postmaster_of
from leadwright.postgres.embedded_errors import EmbeddedPostgresError, explained
from leadwright.postgres.embedded_inspection import Inspection, Problem, inspect
from leadwright.postgres.embedded_start import bring_up, conninfo_of

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "Inspection", "Problem", "attach", "inspect"]

_LONGEST_PAUSE = 30.0


def attach(data_dir: Path, *, timeout: float = 60.0) -> "EmbeddedPostgres":
    """The running database of ``data_dir``; it is created on first use and started when it is down. Blocks.

    It keeps running until the last client has closed or died, and a few seconds more. Raises
    EmbeddedPostgresError, also when it does not answer within ``timeout`` seconds (it may be recovering; what
    was started goes on).
    """
    deadline = time.monotonic() + timeout
    with explained(data_dir):
        folder = make_data_dir(data_dir)
        client_lock = _become_client(folder, deadline)
        database = EmbeddedPostgres(folder, client_lock)
        try:
            database.ensure_running(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException:
            database.close()
            raise
    return database


def _become_client(folder: ClusterFolder, deadline: float) -> int:
    """Waits for a guardian that is stopping. From then on none can begin to: so look for one after this."""
    try:
        lock = guardian_lock.take_lock(folder.client_lock, fcntl.LOCK_SH, deadline)
    except TimeoutError:
        raise EmbeddedPostgresError(
            f"The database in {folder.path} is being stopped and does not end.",
            f"Its logs are in {folder.log} and {folder.guardian_log}.",
        ) from None
    os.utime(lock)  # tells the guardian that somebody came, even if only for a moment
    return lock


class EmbeddedPostgres:
    """A client's hold on the database. While open, a thread brings the database back if its guardian dies.

    Connections break when that happens, so pools must reconnect; ``conninfo`` stays the same. A process that
    was forked shares its parent's hold.
    """

    def __init__(self, folder: ClusterFolder, client_lock: int) -> None:
        self.conninfo = conninfo_of(folder)
        self.data_dir = folder.path
        self.last_error: EmbeddedPostgresError | None = None
        """Why the database could not be brought back; None once it could."""
        self._folder = folder
        self._client_lock: int | None = client_lock
        self._starting = threading.Lock()
        self._closing, self._close = os.pipe()
        self._keeper: threading.Thread | None = None

    @property
    def guardian_pid(self) -> int | None:
        return guardian_lock.guardian_pid(self.data_dir)

    @property
    def postmaster_pid(self) -> int | None:
        return postmaster_of(self._folder.data)

    def ensure_running(self, timeout: float = 60.0) -> None:
        """Returns once the database answers: in a few milliseconds when it runs. Blocks; thread-safe.

        The keeper thread does this by itself when the guardian dies; call it to wait for that, for example
        after a pool has failed to connect. Raises EmbeddedPostgresError.
        """
        deadline = time.monotonic() + timeout
        with self._starting, explained(self.data_dir):
            if self._client_lock is None:
                raise EmbeddedPostgresError("This hold on the database is closed.", "Attach again.")
            bring_up(self._folder, deadline)
            self.last_error = None
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="embedded-postgres", daemon=True)
                self._keeper.start()

    def close(self) -> None:
        """Lets go; the guardian stops the database a few seconds after the last client did."""
        if self._client_lock is None:
            return
        os.close(self._close)
        if self._keeper is not None:
            self._keeper.join()
        with self._starting:
            os.close(self._client_lock)
            os.close(self._closing)
            self._client_lock = None

    def _keep(self) -> None:
        pause = 0.0
        while not self._closed_within(pause):
            if not self._guardian_died():
                return
            try:
                self.ensure_running()
                pause = 0.0
            except EmbeddedPostgresError as error:
                self.last_error = error
                pause = min(max(1.0, pause * 2), _LONGEST_PAUSE)

    def _guardian_died(self) -> bool:
        """Waits for the guardian's death (True) or for close (False)."""
        watched = guardian_lock.guardian_pidfd(self.data_dir)
        if watched is None:
            # None, or one in another PID namespace, which can only be looked for now and then.
            return not self._closed_within(1.0 if self.guardian_pid is not None else 0.0)
        try:
            return self._closing not in _readable([watched, self._closing])
        finally:
            os.close(watched)

    def _closed_within(self, seconds: float) -> bool:
        return bool(_readable([self._closing], seconds))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _readable(descriptors: list[int], seconds: float | None = None) -> list[int]:
    """By poll, since select fails for descriptors above 1023, which a busy server has."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return [ready for ready, _ in poller.poll(None if seconds is None else seconds * 1000)]
