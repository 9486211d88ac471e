"""A PostgreSQL of the operator's own, old and new: migrated by hand, served from, and away at the start."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psycopg
import pytest
from tests.starting import startable

from leadwright.postgres.binaries import OVERRIDE_VARIABLE, find_binaries
from leadwright.postgres.embedded import EmbeddedPostgresError, attach

PATIENCE = 60.0
Site: TypeAlias = Any
"""A class of conftest.py, which cannot be imported."""


@pytest.fixture(params=[15, pytest.param(18, marks=pytest.mark.slow)])
async def conninfo(
    request: pytest.FixtureRequest, template: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """An empty database on a server of that major version."""
    try:
        binaries = find_binaries(request.param)
    except EmbeddedPostgresError as error:
        pytest.skip(error.message)
    monkeypatch.setenv(OVERRIDE_VARIABLE, str(binaries.bin_dir))
    server = template.site_at(shelf / f"server-{request.param}")
    with attach(server.data_dir) as database:
        with psycopg.connect(database.conninfo, autocommit=True) as connection:
            assert connection.info.server_version // 10_000 == request.param
            connection.execute("CREATE DATABASE their_own")
        yield psycopg.conninfo.make_conninfo(database.conninfo, dbname="their_own")
    await server.close()


@pytest.fixture
async def own_site(conninfo: str, template: Any) -> AsyncIterator[Site]:
    """A server to be started on that database; its data folder holds the secret key and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="leadwright-own-"))
    made = replace(template.site_at(folder / "data"), settings={"database_url": conninfo})
    yield made
    await made.close()
    assert not (folder / "data" / "postgres").exists()
    shutil.rmtree(folder)


def refused(site: Site, *command: str) -> str:
    done = site.command(*command)
    assert (done.returncode, done.stdout) == (1, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith("leadwright: ")
    assert "Traceback" not in done.stderr
    return line


async def test_it_is_migrated_by_hand_and_then_does_everything(own_site: Site) -> None:
    assert "leadwright db migrate" in refused(own_site, "serve", "--port", "0")
    assert own_site.command("db", "migrate").returncode == 0
    made = own_site.command("keys", "create", "--name", "own")
    await own_site.start()
    headers = {"X-API-Key": made.stdout.splitlines()[-1]}
    async with httpx.AsyncClient(base_url=own_site.url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        assert (await client.get("/readyz")).status_code == 200
        await use_everything(client)


async def use_everything(client: httpx.AsyncClient) -> None:
    made = {"name": "On their own", **await startable(client)}
    campaign = (await client.post("/v1/campaigns", json=made)).json()["id"]
    person = {"linkedinUrl": "in/someone", "email": "jane@example.com", "score": 85}
    rows = [person, {"linkedinUrl": "https://linkedin.com/in/SomeOne/"}, {"linkedinUrl": "in/other"}, None]
    add = {"campaignId": campaign, "leads": rows}
    answer = (await client.post("/v1/leads", json=add)).json()
    assert (answer["leadsAdded"], answer["duplicatesSkipped"], answer["invalidEntries"]) == (2, 1, 1)
    for way in ("fill", "overwrite"):
        changed = add | {"leads": [person | {"company": way}], "onDuplicate": way}
        assert (await client.post("/v1/leads", json=changed)).json()["leadsUpdated"] == 1
    entry = {"entries": [{"linkedinUrl": "in/gone"}], "reason": "asked"}
    assert (await client.post("/v1/suppressions", json=entry)).json()["added"] == 1
    suppressed = await client.post("/v1/leads", json=add | {"leads": [{"linkedinUrl": "in/gone"}]})
    assert suppressed.json()["errors"][0]["code"] == "suppressed"
    await look_at_everything(client, campaign)


async def look_at_everything(client: httpx.AsyncClient, campaign: str) -> None:
    listed = (await client.get(f"/v1/leads?campaignId={campaign}&full=1&cursor=")).json()
    assert [lead["data"] for lead in listed["leads"]] == [{"score": 85}, {}]
    assert [lead["company"] for lead in listed["leads"]] == ["overwrite", None]
    for action in ("start", "pause", "resume"):
        assert (await client.patch(f"/v1/campaigns/{campaign}", json={"action": action})).status_code == 200
    assert (await client.delete(f"/v1/leads/{listed['leads'][1]['id']}")).status_code == 200
    read = (await client.get(f"/v1/campaigns/{campaign}")).json()
    assert (read["status"], read["totalLeads"]) == ("started", 2)
    assert (await client.get("/v1/imports")).json()["pagination"]["total"] == 4
    expected = ["campaign.started", "campaign.paused", "campaign.resumed", "lead.updated"]
    seen: list[str] = []
    while len(seen) < len(expected):
        seen = [event["eventType"] for event in (await client.get("/v1/events")).json()["events"]]
    assert seen == expected
    assert (await client.delete(f"/v1/campaigns/{campaign}")).status_code == 200
    assert (await client.get("/v1/leads")).json()["pagination"]["total"] == 0


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("postgresql://jane:pass-word@127.0.0.1:1/leads", ("serve", "--port", "0")),
        ("host=/nonexistent password=pass-word", ("serve", "--port", "0")),
        ("host=/nonexistent password=pass-word", ("keys", "list")),
    ],
)
def test_a_database_that_is_away_at_the_start_is_told(
    template: Any, tmp_path: Path, url: str, command: tuple[str, ...]
) -> None:
    site = replace(template.site_at(tmp_path / "data"), settings={"database_url": url})
    line = refused(site, *command)
    assert "database cannot be reached" in line
    assert "LEADWRIGHT_DATABASE_URL" in line
    assert "pass-word" not in line
