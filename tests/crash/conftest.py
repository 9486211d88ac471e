"""A server with a database of its own that can be killed in parts, and callers who outlive that."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest

from leadwright.postgres import cluster_process, guardian, guardian_lock
from leadwright.postgres.embedded import attach

PATIENCE = 60.0
SETTINGS = {"rate_limit": "100000", "postgres_linger_seconds": "0.2"}
PASSING = {"database_unavailable", "database_timeout", "disk_full"}


# Each finds what must not be. Without indexes: what a crash did to one of them must not hide what it did to a table.
NEVER: dict[str, LiteralString] = {
    "a person twice in a campaign": """
        SELECT campaign_id, identity_kind, identity_key FROM lead GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a lead twice": "SELECT id FROM lead GROUP BY 1 HAVING count(*) > 1",
    "a lead that says other of its enrolment than is, an enrolment without lead": """
        SELECT l.id, e.lead_id
        FROM lead l FULL JOIN enrolment e ON (e.lead_id, e.campaign_id) = (l.id, l.campaign_id)
        WHERE l.id IS NULL OR l.enrolled <> (e.lead_id IS NOT NULL)""",
    "a lead of no import": "SELECT id FROM lead WHERE import_id NOT IN (SELECT id FROM lead_import)",
    "an outcome of no import": """
        SELECT row_index FROM lead_import_outcome WHERE import_id NOT IN (SELECT id FROM lead_import)""",
    "an import that does not add up": """
        SELECT id FROM lead_import WHERE received <> added + updated + duplicates + invalid""",
    "an import that says other than its rows": """
        SELECT i.* FROM lead_import i
        LEFT JOIN (SELECT import_id, count(*) AS n FROM lead GROUP BY 1) AS l ON l.import_id = i.id
        LEFT JOIN (
            SELECT import_id, count(*) FILTER (WHERE outcome = 'updated') AS updated,
                   count(*) FILTER (WHERE outcome IN ('duplicate', 'duplicate_in_request')) AS duplicates,
                   count(*) FILTER (WHERE outcome IN ('invalid', 'suppressed')) AS invalid
            FROM lead_import_outcome GROUP BY 1) AS o ON o.import_id = i.id
        WHERE (i.added, i.updated, i.duplicates, i.invalid)
            <> (coalesce(l.n, 0), coalesce(o.updated, 0), coalesce(o.duplicates, 0), coalesce(o.invalid, 0))""",
    "a counter that says other than the leads, in all or over the days": """
        SELECT id, counter, part FROM campaign
        CROSS JOIN (VALUES ('leads'), ('active')) AS c (counter) CROSS JOIN (VALUES (''), ('day')) AS p (part)
        WHERE (SELECT count(*) FROM lead l LEFT JOIN enrolment e ON e.lead_id = l.id
               WHERE l.campaign_id = campaign.id AND (c.counter = 'leads' OR e.state IS DISTINCT FROM 'done')) <>
            (SELECT coalesce(sum(value), 0) FROM (
                SELECT campaign_id, counter, value FROM campaign_counter WHERE split_part(dimension, ':', 1) = part
                UNION ALL SELECT campaign_id, counter, delta FROM campaign_counter_delta) AS counted
             WHERE counted.campaign_id = campaign.id AND counted.counter = c.counter)""",
    "a gap in the feed": """
        SELECT workspace_id FROM event WHERE position IS NOT NULL GROUP BY 1
        HAVING (count(*), count(DISTINCT position), min(position)) <> (max(position), max(position), 1)
            OR max(position) <> (SELECT position FROM event_head h WHERE h.workspace_id = event.workspace_id)""",
    "a stored answer without its text": "SELECT key FROM idempotency_record WHERE status IS NULL OR body IS NULL",
}


@dataclass(frozen=True)
class Stored:
    """What the database holds, by campaign and all in the ids of the wire."""

    leads: dict[str, dict[str, str]]
    """The identity of each lead, by its id."""
    imports: dict[str, dict[str, tuple[int, ...]]]
    """Rows received, added, updated, duplicates and invalid, by the id of the import."""


async def read_at_one_moment(conninfo: str) -> Stored:
    """Raises AssertionError when something is stored that never may be."""
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        for kind in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            await connection.execute("SELECT set_config(%s, 'off', true)", (kind,))
        for what, query in NEVER.items():
            assert await rows_of(connection, query) == [], what
        campaigns = await rows_of(connection, "SELECT id FROM campaign")
        stored = Stored(
            {f"camp_{one.hex}": {} for (one,) in campaigns}, {f"camp_{one.hex}": {} for (one,) in campaigns}
        )
        for campaign, lead, identity in await rows_of(connection, LEADS):
            stored.leads[f"camp_{campaign.hex}"][f"lead_{lead.hex}"] = identity
        for campaign, found, *counts in await rows_of(connection, IMPORTS):
            stored.imports[f"camp_{campaign.hex}"][f"imp_{found.hex}"] = tuple(counts)
        return stored


LEADS = "SELECT campaign_id, id, identity_kind || ':' || identity_key FROM lead"
IMPORTS = "SELECT campaign_id, id, received, added, updated, duplicates, invalid FROM lead_import"


async def rows_of(connection: psycopg.AsyncConnection[Any], query: LiteralString) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(query)
    return await cursor.fetchall()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


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

    async def start(self, *options: str) -> None:
        """Returns when it is ready."""
        with self.log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "leadwright", "serve", "--port", "0", *options),
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

    async def start_worker(self, *parts: str) -> asyncio.subprocess.Process:
        """Returns when it is at work; whoever asked for it ends it."""
        with self.log.open("a") as log:
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "leadwright", "work", *parts),
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert worker.stdout is not None
        try:
            assert b"is at work" in await asyncio.wait_for(worker.stdout.readline(), 3 * PATIENCE)
        except BaseException:
            worker.kill()
            await worker.communicate()
            raise
        return worker

    async def end_leases(self) -> None:
        """As if the five minutes had passed for which a deed, or the asking about it, is its worker's."""
        embedded = await asyncio.to_thread(attach, self.data_dir)
        try:
            async with await psycopg.AsyncConnection.connect(embedded.conninfo, autocommit=True) as connection:
                await connection.execute("UPDATE action SET lease_until = now() WHERE state = 'performing'")
                await connection.execute(
                    "UPDATE action SET due_at = now() WHERE state = 'uncertain' AND due_at < now() + interval '1 hour'"
                )
        finally:
            await asyncio.to_thread(embedded.close)

    def kill_postmaster(self) -> None:
        """Waits until there is one that answers, then kills it and nobody else."""
        with attach(self.data_dir) as database:
            assert database.postmaster_pid
            os.kill(database.postmaster_pid, signal.SIGKILL)

    def kill_guardian(self) -> None:
        with attach(self.data_dir) as database:
            assert database.guardian_pid
            os.kill(database.guardian_pid, signal.SIGKILL)

    def caller(self, headers: dict[str, str]) -> "Caller":
        return Caller(self, headers)

    async def look(self) -> Stored:
        """What is stored, at one moment. Raises AssertionError when something is that never may be."""
        database = await asyncio.to_thread(attach, self.data_dir)
        try:
            return await read_at_one_moment(database.conninfo)
        finally:
            await asyncio.to_thread(database.close)

    async def close(self) -> None:
        """Kills all of it; returns when no process is left on the data folder."""
        if self._process is not None:
            await self.kill_server()
        guardian_pid = guardian_lock.guardian_pid(self.data_dir)
        children = children_of(guardian_pid) if guardian_pid else []
        if guardian_pid:
            os.kill(guardian_pid, signal.SIGKILL)
        for pid in cluster_process.processes_of(self._cluster):
            cluster_process.signal_process(pid, signal.SIGKILL)
        await asyncio.to_thread(self.wait_until_stopped, children)

    def wait_until_stopped(self, children: Sequence[int] = ()) -> None:
        """``children`` of a guardian that was killed: one of them holds a file in the folder without working there."""
        guardian_pid = guardian_lock.guardian_pid(self.data_dir)
        pids = [*cluster_process.processes_of(self._cluster), *children, *([guardian_pid] if guardian_pid else [])]
        assert cluster_process.wait_for_exit(pids, PATIENCE) == []

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "postgres" / "data"


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(guardian.LINGER_VARIABLE, SETTINGS["postgres_linger_seconds"])
        yield folder
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Template:
    """A data folder at rest, with the schema and one key for everything; copying it takes a fraction of a second."""

    data_dir: Path
    headers: dict[str, str]

    def copy(self, target: Path) -> Site:
        subprocess.run(["cp", "-a", self.data_dir, target], check=True)
        return Site(target)

    @staticmethod
    def site_at(data_dir: Path) -> Site:
        """One whose folder is yet to be made."""
        return Site(data_dir)


@pytest.fixture(scope="session")
async def template(shelf: Path) -> Template:
    first = Site(shelf / "template")
    made = await asyncio.to_thread(first.command, "keys", "create", "--name", "crash")
    assert made.returncode == 0, made.stderr
    await asyncio.to_thread(first.wait_until_stopped)
    return Template(first.data_dir, {"X-API-Key": made.stdout.splitlines()[-1]})


@pytest.fixture(scope="session")
async def shared_site(template: Template, shelf: Path) -> AsyncIterator[Site]:
    made = template.copy(shelf / "shared")
    yield made
    await made.close()


@pytest.fixture
async def site(shared_site: Site) -> Site:
    """A running server; its database may hold what other tests have left, but nothing that never may be."""
    if not shared_site.up.is_set():
        await shared_site.start()
    return shared_site


@pytest.fixture
async def make_caller(site: Site, template: Template) -> AsyncIterator[Callable[[], Caller]]:
    made: list[Caller] = []

    def make() -> Caller:
        made.append(Caller(site, template.headers))
        return made[-1]

    yield make
    for caller in made:
        await caller.close()
