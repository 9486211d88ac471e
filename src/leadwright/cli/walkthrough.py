"""The steps of ``leadwright demo``: real requests, each answer compared with what it must be."""

import asyncio
import json
import os
import secrets
import select
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from leadwright.cli import development
from leadwright.cli.demo_batch import ROWS, SUPPRESSED_PERSON, Row
from leadwright.cli.demo_receiver import HOST, receiving
from leadwright.cli.demo_walk import walk
from leadwright.cli.output import show_table
from leadwright.cli.process import accepting, address_of, listen, open_pool, open_secrets
from leadwright.cli.session import bring_to_schema, hand_over
from leadwright.cli.stage import Stage
from leadwright.clock import system_clock
from leadwright.leads.wire import ADD_LEADS_EXAMPLE, ADD_LEADS_EXAMPLE_ANSWER
from leadwright.postgres.embedded import EmbeddedPostgres, attach
from leadwright.settings import Settings
from leadwright.telemetry import logs

_GUARDIAN_ENDS_WITHIN_MILLISECONDS = 30_000


def run() -> bool:
    """Whether every answer was as it must be."""
    stage = Stage()
    settings = Settings(
        data_dir=_scratch_folder(),
        database_url=None,
        secret_key=None,
        postgres_linger_seconds=0.0,
        rate_limit=6000,
        webhook_allow_hosts=(HOST,),
    )  # pyright: ignore[reportCallIssue] -- every other field has a default
    logs.configure("error", "console")
    hand_over(settings)
    began = time.monotonic()
    try:
        with _database(settings) as conninfo:
            asyncio.run(_play(settings, conninfo, stage, began))
    finally:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
    stage.end(time.monotonic() - began)
    return stage.as_claimed


def _scratch_folder() -> Path:
    """A name nobody can guess, in /tmp: the database's user cannot enter a private folder of root's."""
    tmp = Path("/tmp")  # noqa: S108
    base = tmp if os.access(tmp, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return base / f"leadwright-demo-{secrets.token_hex(8)}"


@contextmanager
def _database(settings: Settings) -> Generator[str]:
    """The embedded database of the scratch folder; it has stopped when the block is over."""
    embedded = attach(settings.data_dir)
    try:
        yield embedded.conninfo
    finally:
        _stop(embedded)


def _stop(embedded: EmbeddedPostgres) -> None:
    pid = embedded.guardian_pid
    guardian = os.pidfd_open(pid) if pid else None
    embedded.close()
    if guardian is not None:
        poller = select.poll()
        poller.register(guardian, select.POLLIN)
        poller.poll(_GUARDIAN_ENDS_WITHIN_MILLISECONDS)
        os.close(guardian)


async def _play(settings: Settings, conninfo: str, stage: Stage, began: float) -> None:
    secrets = open_secrets(settings)
    await bring_to_schema(conninfo, embedded=True)
    with listen("127.0.0.1", 0) as listening:
        async with open_pool(settings, conninfo) as database, accepting(database, settings, secrets, listening):
            async with database.transaction() as connection:
                access = await development.prepare(connection, secrets, system_clock())
            url = address_of(listening)
            stage.heading("A server with its own PostgreSQL")
            stage.say(f"{url} with a fresh database, in {time.monotonic() - began:.1f} s.")
            headers = {"X-API-Key": access.key}
            async with aiohttp.ClientSession(url, headers=headers, raise_for_status=True) as client:
                await _seed(client, stage, url, access)
                await _batch(client, stage, access.campaign_id)
                await _read_back(client, stage, access.campaign_id)
                async with receiving() as receiver:
                    await walk(client, stage, receiver)


async def _seed(client: aiohttp.ClientSession, stage: Stage, url: str, access: development.Access) -> None:
    request = ADD_LEADS_EXAMPLE | {"campaignId": access.campaign_id}
    stage.heading("Adding two leads")
    stage.code(development.add_leads_command(url, access))
    answer = await _send(client, "/v1/leads", request)
    stage.json(answer)
    stage.claim("two leads are added", answer == ADD_LEADS_EXAMPLE_ANSWER)
    stage.heading("The same request again")
    answer = await _send(client, "/v1/leads", request)
    stage.json(answer)
    expected = {"success": True, "leadsAdded": 0, "duplicatesSkipped": 2, "invalidEntries": 0}
    stage.claim("both are recognised, nothing is added twice", answer == expected)


async def _batch(client: aiohttp.ClientSession, stage: Stage, campaign_id: str) -> None:
    stage.heading("A messy batch, with a full report")
    stage.say(
        "Spellings of one person, broken rows, custom fields of both forms, and somebody who asked to be left alone."
    )
    await _send(
        client,
        "/v1/suppressions",
        {"entries": [{"linkedinUrl": SUPPRESSED_PERSON}], "reason": "asked us to stop"},
    )
    leads = [row.lead for row in ROWS]
    report = await _send(client, "/v1/leads?report=full", {"campaignId": campaign_id, "leads": leads})
    results: list[dict[str, Any]] = report["results"]
    show_table(
        ("row", "sent", "outcome", "who", "why"),
        [_line(row, result) for row, result in zip(ROWS, results, strict=True)],
    )
    stage.say(
        f"Of {len(ROWS)} rows {report['leadsAdded']} were added, {report['duplicatesSkipped']} were "
        f"duplicates and {report['invalidEntries']} invalid."
    )
    counted = report["leadsAdded"] + report["duplicatesSkipped"] + report["invalidEntries"]
    stage.claim("every row is accounted for", counted == len(ROWS) == len(results))
    stage.claim(
        "every row met the outcome it should",
        [each["outcome"] for each in results] == [r.outcome for r in ROWS],
    )
    stage.claim("each invalid row says why", _codes(results) == [row.code for row in ROWS if row.code])


def _line(row: Row, result: dict[str, Any]) -> tuple[object, ...]:
    return (
        result["index"],
        row.shown,
        result["outcome"],
        result["identityKey"] or "-",
        result["reason"] or "-",
    )


async def _read_back(client: aiohttp.ClientSession, stage: Stage, campaign_id: str) -> None:
    stage.heading("What is stored")
    async with client.get("/v1/leads", params={"campaignId": campaign_id, "full": "true"}) as response:
        leads: list[dict[str, Any]] = (await response.json())["leads"]
    show_table(
        ("lead", "status", "custom fields"),
        [(lead["linkedinUrl"], lead["status"], json.dumps(lead["data"], ensure_ascii=False)) for lead in leads],
    )
    kept = {name: value for lead in leads for name, value in lead["data"].items()}
    stage.claim("custom fields keep their types", kept.get("customScore") == 85 and kept.get("vip") is True)
    stage.claim(
        "nested custom fields are merged, a flat one wins",
        kept.get("plan") == "team" and kept.get("seats") == 12,
    )
    stage.claim("only people who may be contacted are stored", len(leads) == 2 + _added())


def _codes(results: Sequence[dict[str, Any]]) -> list[str]:
    return [each["code"] for each in results if each["outcome"] in ("invalid", "suppressed")]


def _added() -> int:
    return sum(row.outcome == "added" for row in ROWS)


async def _send(client: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with client.post(path, json=body) as response:
        return await response.json()
