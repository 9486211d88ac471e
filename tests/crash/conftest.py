"""A server with a database of its own that can be killed in parts, and callers who outlive that."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadwright.postgres import cluster_process, guardian, guardian_lock
from leadwright.postgres.embedded import attach
from leadwright.postgres.migrate import migrate

PATIENCE = 60.0
SETTINGS = {"rate_limit": "100000", "postgres_linger_seconds": "0.2"}
PASSING = {"database_unavailable", "database_timeout", "disk_full"}


@dataclass
class Site:
    """A data folder and the process that serves it. ``url`` is good while ``up`` is set; each start has another."""

    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])
    url: str = ""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("LEADWRIGHT_", "PG"))}
        settings = SETTINGS | {"data_dir": str(self.data_dir)} | self.settings
        return own | {f"LEADWRIGHT_{name.upper()}": value for name, value in settings.items()}

    @property
    def log(self) -> Path:
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "leadwright", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    async def make_key(self) -> dict[str, str]:
        """The headers of a fresh key for everything."""
        made = await asyncio.to_thread(self.command, "keys", "create", "--name", "crash")
        assert made.returncode == 0, made.stderr
        return {"X-API-Key": made.stdout.splitlines()[-1]}

    async def start(self) -> None:
        """Returns when it is ready."""
        with self.log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "leadwright", "serve", "--port", "0"),
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        ready = re.search(r"is ready: (http://\S+)", line.decode())
        assert ready, f"{line!r}: {self.log.read_text()[-2000:]}"
        self.url = ready[1]
        self.up.set()

    async def kill_server(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Returns when it is gone; what it served is cut off."""
        self.up.clear()
        assert self._process is not None
        self._process.send_signal(number)
        await self._process.communicate()
        self._process = None

    def kill_postmaster(self) -> None:
        """Waits until there is one that answers, then kills it and nobody else."""
        with attach(self.data_dir) as database:
            assert database.postmaster_pid
            os.kill(database.postmaster_pid, signal.SIGKILL)

    def kill_guardian(self) -> None:
        with attach(self.data_dir) as database:
            assert database.guardian_pid
            os.kill(database.guardian_pid, signal.SIGKILL)

    async def close(self) -> None:
        """Ends all of it; returns when no process is left on the data folder."""
        if self._process is not None:
            await self.kill_server()
        await asyncio.to_thread(self._wait_until_stopped)

    def _wait_until_stopped(self) -> None:
        pid = guardian_lock.guardian_pid(self.data_dir)
        assert not pid or cluster_process.wait_for_exit([pid], PATIENCE) == []
        assert cluster_process.processes_of(self.data_dir / "postgres" / "data") == []


class Caller:
    """A client who goes on after a crash. Every answer is one that the contract allows at such a time."""

    def __init__(self, site: Site, headers: dict[str, str]) -> None:
        self._site = site
        self._client = httpx.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False)

    async def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> httpx.Response | None:
        """The answer; None when it failed for now, or when nobody knows what became of the request."""
        headers = {} if key is None else {"Idempotency-Key": key}
        await asyncio.wait_for(self._site.up.wait(), PATIENCE)
        try:
            answer = await self._client.request(method, self._site.url + path, headers=headers, **more)
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            assert answer.json()["code"] in PASSING, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            return None
        if answer.status_code == 409 and answer.json()["code"] == "idempotency_in_progress":
            return None
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def insist(self, method: str, path: str, *, key: str | None = None, **more: Any) -> httpx.Response:
        """The answer, however often that takes."""
        while (answer := await self.ask(method, path, key=key, **more)) is None:
            continue
        return answer

    async def get(self, path: str) -> Any:
        return (await self.insist("GET", path)).json()

    async def close(self) -> None:
        await self._client.aclose()


@pytest.fixture(scope="session")
def shelf() -> Iterator[Path]:
    """A folder that the database's unprivileged user can reach, which pytest's own are not for root."""
    folder = Path(tempfile.mkdtemp(prefix="leadwright-crash-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def template(shelf: Path) -> Path:
    """A data folder with the schema in it, at rest; making one takes seconds, copying it less than one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(guardian.LINGER_VARIABLE, "0")
        database = await asyncio.to_thread(attach, shelf / "template")
        await migrate(database.conninfo)
        database.close()
    await Site(shelf / "template").close()
    return shelf / "template"


def copy(template: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", template, target], check=True)
    return target


@pytest.fixture
async def site(template: Path, shelf: Path) -> AsyncIterator[Site]:
    """A running server on a fresh database; killed with all that belongs to it at the end."""
    folder = Path(tempfile.mkdtemp(dir=shelf))
    folder.chmod(0o755)
    made = Site(copy(template, folder / "data"))
    await made.start()
    yield made
    await made.close()
    shutil.rmtree(folder)


@pytest.fixture
async def make_caller(site: Site) -> AsyncIterator[Callable[[], Caller]]:
    """Callers with one key."""
    headers = await site.make_key()
    made: list[Caller] = []

    def make() -> Caller:
        made.append(Caller(site, headers))
        return made[-1]

    yield make
    for caller in made:
        await caller.close()
