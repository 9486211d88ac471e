"""Leads that were acknowledged are there, once, whatever was killed while they were being added."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
import pytest

from leadwright.postgres.embedded import attach

CLIENTS = 8
PEOPLE_AHEAD = 300
PATIENCE = 60.0
SPELLINGS = (
    "https://www.linkedin.com/in/crash-{}",
    "http://uk.linkedin.com/in/Crash-{}/?trk=people",
    "in/CRASH-{}",
    "//linkedin.com/in/crash-{}/en#top",
)
VICTIMS = ("server", "postmaster", "guardian", "server and postmaster", "guardian and server")


class Caller(Protocol):
    ask: Any
    insist: Any
    get: Any


@dataclass
class Told:
    """What the clients of one campaign were told; all of it has to stay true."""

    campaign: str
    keyed: bool
    leads: dict[str, str] = field(default_factory=dict)
    """The identity of each lead that an answer named as added, by the lead's id."""
    imports: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Rows received, added, updated, duplicates and invalid, by the id of the import."""
    asked: int = 0
    """Different requests, answered or not."""
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, rows: int, body: dict[str, Any]) -> None:
        """Raises AssertionError for an answer that does not agree with itself or an earlier one."""
        counts = (body["leadsAdded"], body.get("leadsUpdated", 0), body["duplicatesSkipped"], body["invalidEntries"])
        assert sum(counts) == rows == len(body["results"])
        added = {r["leadId"]: r["identityKey"] for r in body["results"] if r["outcome"] == "added"}
        assert len(added) == body["leadsAdded"]
        assert body["importId"] not in self.imports
        self.leads |= added
        self.imports[body["importId"]] = (rows, *counts)
        async with self._more:
            self._more.notify_all()

    async def reached(self, answers: int) -> None:
        """Waits until so many requests have been answered."""
        async with self._more, asyncio.timeout(PATIENCE):
            await self._more.wait_for(lambda: len(self.imports) >= answers)


def batch(told: Told, dice: random.Random) -> tuple[bytes, int]:
    """A body with people whom others add too, some of them twice in it, and how many rows it has."""
    people = [dice.randrange(len(told.leads) + PEOPLE_AHEAD) for _ in range(dice.randint(1, 30))]
    rows: list[Any] = [{"linkedinUrl": dice.choice(SPELLINGS).format(n), "score": n} for n in people]
    rows += dice.choice([[], [], [None], [{"linkedinUrl": "https://www.linkedin.com/company/acme"}]])
    fill = dice.random() < 0.2
    if fill:
        rows = [row and row | {"company": f"Company {dice.randrange(9)}"} for row in rows]
    dice.shuffle(rows)
    more = {"onDuplicate": "fill"} if fill else {}
    return json.dumps({"campaignId": told.campaign, "leads": rows, **more}).encode(), len(rows)


async def keep_adding(caller: Caller, told: Told, dice: random.Random, over: asyncio.Event) -> None:
    """With keys: each request until it is answered, and some again. Without: each once, whatever comes of it."""
    path = "/v1/leads?report=full"
    while not over.is_set():
        content, rows = batch(told, dice)
        told.asked += 1
        if not told.keyed:
            answer = await caller.ask("POST", path, content=content)
            if answer is not None:
                await told.note(rows, answer.json())
            continue
        key = f"key {dice.getrandbits(64)}"
        answer = await caller.insist("POST", path, content=content, key=key)
        await told.note(rows, answer.json())
        while dice.random() < 0.25:
            again = await caller.insist("POST", path, content=content, key=key)
            assert again.content == answer.content
            assert again.headers["Idempotent-Replayed"] == "true"


async def keep_pausing(caller: Caller, campaign: str, happened: list[str], over: asyncio.Event) -> None:
    """Pauses and resumes a started campaign, and notes the events of it."""
    while not over.is_set():
        action, status = ("pause", "paused") if happened[-1] != "campaign.paused" else ("resume", "started")
        answer = await caller.ask("PATCH", f"/v1/campaigns/{campaign}", json={"action": action})
        if answer is not None or (await caller.get(f"/v1/campaigns/{campaign}"))["status"] == status:
            happened.append(f"campaign.{action}d")


# Each finds what must not be. Without indexes: what a crash did to one of them must not hide what it did to a table.
NEVER = {
    "a person twice in a campaign": """
        SELECT campaign_id, identity_kind, identity_key FROM lead GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a lead twice": "SELECT id FROM lead GROUP BY 1 HAVING count(*) > 1",
    "a lead without enrolment, an enrolment without lead": """
        SELECT l.id, e.lead_id
        FROM lead l FULL JOIN enrolment e ON (e.lead_id, e.campaign_id) = (l.id, l.campaign_id)
        WHERE l.id IS NULL OR e.lead_id IS NULL""",
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
    "a counter that says other than the leads": """
        SELECT id, counter FROM campaign CROSS JOIN (VALUES ('leads'), ('active')) AS c (counter)
        WHERE (SELECT count(*) FROM lead WHERE campaign_id = campaign.id) <>
            (SELECT coalesce(sum(value), 0) FROM (
                SELECT campaign_id, counter, value FROM campaign_counter
                UNION ALL SELECT campaign_id, counter, delta FROM campaign_counter_delta) AS counted
             WHERE counted.campaign_id = campaign.id AND counted.counter = c.counter)""",
    "a gap in the feed": """
        SELECT workspace_id FROM event WHERE position IS NOT NULL GROUP BY 1
        HAVING (count(*), count(DISTINCT position), min(position)) <> (max(position), max(position), 1)
            OR max(position) <> (SELECT position FROM event_head h WHERE h.workspace_id = event.workspace_id)""",
    "a stored answer without its text": "SELECT key FROM idempotency_record WHERE status IS NULL OR body IS NULL",
}


async def audit(site: Site, *campaigns: Told) -> None:
    """Looks at everything stored, at one moment, and at what had been told until then."""
    before = [(told.campaign, told.keyed, dict(told.leads), dict(told.imports)) for told in campaigns]
    database = await asyncio.to_thread(attach, site.data_dir)
    try:
        async with await psycopg.AsyncConnection.connect(database.conninfo) as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
                await connection.execute(psycopg.sql.SQL("SET enable_{} = off").format(psycopg.sql.SQL(kind)))
            for what, query in NEVER.items():
                cursor = await connection.execute(query)
                assert await cursor.fetchall() == [], what
            for (campaign, keyed, leads, imports), told in zip(before, campaigns, strict=True):
                stored = await leads_of(connection, campaign)
                assert leads.items() <= stored.items()
                kept = await imports_of(connection, campaign)
                assert imports.items() <= kept.items()
                assert len(kept) <= told.asked
                if keyed:
                    assert len(kept) - len(imports) <= CLIENTS
    finally:
        await asyncio.to_thread(database.close)


async def leads_of(connection: psycopg.AsyncConnection[Any], campaign: str) -> dict[str, str]:
    cursor = await connection.execute(
        "SELECT id, identity_kind || ':' || identity_key FROM lead WHERE campaign_id = %s",
        (campaign.removeprefix("camp_"),),
    )
    return {f"lead_{lead.hex}": identity for lead, identity in await cursor.fetchall()}


async def imports_of(connection: psycopg.AsyncConnection[Any], campaign: str) -> dict[str, tuple[int, ...]]:
    cursor = await connection.execute(
        "SELECT id, received, added, updated, duplicates, invalid FROM lead_import WHERE campaign_id = %s",
        (campaign.removeprefix("camp_"),),
    )
    return {f"imp_{found.hex}": tuple(counts) for found, *counts in await cursor.fetchall()}
