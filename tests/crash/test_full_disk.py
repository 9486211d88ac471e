"""A full disk under the database: said clearly, nothing acknowledged is lost, and with room all goes on."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psycopg
import pytest

from leadwright.postgres.cluster_config import ADMINISTRATOR
from leadwright.postgres.embedded import attach

ROWS = 100
MOST_BATCHES = 3000
PATIENCE = 60.0
Site: TypeAlias = Any
"""A class of conftest.py, which cannot be imported."""


class Desk:
    """A client that adds new people and remembers which were acknowledged."""

    def __init__(self, client: httpx.AsyncClient, campaign: str) -> None:
        self.client = client
        self.campaign = campaign
        self.acknowledged: dict[str, str] = {}
        self._next = 0

    async def add(self) -> httpx.Response:
        rows = [{"linkedinUrl": f"in/full-{self._next + n}", "about": "a" * 500} for n in range(ROWS)]
        self._next += ROWS
        answer = await self.client.post("/v1/leads?report=full", json={"campaignId": self.campaign, "leads": rows})
        if answer.status_code == 200:
            self.acknowledged |= {row["leadId"]: row["identityKey"] for row in answer.json()["results"]}
        return answer

    async def add_until(self, status: int) -> httpx.Response:
        for _ in range(MOST_BATCHES):
            answer = await self.add()
            if answer.status_code == status:
                return answer
            assert answer.status_code in (200, 503), answer.text
        raise AssertionError(f"no {status} in {MOST_BATCHES} batches")


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of its own: enough for a cluster and its log."""
    folder = Path(tempfile.mkdtemp(prefix="leadwright-disk-"))
    if os.geteuid() != 0:
        pytest.skip("only root mounts disks")
    command = ["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", folder]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr}")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


@pytest.fixture
async def small_site(disk: Path, template: Any) -> AsyncIterator[Site]:
    made = template.copy(disk / "data")
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def desk(small_site: Site, template: Any) -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(
        base_url=small_site.url, headers=template.headers, timeout=PATIENCE, trust_env=False
    ) as client:
        made = await client.post("/v1/campaigns", json={"name": "Full"})
        yield Desk(client, made.json()["id"])


def fill(disk: Path, leave: int) -> Path:
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - leave)
    return filler


def assert_refused_for_now(answer: httpx.Response, *codes: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["statusCode"], body["error"]) == (503, 503, "Service Unavailable")
    assert body["code"] in codes
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def assert_nothing_lost(site: Site, desk: Desk) -> None:
    stored = await site.look()
    assert desk.acknowledged
    assert desk.acknowledged.items() <= stored.leads[desk.campaign].items()
    told = (await desk.client.get(f"/v1/campaigns/{desk.campaign}")).json()
    assert told["totalLeads"] == len(stored.leads[desk.campaign])


async def test_a_disk_without_room_for_leads_says_so(small_site: Site, desk: Desk, disk: Path) -> None:
    await desk.add()
    filler = fill(disk, leave=1_000_000)
    assert_refused_for_now(await desk.add_until(503), "disk_full")
    assert_refused_for_now(await desk.add_until(503), "disk_full", "database_unavailable")
    assert (await desk.client.get("/healthz")).status_code == 200
    filler.unlink()
    await desk.add_until(200)
    await assert_nothing_lost(small_site, desk)


def fill_the_log(site: Site) -> None:
    """Raises OperationalError when the database goes down over it."""
    with attach(site.data_dir) as database:
        conninfo = psycopg.conninfo.make_conninfo(database.conninfo, user=ADMINISTRATOR)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for _ in range(100):
                connection.execute("SELECT pg_switch_wal(), pg_logical_emit_message(false, 'fill', 'the log')")


@pytest.mark.slow
async def test_a_disk_without_room_for_the_log_stops_the_database_until_there_is(
    small_site: Site, desk: Desk, disk: Path
) -> None:
    """The database cannot even start again then; the server goes on asking for it."""
    await desk.add()
    filler = fill(disk, leave=1_000_000)
    with pytest.raises(psycopg.OperationalError):
        fill_the_log(small_site)
    assert_refused_for_now(await desk.add(), "database_unavailable")
    assert (await desk.client.get("/healthz")).status_code == 200
    assert (await desk.client.get("/readyz")).status_code == 503
    filler.unlink()
    await desk.add_until(200)
    await assert_nothing_lost(small_site, desk)
