"""The SQL of relationships, and of keeping messages in their conversations.

Every statement takes persons under any key and follows aliases itself, in the order of the rows' keys, so that two
writers wait for each other instead of deadlocking.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import msgspec

from leadwright import ids
from leadwright.identity import Identity, IdentityKind
from leadwright.inbox.model import LONGEST_EXCERPT, ConnectionState, Kept, NewMessage, Note, Pair, Relationship
from leadwright.people.service import Rekeying
from leadwright.postgres.pool import Connection


async def relationships(
    connection: Connection, workspace_id: str, pairs: Sequence[Pair]
) -> Mapping[Pair, Relationship]:
    """Those that there are, under the pairs as they were asked for."""
    cursor = await connection.execute(
        """
        SELECT p.sender_id, p.kind, p.key, r.state, r.invited_at, r.connected_at, r.last_sent_at, r.last_received_at,
               r.last_lead_id
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS p(sender_id uuid, kind identity_kind, key text)
        LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = p.kind AND a.key = p.key
        JOIN relationship r ON r.workspace_id = %(workspace)s AND r.sender_id = p.sender_id
            AND r.identity_kind = coalesce(a.person_kind, p.kind) AND r.identity_key = coalesce(a.person_key, p.key)
        """,
        {"workspace": workspace_id, "rows": _json([_pair(*pair) for pair in pairs])},
    )
    return {_as_pair(row): Relationship(ConnectionState(row[3]), *row[4:]) for row in await cursor.fetchall()}


# What is told of each pair, aliases followed, and of a pair that is told of more than once the latest.
_TOLD: LiteralString = """
    WITH told AS (
        SELECT r.sender_id, r.kind, r.key, coalesce(a.person_kind, r.kind) AS person_kind,
               coalesce(a.person_key, r.key) AS person_key, r.at, r.lead_id
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(sender_id uuid, kind identity_kind, key text, at timestamptz,
            lead_id uuid)
        LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = r.kind AND a.key = r.key
    ), latest AS (
        SELECT DISTINCT ON (sender_id, person_kind, person_key) * FROM told
        ORDER BY sender_id, person_kind, person_key, at DESC
    ),
"""
_NEWS: LiteralString = """
    SELECT t.sender_id, t.kind, t.key FROM told t JOIN changed c ON c.sender_id = t.sender_id
        AND c.identity_kind = t.person_kind AND c.identity_key = t.person_key
"""


async def invite(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Invitations that are open from now on; who is connected stays so. Answers the pairs of whom that was written."""
    return await _note(
        connection,
        workspace_id,
        notes,
        _TOLD
        + """
        changed AS (
            INSERT INTO relationship AS old (workspace_id, sender_id, identity_kind, identity_key, state, invited_at,
                last_lead_id)
            SELECT %(workspace)s, sender_id, person_kind, person_key, 'invited', at, lead_id FROM latest
            ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
            SET state = greatest(old.state, excluded.state),
                invited_at = CASE WHEN old.state = 'none' THEN excluded.invited_at
                    ELSE coalesce(old.invited_at, excluded.invited_at) END,
                last_lead_id = CASE WHEN excluded.invited_at >= coalesce(old.last_sent_at, '-infinity')
                    THEN coalesce(excluded.last_lead_id, old.last_lead_id) ELSE old.last_lead_id END
            WHERE old.state = 'none' OR old.invited_at IS NULL OR excluded.last_lead_id IS NOT NULL
            RETURNING sender_id, identity_kind, identity_key, state
        )
        """
        + _NEWS
        + " WHERE c.state = 'invited'",
    )


async def connect(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Connections; answers the pairs that were not connected before. The first telling's time stays."""
    return await _note(
        connection,
        workspace_id,
        notes,
        _TOLD
        + """
        changed AS (
            INSERT INTO relationship AS old (workspace_id, sender_id, identity_kind, identity_key, state, connected_at,
                last_lead_id)
            SELECT %(workspace)s, sender_id, person_kind, person_key, 'connected', at, lead_id FROM latest
            ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
            SET state = 'connected', connected_at = excluded.connected_at,
                last_lead_id = coalesce(old.last_lead_id, excluded.last_lead_id)
            WHERE old.state <> 'connected'
            RETURNING sender_id, identity_kind, identity_key
        )
        """
        + _NEWS,
    )


async def withdraw(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Open invitations that are no more; answers the pairs that had one. A later invitation stays open."""
    return await _note(
        connection,
        workspace_id,
        notes,
        _TOLD
        + """
        held AS (
            SELECT r.sender_id, r.identity_kind, r.identity_key FROM relationship r
            JOIN latest l ON l.sender_id = r.sender_id AND l.person_kind = r.identity_kind
                AND l.person_key = r.identity_key
            WHERE r.workspace_id = %(workspace)s AND r.state = 'invited' AND r.invited_at <= l.at
            ORDER BY r.sender_id, r.identity_kind, r.identity_key FOR UPDATE OF r
        ), changed AS (
            UPDATE relationship r SET state = 'none', invited_at = NULL FROM held h
            WHERE r.workspace_id = %(workspace)s AND r.sender_id = h.sender_id AND r.identity_kind = h.identity_kind
              AND r.identity_key = h.identity_key
            RETURNING r.sender_id, r.identity_kind, r.identity_key
        )
        """
        + _NEWS,
    )


async def disconnect(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Connections that turned out to be none; answers the pairs that were connected."""
    return await _note(
        connection,
        workspace_id,
        notes,
        _TOLD
        + """
        held AS (
            SELECT r.sender_id, r.identity_kind, r.identity_key FROM relationship r
            JOIN latest l ON l.sender_id = r.sender_id AND l.person_kind = r.identity_kind
                AND l.person_key = r.identity_key
            WHERE r.workspace_id = %(workspace)s AND r.state = 'connected' AND r.connected_at <= l.at
            ORDER BY r.sender_id, r.identity_kind, r.identity_key FOR UPDATE OF r
        ), changed AS (
            UPDATE relationship r SET state = 'none', invited_at = NULL, connected_at = NULL FROM held h
            WHERE r.workspace_id = %(workspace)s AND r.sender_id = h.sender_id AND r.identity_kind = h.identity_kind
              AND r.identity_key = h.identity_key
            RETURNING r.sender_id, r.identity_kind, r.identity_key
        )
        """
        + _NEWS,
    )


async def _note(
    connection: Connection, workspace_id: str, notes: Sequence[Note], statement: LiteralString
) -> frozenset[Pair]:
    rows = [{**_pair(note.sender_id, note.identity), "at": note.at, "lead_id": note.lead_id} for note in notes]
    cursor = await connection.execute(statement, {"workspace": workspace_id, "rows": _json(rows)})
    return frozenset([_as_pair(row) for row in await cursor.fetchall()])


async def keep(connection: Connection, workspace_id: str, messages: Sequence[NewMessage]) -> list[Kept]:
    """Stores messages in their conversations, which begin with their first one; in order.

    The last message of a conversation is the one with the latest time, not the one that was told last.
    """
    cursor = await connection.execute(
        """
        WITH told AS (
            SELECT r.*, coalesce(a.person_kind, r.kind) AS person_kind, coalesce(a.person_key, r.key) AS person_key
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(place integer, id uuid, conversation_id uuid, sender_id uuid,
                kind identity_kind, key text, linkedin_url text, name text, direction text, text text, at timestamptz,
                action_id uuid, lead_id uuid, external_id text)
            LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = r.kind AND a.key = r.key
        ), latest AS (
            SELECT DISTINCT ON (sender_id, person_kind, person_key) *,
                min(at) OVER same AS began_at,
                count(*) FILTER (WHERE direction = 'received') OVER same AS unread,
                max(at) FILTER (WHERE direction = 'sent') OVER same AS last_sent_at,
                max(at) FILTER (WHERE direction = 'received') OVER same AS last_received_at,
                (array_agg(lead_id) FILTER (WHERE direction = 'sent' AND lead_id IS NOT NULL) OVER latest_first)[1]
                    AS contacted_lead_id,
                (array_agg(name) FILTER (WHERE name IS NOT NULL) OVER latest_first)[1] AS known_name
            FROM told WINDOW same AS (PARTITION BY sender_id, person_kind, person_key),
                latest_first AS (same ORDER BY at DESC, place DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            ORDER BY sender_id, person_kind, person_key, at DESC, place DESC
        ), related AS (
            INSERT INTO relationship AS old (workspace_id, sender_id, identity_kind, identity_key, last_sent_at,
                last_received_at, last_lead_id)
            SELECT %(workspace)s, sender_id, person_kind, person_key, last_sent_at, last_received_at, contacted_lead_id
            FROM latest
            ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
            SET last_sent_at = greatest(old.last_sent_at, excluded.last_sent_at),
                last_received_at = greatest(old.last_received_at, excluded.last_received_at),
                last_lead_id = CASE
                    WHEN excluded.last_sent_at >= coalesce(greatest(old.last_sent_at, old.invited_at), '-infinity')
                    THEN coalesce(excluded.last_lead_id, old.last_lead_id) ELSE old.last_lead_id END
        ), moved AS (
            INSERT INTO conversation AS old (workspace_id, id, sender_id, identity_kind, identity_key, participant_name,
                participant_url, last_content, last_direction, last_activity_at, unread_count, created_at, updated_at)
            SELECT %(workspace)s, conversation_id, sender_id, person_kind, person_key, known_name, linkedin_url,
                left(text, %(excerpt)s), direction, at, unread, began_at, at
            FROM latest
            ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
            SET participant_name = coalesce(excluded.participant_name, old.participant_name),
                last_content = CASE WHEN excluded.last_activity_at >= old.last_activity_at OR old.last_direction IS NULL
                    THEN excluded.last_content ELSE old.last_content END,
                last_direction = CASE WHEN excluded.last_activity_at >= old.last_activity_at
                    OR old.last_direction IS NULL THEN excluded.last_direction ELSE old.last_direction END,
                last_activity_at = CASE WHEN old.last_direction IS NULL THEN excluded.last_activity_at
                    ELSE greatest(old.last_activity_at, excluded.last_activity_at) END,
                moved_by = excluded.moved_by,
                unread_count = old.unread_count + excluded.unread_count,
                updated_at = greatest(old.updated_at, excluded.updated_at)
            RETURNING id, sender_id, identity_kind, identity_key
        )
        INSERT INTO message (workspace_id, id, conversation_id, direction, content, sent_at, external_id, action_id,
            lead_id)
        SELECT %(workspace)s, t.id, m.id, t.direction, t.text, t.at, t.external_id, t.action_id, t.lead_id
        FROM told t JOIN moved m ON m.sender_id = t.sender_id AND m.identity_kind = t.person_kind
            AND m.identity_key = t.person_key
        RETURNING id, conversation_id
        """,
        {"workspace": workspace_id, "rows": _json(rows := _message_rows(messages)), "excerpt": LONGEST_EXCERPT},
    )
    conversation_of = {row[0]: row[1] for row in await cursor.fetchall()}
    return [Kept(conversation_of[row["id"]], row["id"]) for row in rows]


def _message_rows(messages: Sequence[NewMessage]) -> list[dict[str, Any]]:
    fresh = ids.new_ids(len(messages) * 2)
    return [
        {
            **_pair(message.sender_id, message.identity),
            "place": place,
            "id": message.id or fresh[place],
            "conversation_id": fresh[len(messages) + place],
            "linkedin_url": message.linkedin_url,
            "name": message.name,
            "direction": message.direction,
            "text": message.text,
            "at": message.at,
            "action_id": message.action_id,
            "lead_id": message.lead_id,
            "external_id": message.external_id,
        }
        for place, message in enumerate(messages)
    ]


async def open_conversation(connection: Connection, workspace_id: str, note: Note, linkedin_url: str) -> str:
    """The id of the sender's conversation with the person, which is not shown before its first message."""
    rows = [{**_pair(note.sender_id, note.identity), "at": note.at, "lead_id": None}]
    cursor = await connection.execute(
        _TOLD
        + """
        opened AS (
            INSERT INTO conversation (workspace_id, id, sender_id, identity_kind, identity_key, participant_url,
                last_activity_at, created_at, updated_at)
            SELECT %(workspace)s, %(id)s, sender_id, person_kind, person_key, %(url)s, at, at, at FROM latest
            ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
            SET participant_url = conversation.participant_url
            RETURNING id
        )
        SELECT id FROM opened
        """,
        {"workspace": workspace_id, "id": ids.new_id(), "rows": _json(rows), "url": linkedin_url},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def answered_elsewhere(
    connection: Connection, workspace_id: str, identities: Sequence[Identity], campaign_id: str
) -> frozenset[Identity]:
    """Who wrote back to a lead of another campaign, to whichever sender."""
    cursor = await connection.execute(
        """
        SELECT p.kind, p.key
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS p(kind identity_kind, key text)
        LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = p.kind AND a.key = p.key
        WHERE EXISTS (
            SELECT FROM conversation c
            JOIN message m ON m.workspace_id = c.workspace_id AND m.conversation_id = c.id AND m.direction = 'received'
            JOIN lead l ON l.workspace_id = m.workspace_id AND l.id = m.lead_id
            WHERE c.workspace_id = %(workspace)s AND c.identity_kind = coalesce(a.person_kind, p.kind)
              AND c.identity_key = coalesce(a.person_key, p.key) AND l.campaign_id <> %(campaign)s)
        """,
        {
            "workspace": workspace_id,
            "campaign": campaign_id,
            "rows": _json([{"kind": identity.kind, "key": identity.key} for identity in identities]),
        },
    )
    return frozenset([Identity(IdentityKind(row[0]), row[1]) for row in await cursor.fetchall()])


async def rekey_relationships(connection: Connection, workspace_id: str, rekeying: Rekeying) -> None:
    """What a sender had with both keys of a person becomes one: connected wins over invited, the last of each time."""
    names = _rekeying(workspace_id, rekeying)
    await connection.execute(
        """
        WITH old AS (
            DELETE FROM relationship
            WHERE workspace_id = %(workspace)s AND identity_kind = %(old_kind)s AND identity_key = %(old_key)s
            RETURNING *
        )
        INSERT INTO relationship AS kept (workspace_id, sender_id, identity_kind, identity_key, state, invited_at,
            connected_at, last_sent_at, last_received_at, last_lead_id)
        SELECT workspace_id, sender_id, %(new_kind)s, %(new_key)s, state, invited_at, connected_at, last_sent_at,
            last_received_at, last_lead_id FROM old ORDER BY sender_id
        ON CONFLICT (workspace_id, sender_id, identity_kind, identity_key) DO UPDATE
        SET state = greatest(kept.state, excluded.state),
            invited_at = least(kept.invited_at, excluded.invited_at),
            connected_at = least(kept.connected_at, excluded.connected_at),
            last_sent_at = greatest(kept.last_sent_at, excluded.last_sent_at),
            last_received_at = greatest(kept.last_received_at, excluded.last_received_at),
            last_lead_id = CASE
                WHEN coalesce(greatest(excluded.last_sent_at, excluded.invited_at), '-infinity')
                    > coalesce(greatest(kept.last_sent_at, kept.invited_at), '-infinity')
                THEN coalesce(excluded.last_lead_id, kept.last_lead_id)
                ELSE coalesce(kept.last_lead_id, excluded.last_lead_id) END
        """,
        names,
    )


async def rekey_conversations(connection: Connection, workspace_id: str, rekeying: Rekeying) -> None:
    """Two conversations of a sender that turn out to be with one person become one, with the messages of both."""
    names = _rekeying(workspace_id, rekeying)
    await connection.execute(
        """
        WITH pair AS (
            SELECT old.id AS old_id, kept.id AS kept_id, old.sender_id FROM conversation old
            JOIN conversation kept ON kept.workspace_id = old.workspace_id AND kept.sender_id = old.sender_id
                AND kept.identity_kind = %(new_kind)s AND kept.identity_key = %(new_key)s
            WHERE old.workspace_id = %(workspace)s AND old.identity_kind = %(old_kind)s
              AND old.identity_key = %(old_key)s
            ORDER BY old.sender_id FOR UPDATE OF old, kept
        ), carried AS (
            UPDATE message m SET conversation_id = p.kept_id FROM pair p
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = p.old_id
        ), merged AS (
            UPDATE conversation k SET
                participant_name = coalesce(k.participant_name, o.participant_name),
                last_content = CASE WHEN """
        + _OLD_IS_LATER
        + """ THEN o.last_content ELSE k.last_content END,
                last_direction = CASE WHEN """
        + _OLD_IS_LATER
        + """ THEN o.last_direction ELSE k.last_direction END,
                last_activity_at = CASE WHEN """
        + _OLD_IS_LATER
        + """ THEN o.last_activity_at ELSE k.last_activity_at END,
                unread_count = k.unread_count + o.unread_count,
                created_at = least(k.created_at, o.created_at),
                updated_at = greatest(k.updated_at, o.updated_at)
            FROM pair p JOIN conversation o ON o.workspace_id = %(workspace)s AND o.id = p.old_id
            WHERE k.workspace_id = %(workspace)s AND k.id = p.kept_id
        )
        DELETE FROM conversation o USING pair p WHERE o.workspace_id = %(workspace)s AND o.id = p.old_id
        """,
        names,
    )
    await connection.execute(
        """
        UPDATE conversation SET identity_kind = %(new_kind)s, identity_key = %(new_key)s
        WHERE workspace_id = %(workspace)s AND identity_kind = %(old_kind)s AND identity_key = %(old_key)s
        """,
        names,
    )


# An empty conversation has no last message, so the other's stands whatever its time.
_OLD_IS_LATER: LiteralString = """(o.last_direction IS NOT NULL
    AND (k.last_direction IS NULL OR o.last_activity_at > k.last_activity_at))"""


def _rekeying(workspace_id: str, rekeying: Rekeying) -> dict[str, str]:
    old, new = rekeying.old, rekeying.new
    return {
        "workspace": workspace_id,
        "old_kind": old.kind.value,
        "old_key": old.key,
        "new_kind": new.kind.value,
        "new_key": new.key,
    }


def _pair(sender_id: str, identity: Identity) -> dict[str, Any]:
    return {"sender_id": sender_id, "kind": identity.kind, "key": identity.key}


def _as_pair(row: Sequence[Any]) -> Pair:
    return row[0], Identity(IdentityKind(row[1]), row[2])


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
