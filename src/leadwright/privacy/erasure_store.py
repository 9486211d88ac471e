"""The SQL of erasing: every store that can hold something of a person, redacted in place.

The list stands here in one piece, and writes the tables of every room, so that it can be read and be kept true:
``tests/privacy/test_erasing.py`` plants a marker wherever something of a person can stand, and afterwards searches
every column of the database for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from leadwright.identity import Identity
from leadwright.postgres.pool import Connection
from leadwright.privacy.model import ERASED, KEPT_OF_HISTORY, Person, tombstone

_REKEYED: LiteralString = """
    WITH named AS MATERIALIZED (
        SELECT kind AS identity_kind, key AS identity_key, tombstone
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(kind identity_kind, key text, tombstone text)
    )
"""

# Of a key only its keyed hash stays, so that the rows of one person still belong together.
_BY_KEY: tuple[LiteralString, ...] = (
    """
    UPDATE lead l SET identity_key = tombstone, linkedin_url = %(erased)s, first_name = NULL, last_name = NULL,
        company = NULL, title = NULL, email = NULL, custom = '{}', profile = NULL, tags = '{}', updated_at = %(now)s
    FROM named n
    WHERE l.workspace_id = %(workspace)s AND (l.identity_kind, l.identity_key) = (n.identity_kind, n.identity_key)
    """,
    # Whoever performs one still is fenced off by its token: what comes of it is written nowhere.
    """
    UPDATE action a SET identity_key = tombstone, linkedin_url = %(erased)s, content = '{}', error_message = NULL,
        external_id = NULL, token = a.token + 1, lease_until = NULL, awaiting = NULL,
        error_code = CASE WHEN a.finished_at IS NULL THEN 'erased' ELSE a.error_code END,
        state = CASE WHEN a.finished_at IS NULL THEN 'cancelled' ELSE a.state END,
        finished_at = coalesce(a.finished_at, %(now)s)
    FROM named n
    WHERE a.workspace_id = %(workspace)s AND (a.identity_kind, a.identity_key) = (n.identity_kind, n.identity_key)
    """,
    """
    UPDATE relationship r SET identity_key = tombstone FROM named n
    WHERE r.workspace_id = %(workspace)s AND (r.identity_kind, r.identity_key) = (n.identity_kind, n.identity_key)
    """,
    """
    UPDATE conversation c SET identity_key = tombstone, participant_name = NULL, participant_url = %(erased)s,
        last_content = CASE WHEN last_direction IS NOT NULL THEN %(erased)s END, updated_at = %(now)s
    FROM named n
    WHERE c.workspace_id = %(workspace)s AND (c.identity_kind, c.identity_key) = (n.identity_kind, n.identity_key)
    """,
    """
    UPDATE lead_import_outcome o SET identity_key = tombstone FROM named n
    WHERE o.workspace_id = %(workspace)s AND (o.identity_kind, o.identity_key) = (n.identity_kind, n.identity_key)
    """,
    """
    DELETE FROM former_lead f USING named n
    WHERE f.workspace_id = %(workspace)s AND (f.identity_kind, f.identity_key) = (n.identity_kind, n.identity_key)
    """,
)

_BY_ID: tuple[LiteralString, ...] = (
    """
    UPDATE enrolment SET hold_detail = NULL
    WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[]) AND hold_detail IS NOT NULL
    """,
    """
    UPDATE history SET detail = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(detail)
        WHERE key = ANY(%(kept)s))
    WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[])
    """,
    "DELETE FROM company_reply WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[])",
    # The channel's name of a fact may hold anything. What it tells again is a person's who was erased, and refused.
    """
    UPDATE inbound_fact f SET external_id = 'erased ' || gen_random_uuid()
    WHERE f.workspace_id = %(workspace)s AND (f.lead_id = ANY(%(leads)s::uuid[]) OR EXISTS (
        SELECT FROM conversation c JOIN message m ON m.workspace_id = c.workspace_id AND m.conversation_id = c.id
        WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(conversations)s::uuid[])
          AND c.sender_id = f.sender_id AND m.external_id = f.external_id))
    """,
    # One that is held is being told at this moment, which waits for this transaction: then it is refused, and gone.
    """
    DELETE FROM simulated_fact WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM simulated_fact WHERE workspace_id = %(workspace)s AND linkedin_url = ANY(%(urls)s)
        FOR UPDATE SKIP LOCKED))
    """,
)


async def redact(
    connection: Connection, workspace_id: str, person: Person, digests: Mapping[Identity, str], now: datetime
) -> None:
    """Everything that is found by key, lead or conversation, but messages and events."""
    keys = [{"kind": key.kind, "key": key.key, "tombstone": tombstone(digest)} for key, digest in digests.items()]
    parameters = {
        "workspace": workspace_id,
        "keys": msgspec.json.encode(keys).decode(),
        "erased": ERASED,
        "now": now,
        "leads": list(person.lead_ids),
        "conversations": list(person.conversation_ids),
        "urls": list(person.urls),
        "kept": list(KEPT_OF_HISTORY),
    }
    for statement in _BY_ID:
        await connection.execute(statement, parameters)
    for statement in _BY_KEY:
        await connection.execute(_REKEYED + statement, parameters)


async def redact_messages(connection: Connection, workspace_id: str, conversation_ids: Sequence[str]) -> int:
    """How many there were that had not been erased before."""
    cursor = await connection.execute(
        """
        UPDATE message SET content = %s, external_id = NULL
        WHERE workspace_id = %s AND conversation_id = ANY(%s::uuid[]) AND content <> %s
        """,
        (ERASED, workspace_id, list(conversation_ids), ERASED),
    )
    return cursor.rowcount


async def redact_events(connection: Connection, workspace_id: str, redacted: Mapping[str, str]) -> None:
    """Events keep their id and place; a delivery still on its way takes its body from here."""
    if not redacted:
        return
    rows = msgspec.json.encode([{"id": event_id, "data": data} for event_id, data in redacted.items()]).decode()
    await connection.execute(
        """
        UPDATE event e SET data = r.data::json FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, data text)
        WHERE e.workspace_id = %s AND e.id = r.id
        """,
        (rows, workspace_id),
    )
    # What endpoints answered may repeat what they were told.
    await connection.execute(
        """
        UPDATE webhook_delivery d SET attempts = (
            SELECT coalesce(jsonb_agg(attempt || '{"answer": null}' ORDER BY place), '[]')
            FROM jsonb_array_elements(d.attempts) WITH ORDINALITY AS a(attempt, place))
        WHERE d.workspace_id = %s AND d.event_id = ANY(%s::uuid[]) AND d.attempts <> '[]'
        """,
        (workspace_id, list(redacted)),
    )


async def replace_answers(connection: Connection, workspace_id: str, answers: Mapping[str, bytes]) -> None:
    """Stored answers, by their idempotency key."""
    for key, body in answers.items():
        await connection.execute(
            "UPDATE idempotency_record SET body = %s WHERE workspace_id = %s AND key = %s", (body, workspace_id, key)
        )


async def forget_answers(connection: Connection, workspace_id: str, keys: Sequence[str]) -> None:
    """Those whose idempotency key names the person: a retry is judged anew, and finds the person suppressed."""
    await connection.execute(
        "DELETE FROM idempotency_record WHERE workspace_id = %s AND key = ANY(%s)", (workspace_id, list(keys))
    )
