"""The command line as its users meet it: processes of ``python -m leadwright``, their output and exit codes."""

import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from leadwright.postgres import guardian_lock

PATIENCE = 60.0


@dataclass
class Serving:
    """A ``leadwright serve`` that is ready. ``shown`` is what it has written on standard output."""

    process: "subprocess.Popen[str]"
    url: str
    shown: str
    log: Path

    def end(self, number: signal.Signals) -> int:
        """Sends the signal and answers the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


@dataclass(frozen=True)
class Leadwright:
    """Runs commands with settings of its own and none of this process's."""

    settings: Mapping[str, str]
    folder: Path

    def but(self, **settings: str) -> "Leadwright":
        return replace(self, settings={**self.settings, **settings})

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("LEADWRIGHT_", "PG"))}
        return own | {f"LEADWRIGHT_{name.upper()}": value for name, value in self.settings.items()}

    def remove(self) -> None:
        """Removes the data folder, once its database has stopped."""
        data_dir = Path(self.settings["data_dir"])
        _wait_until_stopped(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)

    def __call__(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "leadwright", *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def done(self, *arguments: str | Path) -> str:
        """The standard output of a command that must succeed."""
        finished = self(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Serving]:
        """A server on a free port, which is killed at the end if it still runs."""
        log = self.folder / f"serve-{secrets.token_hex(4)}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "leadwright", "serve", "--port", "0", *arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        with process:
            try:
                yield _ready(process, log)
            finally:
                process.kill()


def _ready(process: "subprocess.Popen[str]", log: Path) -> Serving:
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if line.startswith("Leadwright is ready: "):
            return Serving(process, line.split()[3], shown, log)
    raise AssertionError(f"serve ended before it was ready: {log.read_text()}")


@pytest.fixture
def leadwright(make_database: Callable[..., str], tmp_path: Path) -> Leadwright:
    """On a fresh migrated database of the test run's cluster, by LEADWRIGHT_DATABASE_URL."""
    return Leadwright({"database_url": make_database(), "data_dir": str(tmp_path / "data")}, tmp_path)


@pytest.fixture
def unreachable(tmp_path: Path) -> Leadwright:
    """With a database that does not exist."""
    url = "postgresql://somebody:hunter2@127.0.0.1:1/nothing"
    return Leadwright({"database_url": url, "data_dir": str(tmp_path / "data")}, tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Leadwright]:
    """On a data folder of its own that does not exist yet; its database stops with its last client."""
    # Not in tmp_path, which is closed to the user that root's database runs as.
    data_dir = Path(tempfile.gettempdir()) / f"leadwright-cli-{secrets.token_hex(8)}"
    commands = Leadwright({"data_dir": str(data_dir), "postgres_linger_seconds": "0"}, tmp_path)
    yield commands
    commands.remove()


def _wait_until_stopped(data_dir: Path) -> None:
    guardian = guardian_lock.guardian_pidfd(data_dir)
    if guardian is not None:
        poller = select.poll()
        poller.register(guardian, select.POLLIN)
        assert poller.poll(PATIENCE * 1000)
        os.close(guardian)
