"""Starting what is measured: servers that say when they are ready, and scratch folders that leave nothing behind."""

import json
import os
import re
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from leadwright.postgres import guardian_lock

ROOT = Path(__file__).parents[1]
LEADWRIGHT = (sys.executable, "-m", "leadwright")
SERVE = (*LEADWRIGHT, "serve", "--port", "0")

_KEPT_SETTINGS = ("LEADWRIGHT_POSTGRES_BIN_DIR", "LEADWRIGHT_POSTGRES_USER")
_READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
_ENDS_WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Process:
    """A server on 127.0.0.1."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Server(Process):
    """A running ``leadwright serve`` with a key for everything."""

    key: str

    def call(self, method: str, path: str, body: object | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": self.key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def new_campaign(self) -> str:
        return self.call("POST", "/v1/campaigns", {"name": "bench"})["id"]


@contextmanager
def scratch_folder() -> Generator[Path]:
    """The path of a data folder to be. After the block its database has stopped and it is gone.

    In the system's temporary folder itself (TMPDIR), which the database's user can reach.
    """
    path = Path(tempfile.gettempdir()) / f"leadwright-bench-{secrets.token_hex(6)}"
    try:
        yield path
    finally:
        wait_until_stopped(path)
        shutil.rmtree(path, ignore_errors=True)


def wait_until_stopped(data_dir: Path) -> None:
    """Returns once no guardian, and so no database, runs on the folder; all its clients must have ended."""
    guardian = guardian_lock.guardian_pidfd(data_dir) if data_dir.exists() else None
    if guardian is None:
        return
    poller = select.poll()
    poller.register(guardian, select.POLLIN)
    stopped = poller.poll(_ENDS_WITHIN_SECONDS * 1000)
    os.close(guardian)
    if not stopped:
        raise RuntimeError(f"the database in {data_dir} does not stop")


def environment(data_dir: Path) -> dict[str, str]:
    """The caller's, with the server's default settings but for a rate limit out of the way."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("LEADWRIGHT_") or n in _KEPT_SETTINGS}
    return kept | {
        "LEADWRIGHT_DATA_DIR": str(data_dir),
        "LEADWRIGHT_RATE_LIMIT": "1000000",
        "LEADWRIGHT_POSTGRES_LINGER_SECONDS": "0",
    }


@contextmanager
def running(command: Sequence[str], variables: Mapping[str, str]) -> Generator[Process]:
    """A server process that prints its address on standard output once it is ready; ends with the block."""
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=dict(variables), stdout=subprocess.PIPE, stderr=log, text=True
        ) as child,
    ):
        try:
            yield Process(_port(child, log), child.pid)
        finally:
            child.terminate()
            child.wait(_ENDS_WITHIN_SECONDS)


def _port(child: subprocess.Popen[str], log: IO[str]) -> int:
    assert child.stdout is not None
    for line in child.stdout:
        if ready := _READY.search(line):
            return int(ready[1])
    log.seek(0)
    raise RuntimeError(f"the server did not come up: {log.read()[-2000:]}")


@contextmanager
def leadwright(data_dir: Path) -> Generator[Server]:
    """``leadwright serve`` with its embedded database, as anybody would run it."""
    variables = environment(data_dir)
    with running(SERVE, variables) as process:
        command = (*LEADWRIGHT, "keys", "create", "--name", "bench")
        made = subprocess.run(command, env=variables, capture_output=True, check=True, text=True)
        yield Server(process.port, process.pid, made.stdout.strip().splitlines()[-1])


@contextmanager
def orm_service(conninfo: str) -> Generator[Process]:
    command = (sys.executable, "-m", "bench.orm_service")
    with running(command, os.environ | {"BENCH_CONNINFO": conninfo}) as process:
        yield process
