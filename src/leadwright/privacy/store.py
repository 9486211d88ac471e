"""The SQL that finds everything of one person, in the tables of every room; it changes nothing.

A row is a person's by one of few ways: by an identity key, by the lead, by the conversation. A stored answer is only a
text: it is found by what it holds, and judged by the identity rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row

from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Connection
from leadwright.privacy.model import Person

SEARCH_TIMEOUT = "10min"


async def allow_long_search(connection: Connection) -> None:
    """Until the transaction ends: looking for an e-mail address reads every lead of the workspace."""
    await connection.execute("SELECT set_config('statement_timeout', %s, true)", (SEARCH_TIMEOUT,))


async def leads_with_email(connection: Connection, workspace_id: str, part: str) -> list[tuple[Identity, str]]:
    """Identity and e-mail of the leads whose address holds ``part``, in lower case."""
    cursor = await connection.execute(
        """
        SELECT identity_kind, identity_key, email FROM lead
        WHERE workspace_id = %s AND email IS NOT NULL AND strpos(lower(email), %s) > 0
        """,
        (workspace_id, part),
    )
    return [(Identity(IdentityKind(kind), key), email) for kind, key, email in await cursor.fetchall()]


async def leads_of(connection: Connection, workspace_id: str, keys: Sequence[Identity]) -> list[tuple[str, str | None]]:
    """Id and e-mail of each lead that is there."""
    cursor = await connection.execute(
        _OF_KEYS + "SELECT l.id, l.email FROM lead l JOIN named USING (identity_kind, identity_key)"
        " WHERE l.workspace_id = %(workspace)s ORDER BY l.id",
        {"workspace": workspace_id, "keys": as_json(keys)},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def former_leads_of(connection: Connection, workspace_id: str, keys: Sequence[Identity]) -> list[str]:
    cursor = await connection.execute(
        _OF_KEYS + "SELECT f.lead_id FROM former_lead f JOIN named USING (identity_kind, identity_key)"
        " WHERE f.workspace_id = %(workspace)s",
        {"workspace": workspace_id, "keys": as_json(keys)},
    )
    return [row[0] for row in await cursor.fetchall()]


async def conversations_of(connection: Connection, workspace_id: str, keys: Sequence[Identity]) -> list[str]:
    cursor = await connection.execute(
        _OF_KEYS + "SELECT c.id FROM conversation c JOIN named USING (identity_kind, identity_key)"
        " WHERE c.workspace_id = %(workspace)s",
        {"workspace": workspace_id, "keys": as_json(keys)},
    )
    return [row[0] for row in await cursor.fetchall()]


async def urls_of(connection: Connection, workspace_id: str, keys: Sequence[Identity]) -> list[str]:
    """The addresses under which the person was added, approached and written with."""
    cursor = await connection.execute(
        _OF_KEYS
        + """
        SELECT l.linkedin_url FROM lead l JOIN named USING (identity_kind, identity_key)
        WHERE l.workspace_id = %(workspace)s
        UNION SELECT a.linkedin_url FROM action a JOIN named USING (identity_kind, identity_key)
        WHERE a.workspace_id = %(workspace)s
        UNION SELECT c.participant_url FROM conversation c JOIN named USING (identity_kind, identity_key)
        WHERE c.workspace_id = %(workspace)s
        """,
        {"workspace": workspace_id, "keys": as_json(keys)},
    )
    return [row[0] for row in await cursor.fetchall()]


_OF_KEYS: LiteralString = """
    WITH named AS MATERIALIZED (
        SELECT kind AS identity_kind, key AS identity_key
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(kind identity_kind, key text)
    )
"""


def as_json(keys: Iterable[Identity]) -> str:
    return msgspec.json.encode([{"kind": kind, "key": key} for kind, key in keys]).decode()


async def stored_answers(connection: Connection, workspace_id: str, words: Sequence[str]) -> list[tuple[str, bytes]]:
    """Idempotency key and body of the stored answers that may name the person in either; there are those of one day."""
    cursor = await connection.execute(
        """
        SELECT r.key, r.body FROM idempotency_record r
        CROSS JOIN LATERAL (SELECT lower(r.key || ' ' || convert_from(r.body, 'UTF8')) AS text) t
        WHERE r.workspace_id = %s AND r.body IS NOT NULL
          AND (strpos(t.text, '%%') > 0
            OR EXISTS (SELECT FROM unnest(%s::text[]) AS w(word) WHERE strpos(t.text, word) > 0))
        """,
        (workspace_id, list(words)),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def events_of(
    connection: Connection, workspace_id: str, person: Person, streams: Sequence[str]
) -> list[tuple[str, str]]:
    """Id and data of the person's events: those of their leads, and of conversations without one."""
    cursor = await connection.execute(
        """
        SELECT id, data::text FROM event WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[])
        UNION ALL
        SELECT id, data::text FROM event
        WHERE workspace_id = %(workspace)s AND lead_id IS NULL AND stream = ANY(%(streams)s)
        """,
        {"workspace": workspace_id, "leads": list(person.lead_ids), "streams": list(streams)},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


# What an export shows: for each heading the rows of one table that are the person's, oldest first.
_EXPORTED: Mapping[str, LiteralString] = {
    "leads": """
        SELECT id AS lead_id, campaign_id, identity_kind, identity_key, linkedin_url, first_name, last_name, company,
            title, email, custom AS data, profile, tags, import_id, created_at, updated_at
        FROM lead WHERE workspace_id = %(workspace)s AND id = ANY(%(leads)s::uuid[]) ORDER BY id
    """,
    "places": """
        SELECT lead_id, campaign_id, status, custom_status, state, step_id, sender_id, due_at, hold_rule, hold_detail,
            contacted_at, messages_sent, updated_at
        FROM enrolment WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) ORDER BY lead_id
    """,
    "history": """
        SELECT lead_id, at, type, step_id, detail
        FROM history WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) ORDER BY id
    """,
    "imports": """
        SELECT o.import_id, o.row_index, o.outcome, o.code, o.identity_kind, o.identity_key, i.created_at
        FROM lead_import_outcome o
        JOIN named USING (identity_kind, identity_key)
        JOIN lead_import i ON i.workspace_id = o.workspace_id AND i.id = o.import_id
        WHERE o.workspace_id = %(workspace)s ORDER BY o.import_id, o.row_index
    """,
    "actions": """
        SELECT a.id AS action_id, a.lead_id, a.campaign_id, a.sender_id, a.linkedin_url, a.step_id, a.kind, a.content,
            a.state, a.error_code, a.error_message, a.external_id, a.planned_at, a.finished_at
        FROM action a JOIN named USING (identity_kind, identity_key)
        WHERE a.workspace_id = %(workspace)s ORDER BY a.id
    """,
    "relationships": """
        SELECT r.sender_id, r.state, r.invited_at, r.connected_at, r.last_sent_at, r.last_received_at
        FROM relationship r JOIN named USING (identity_kind, identity_key)
        WHERE r.workspace_id = %(workspace)s ORDER BY r.sender_id
    """,
    "company_replies": """
        SELECT company, lead_id FROM company_reply
        WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) ORDER BY lead_id
    """,
    "conversations": """
        SELECT id AS conversation_id, sender_id, participant_name, participant_url, last_activity_at, unread_count,
            created_at, updated_at
        FROM conversation WHERE workspace_id = %(workspace)s AND id = ANY(%(conversations)s::uuid[]) ORDER BY id
    """,
    "messages": """
        SELECT id AS message_id, conversation_id, direction, content, sent_at, read_at, external_id
        FROM message WHERE workspace_id = %(workspace)s AND conversation_id = ANY(%(conversations)s::uuid[])
        ORDER BY sent_at, id
    """,
    "events": """
        SELECT id AS event_id, type, data, simulated, created_at FROM event
        WHERE workspace_id = %(workspace)s AND (lead_id = ANY(%(leads)s::uuid[])
            OR (lead_id IS NULL AND stream = ANY(%(streams)s))) ORDER BY seq
    """,
    "deliveries": """
        SELECT d.id AS delivery_id, d.webhook_id, d.event_id, d.status, d.attempts, d.created_at
        FROM webhook_delivery d JOIN event e ON e.workspace_id = d.workspace_id AND e.id = d.event_id
        WHERE d.workspace_id = %(workspace)s AND (e.lead_id = ANY(%(leads)s::uuid[])
            OR (e.lead_id IS NULL AND e.stream = ANY(%(streams)s))) ORDER BY d.id
    """,
    "suppressions": """
        SELECT s.id AS suppression_id, s.kind, s.value, s.shown, s.reason, s.created_at
        FROM suppression s
        WHERE s.workspace_id = %(workspace)s AND ((s.kind = 'person' AND s.value = ANY(%(texts)s))
            OR (s.kind = 'email' AND s.value = ANY(%(emails)s))) ORDER BY s.id
    """,
}


async def exported(
    connection: Connection, workspace_id: str, person: Person, streams: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Every row of the person under the heading of its table, columns as they are stored."""
    parameters = {
        "workspace": workspace_id,
        "keys": as_json(person.keys),
        "leads": list(person.lead_ids),
        "conversations": list(person.conversation_ids),
        "streams": list(streams),
        "texts": [key.text for key in person.keys],
        "emails": list(person.emails),
    }
    found: dict[str, list[dict[str, Any]]] = {}
    async with connection.cursor(row_factory=dict_row) as cursor:
        for heading, query in _EXPORTED.items():
            await cursor.execute(_OF_KEYS + query if "named" in query else query, parameters)
            found[heading] = await cursor.fetchall()
    return found
