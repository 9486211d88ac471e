"""A person of whom something stands in every store, and a search of the whole database for it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from psycopg import sql

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Database

MARK = "zq7mark"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SLUG, TOKEN = f"{MARK}-jürgen", f"ACoAA{MARK}"
URL = f"https://www.linkedin.com/in/{MARK.upper()}-J%C3%BCrgen/?q=1"
EMAIL = f"J.{MARK}@Example.com"
SEQUENCE = {"steps": [{"id": "hello", "type": "message", "text": "Hello {{firstName}}"}]}


@dataclass
class Planted:
    """A workspace of its own, with a client for it, in which the person stands everywhere."""

    client: httpx.AsyncClient
    workspace_id: str
    campaign: str
    leads: list[str] = field(default_factory=list[str])
    stranger: str = ""


@pytest.fixture
async def planted(database: Database, make_key: Any, base_url: str) -> Any:
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Private", NOW)
    key = await make_key(workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        yield await plant(database, client, workspace.id)


async def post(client: httpx.AsyncClient, path: str, body: Any, *, key: str | None = None) -> Any:
    """With a key of its own unless it is given one, '' for none: an answer that is stored is one more place."""
    chosen = ids.new_id() if key is None else key
    headers = {"Idempotency-Key": chosen} if chosen else {}
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def plant(database: Database, client: httpx.AsyncClient, workspace_id: str) -> Planted:
    campaigns = [
        (await post(client, "/v1/campaigns", {"name": f"Campaign {n}", "sequence": SEQUENCE}))["id"] for n in range(3)
    ]
    planted = Planted(client, workspace_id, campaigns[0])
    await _add(planted, campaigns)
    await _say(planted, campaigns[2])
    await _write_elsewhere(database, planted)
    return planted


async def _add(planted: Planted, campaigns: list[str]) -> None:
    client = planted.client
    named = {"firstName": MARK, "lastName": MARK, "company": f"{MARK} Ltd", "title": MARK, "email": EMAIL}
    row = {"linkedinUrl": URL, **named, f"field {MARK}": MARK, "score": 5}
    for campaign in campaigns:
        await post(client, "/v1/leads?report=full", {"campaignId": campaign, "leads": [row]})
    await post(client, "/v1/leads", {"campaignId": campaigns[0], "leads": [row]}, key=f"add {EMAIL}")
    token = {"linkedinUrl": f"in/{TOKEN}", "firstName": MARK}
    other_spelling = {"linkedinUrl": f"linkedin.com/in/{MARK}-j%C3%BCrgen", "nested": {"a": 1}}
    refused: list[dict[str, Any]] = [other_spelling, {"linkedinUrl": URL, "x": [1]}]
    stranger = {"linkedinUrl": "in/stranger", "firstName": "Stranger", "email": "stranger@example.com"}
    leads: list[dict[str, Any]] = [token, *refused, row, stranger]
    told = await post(client, "/v1/leads?report=full", {"campaignId": campaigns[0], "leads": leads})
    planted.stranger = told["results"][4]["leadId"]
    await post(client, "/v1/identity/aliases", {"linkedinUrl": f"in/{TOKEN}", "sameAs": URL})
    found = (await client.get("/v1/leads", params={"limit": 100})).json()["leads"]
    planted.leads = [lead["id"] for lead in found if MARK in lead["linkedinUrl"].lower()]
    assert len(planted.leads) == 4


async def _say(planted: Planted, purged_campaign: str) -> None:
    """Notes and tags by people, the list, and a lead of which only events are left."""
    client = planted.client
    for lead_id in planted.leads:
        body = {"customLeadStatus": "INTERESTED", "note": f"{MARK} called"}
        assert (await client.patch(f"/v1/leads/{lead_id}/status", json=body)).status_code == 200
    await post(client, f"/v1/leads/{planted.leads[0]}/tags", {"tag": f"friend of {MARK}"})
    await client.delete(f"/v1/leads/{planted.leads[0]}/tags/friend%20of%20{MARK}")
    await post(client, f"/v1/leads/{planted.leads[0]}/tags", {"tag": f"tag {MARK}"})
    entries = [{"linkedinUrl": URL}, {"email": EMAIL}]
    await post(client, "/v1/suppressions", {"entries": entries, "reason": f"{MARK} asked"})
    leads = (await client.get("/v1/leads", params={"campaignId": purged_campaign})).json()["leads"]
    await client.delete(f"/v1/leads/{leads[0]['id']}", params={"purge": "true"})
    planted.leads.remove(leads[0]["id"])
    await post(client, "/v1/privacy/export", {"linkedinUrl": URL})


async def _write_elsewhere(database: Database, planted: Planted) -> None:
    """What channels and the engine write, as their statements do."""
    lead_id, sender, conversation = ids.bare(ids.Prefix.LEAD, planted.leads[0]), ids.new_id(), ids.new_id()
    names = {
        "workspace": planted.workspace_id, "lead": lead_id, "sender": sender, "conversation": conversation,
        "slug": SLUG, "mark": MARK, "url": URL, "now": NOW, "id": ids.new_id(), "other": ids.new_id(),
        "stream": ids.public(ids.Prefix.CONVERSATION, conversation),
    }  # fmt: skip
    async with database.transaction() as connection:
        for statement in _STATEMENTS:
            await connection.execute(statement, names)


_STATEMENTS = (
    """
    UPDATE lead SET profile = jsonb_build_object('about', %(mark)s::text)
    WHERE workspace_id = %(workspace)s AND id = %(lead)s
    """,
    """
    UPDATE enrolment SET hold_rule = 'missing_field', hold_detail = jsonb_build_object('field', %(mark)s::text)
    WHERE workspace_id = %(workspace)s AND lead_id = %(lead)s
    """,
    """
    INSERT INTO action (workspace_id, id, lead_id, sender_id, identity_kind, identity_key, linkedin_url, step_id, kind,
        content, state, error_message, external_id, due_at, planned_at)
    VALUES (%(workspace)s, %(id)s, %(lead)s, %(sender)s, 'slug', %(slug)s, %(url)s, 'hello', 'message',
        jsonb_build_object('text', %(mark)s::text), 'performing', %(mark)s, %(mark)s, %(now)s, %(now)s)
    """,
    """
    INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key)
    VALUES (%(workspace)s, %(sender)s, 'slug', %(slug)s)
    """,
    """
    INSERT INTO conversation (workspace_id, id, sender_id, identity_kind, identity_key, participant_name,
        participant_url, last_content, last_activity_at, created_at, updated_at)
    VALUES (%(workspace)s, %(conversation)s, %(sender)s, 'slug', %(slug)s, %(mark)s, %(url)s, %(mark)s, %(now)s,
        %(now)s, %(now)s)
    """,
    """
    INSERT INTO message (workspace_id, id, conversation_id, direction, content, sent_at, external_id)
    VALUES (%(workspace)s, %(id)s, %(conversation)s, 'received', %(mark)s, %(now)s, %(mark)s)
    """,
    """
    INSERT INTO company_reply (workspace_id, company, lead_id) VALUES (%(workspace)s, %(mark)s || ' ltd', %(lead)s)
    """,
    """
    INSERT INTO inbound_fact (workspace_id, sender_id, external_id, type, lead_id, received_at)
    VALUES (%(workspace)s, %(sender)s, %(mark)s, 'reply', NULL, %(now)s),
           (%(workspace)s, %(sender)s, %(mark)s || '2', 'reply', %(lead)s, %(now)s)
    """,
    """
    INSERT INTO simulated_fact (workspace_id, sender_id, external_id, type, linkedin_url, text, due_at)
    VALUES (%(workspace)s, %(sender)s, %(mark)s, 'reply', %(url)s, %(mark)s, 'infinity')
    """,
    """
    INSERT INTO event (workspace_id, id, type, stream, data, created_at)
    VALUES (%(workspace)s, %(other)s, 'reply.received', %(stream)s,
        json_build_object('leadId', null, 'linkedinUrl', %(url)s::text, 'reply', %(mark)s::text), %(now)s)
    """,
    """
    INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, event_type, stream, position, attempts,
        created_at)
    SELECT workspace_id, gen_random_uuid(), %(sender)s, id, type, stream, 0,
        jsonb_build_array(jsonb_build_object('statusCode', 500, 'answer', %(mark)s::text)), %(now)s
    FROM event WHERE workspace_id = %(workspace)s
    """,
    """
    INSERT INTO history (workspace_id, lead_id, at, type, detail)
    VALUES (%(workspace)s, %(lead)s, %(now)s, 'held', jsonb_build_object('field', %(mark)s::text))
    """,
)

ENCODED = (
    MARK,
    MARK.encode().hex(),
    *(base64.b64encode(b"\0" * n + MARK.encode())[4 * (n > 0) : -4].decode().lower() for n in range(3)),
)
"""The mark as it shows in text of any kind, in bytes, and in base64 at each of its three places."""


_EVERY_VALUE = sql.SQL("SELECT {}::text, to_jsonb(t) ->> 'workspace_id' FROM {} t WHERE {} IS NOT NULL")


@pytest.fixture
def search(database: Database, planted: Planted) -> Callable[..., Any]:
    """Every ``table.column`` of the database in which the mark stands, read from the catalogue.

    Rows of other workspaces, in which other tests plant, are left out.
    """

    async def found() -> set[str]:
        places: set[str] = set()
        async with database.session() as connection:
            for table, column in await columns(connection):
                query = sql.SQL(
                    "SELECT {}::text, to_jsonb(t) ->> 'workspace_id' FROM {} t WHERE {} IS NOT NULL"
                ).format(*map(sql.Identifier, (column, table, column)))
                for text, workspace in await (await connection.execute(query)).fetchall():
                    ours = workspace is None or workspace.replace("-", "") == planted.workspace_id
                    if ours and any(form in text.lower() for form in ENCODED):
                        places.add(f"{table}.{column}")
        return places

    return found


async def columns(connection: Any) -> list[tuple[str, str]]:
    """Whatever can hold a text: of every table, all but numbers, times, ids, enums and switches."""
    cursor = await connection.execute(
        """
        SELECT c.table_name, c.column_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND (c.data_type IN
            ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'xml')
            OR c.data_type = 'ARRAY' AND c.udt_name NOT IN ('_uuid', '_int4', '_int8'))
        ORDER BY 1, 2
        """
    )
    return await cursor.fetchall()
