"""The SQL of reading an inbox: conversations by activity, their messages, and what has been read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from leadwright.inbox.continuation import Continuation
from leadwright.inbox.model import Account, Conversation, Message, Which
from leadwright.postgres.pool import Connection

# Whether the first page saw what a transaction wrote. One that the running database has not got to yet stands in a row
# that was restored from a dump: old, whatever its number.
_SEEN: LiteralString = """({by} >= pg_snapshot_xmax(pg_current_snapshot())
    OR pg_visible_in_snapshot({by}, %(snapshot)s::pg_snapshot))"""
_MOVED_BY_SEEN: LiteralString = _SEEN.replace("{by}", "c.moved_by")
_KEPT_BY_SEEN: LiteralString = _SEEN.replace("{by}", "m.kept_by")

_ALL: LiteralString = "c.workspace_id = %(workspace)s AND c.last_direction IS NOT NULL"
_OF_SENDER: LiteralString = " AND c.sender_id = %(sender)s"
_UNREAD: LiteralString = " AND c.unread_count > 0"

# The picture is what a channel learned of the person as some lead. Leads go with their campaigns; what was written to
# them stays, and names no lead then.
_SHOWN: LiteralString = """
    SELECT c.id, c.sender_id, c.identity_kind, c.identity_key, c.participant_name, c.participant_url,
           (SELECT o.profile ->> 'profilePictureUrl' FROM lead o
            WHERE o.workspace_id = c.workspace_id AND o.identity_kind = c.identity_kind
              AND o.identity_key = c.identity_key AND o.profile ? 'profilePictureUrl' LIMIT 1) AS participant_picture,
           coalesce(r.state, 'none') AS connection, l.id AS lead_id, c.last_content, c.last_direction,
           c.last_activity_at, c.unread_count, c.created_at, c.updated_at, {place} AS place, {snapshot} AS snapshot
    FROM {found} JOIN conversation c ON c.workspace_id = %(workspace)s AND c.id = found.id
    LEFT JOIN relationship r ON r.workspace_id = c.workspace_id AND r.sender_id = c.sender_id
        AND r.identity_kind = c.identity_kind AND r.identity_key = c.identity_key
    LEFT JOIN lead l ON l.workspace_id = r.workspace_id AND l.id = r.last_lead_id
"""


@dataclass(frozen=True, slots=True)
class Listed(Conversation):
    """A conversation in a list, the place it has there, and the snapshot that the list is read in."""

    place: datetime
    snapshot: str


async def page(connection: Connection, workspace_id: str, which: Which, limit: int) -> Sequence[Listed]:
    """The latest conversations."""
    statement = (
        "WITH found AS (SELECT c.id, c.last_activity_at AS place FROM conversation c WHERE "
        + _matching(which)
        + " ORDER BY c.last_activity_at DESC, c.id DESC LIMIT %(limit)s)"
        + _SHOWN.replace("{place}", "found.place")
        .replace("{snapshot}", "pg_current_snapshot()::text")
        .replace("{found}", "found")
        + " ORDER BY found.place DESC, c.id DESC"
    )
    async with connection.cursor(row_factory=class_row(Listed)) as cursor:
        await cursor.execute(statement, {"workspace": workspace_id, "sender": which.sender_id, "limit": limit})
        return await cursor.fetchall()


async def next_page(
    connection: Connection, workspace_id: str, which: Which, behind: Continuation, limit: int
) -> Sequence[Listed]:
    """The list as it stood at its first page, read on: each conversation at the place it had then, as it is now.

    What has moved since is found by the transaction that moved it, and where it stood is known from those of its
    messages that were there. What has begun since stands nowhere in this list.
    """
    statement = (
        "WITH stayed AS (SELECT c.id, c.last_activity_at AS place FROM conversation c WHERE "
        + _matching(which)
        + " AND "
        + _MOVED_BY_SEEN
        + """ AND (c.last_activity_at, c.id) < (%(place)s, %(id)s)
            ORDER BY c.last_activity_at DESC, c.id DESC LIMIT %(limit)s
        ), moved AS (
            SELECT c.id, stood.place FROM conversation c CROSS JOIN LATERAL (
                SELECT max(m.sent_at) AS place FROM message m
                WHERE m.workspace_id = c.workspace_id AND m.conversation_id = c.id AND """
        + _KEPT_BY_SEEN
        + ") stood WHERE "
        + _matching(which)
        + " AND c.moved_by >= pg_snapshot_xmin(%(snapshot)s::pg_snapshot) AND NOT "
        + _MOVED_BY_SEEN
        + """ AND (stood.place, c.id) < (%(place)s, %(id)s)
        ), found AS (
            SELECT * FROM (TABLE stayed UNION ALL TABLE moved) AS both_kinds
            ORDER BY place DESC, id DESC LIMIT %(limit)s
        )"""
        + _SHOWN.replace("{place}", "found.place").replace("{snapshot}", "%(snapshot)s").replace("{found}", "found")
        + " ORDER BY found.place DESC, c.id DESC"
    )
    names = {"sender": which.sender_id, "limit": limit, "place": behind.place, "id": behind.id}
    async with connection.cursor(row_factory=class_row(Listed)) as cursor:
        await cursor.execute(statement, {"workspace": workspace_id, "snapshot": behind.snapshot, **names})
        return await cursor.fetchall()


def _matching(which: Which) -> LiteralString:
    return _ALL + (_OF_SENDER if which.sender_id else "") + (_UNREAD if which.unread else "")


async def conversation(connection: Connection, workspace_id: str, conversation_id: str) -> Conversation | None:
    """One that has a message."""
    statement = (
        _SHOWN.replace("{place}", "c.last_activity_at")
        .replace("{snapshot}", "''")
        .replace("{found}", "(SELECT %(id)s::uuid AS id) found")
        + " WHERE c.last_direction IS NOT NULL"
    )
    async with connection.cursor(row_factory=class_row(Listed)) as cursor:
        await cursor.execute(statement, {"workspace": workspace_id, "id": conversation_id})
        return await cursor.fetchone()


async def account(connection: Connection, workspace_id: str, sender_id: str) -> Account | None:
    """Removed ones too: they are kept for the conversations that they had."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            "SELECT id, name, linkedin_url FROM sender WHERE workspace_id = %s AND id = %s", (workspace_id, sender_id)
        )
        return await cursor.fetchone()


_MESSAGES: LiteralString = """
    SELECT m.id, m.direction, m.content, m.sent_at, m.read_at, l.id AS lead_id
    FROM message m LEFT JOIN lead l ON l.workspace_id = m.workspace_id AND l.id = m.lead_id
    WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
"""


async def messages(
    connection: Connection,
    workspace_id: str,
    conversation_id: str,
    *,
    behind: Continuation | None,
    limit: int,
    newest_first: bool,
) -> Sequence[Message]:
    """Those of a conversation in order of time, behind a place."""
    after: LiteralString = " AND (m.sent_at, m.id) > (%(place)s, %(id)s)"
    before: LiteralString = " AND (m.sent_at, m.id) < (%(place)s, %(id)s)"
    statement = (
        _MESSAGES
        + ("" if behind is None else before if newest_first else after)
        + (" ORDER BY m.sent_at DESC, m.id DESC" if newest_first else " ORDER BY m.sent_at, m.id")
        + " LIMIT %(limit)s"
    )
    names = {"workspace": workspace_id, "conversation": conversation_id, "limit": limit}
    place = {} if behind is None else {"place": behind.place, "id": behind.id}
    async with connection.cursor(row_factory=class_row(Message)) as cursor:
        await cursor.execute(statement, {**names, **place})
        return await cursor.fetchall()


async def lock(connection: Connection, workspace_id: str, conversation_id: str) -> bool:
    """Whether there is such a conversation with a message; none is added to it until the transaction ends."""
    cursor = await connection.execute(
        """
        SELECT FROM conversation WHERE workspace_id = %s AND id = %s AND last_direction IS NOT NULL
        FOR NO KEY UPDATE
        """,
        (workspace_id, conversation_id),
    )
    return await cursor.fetchone() is not None


async def place_of(
    connection: Connection, workspace_id: str, conversation_id: str, message_id: str
) -> Continuation | None:
    """Where a message stands in its conversation."""
    cursor = await connection.execute(
        "SELECT sent_at, id FROM message WHERE workspace_id = %s AND conversation_id = %s AND id = %s",
        (workspace_id, conversation_id, message_id),
    )
    row = await cursor.fetchone()
    return Continuation(row[0], row[1]) if row else None


_UP_TO: LiteralString = " AND (sent_at, id) <= (%(place)s, %(id)s)"


async def mark_read(
    connection: Connection, workspace_id: str, conversation_id: str, up_to: Continuation | None, now: datetime
) -> tuple[int, int]:
    """Marks what a locked conversation has unread, up to a place in it; how many that were, and how many are left."""
    statement: LiteralString = """
        UPDATE message SET read_at = %(now)s WHERE workspace_id = %(workspace)s
        AND conversation_id = %(conversation)s AND direction = 'received' AND read_at IS NULL
        """ + ("" if up_to is None else _UP_TO)
    names = {"workspace": workspace_id, "conversation": conversation_id, "now": now}
    place = {} if up_to is None else {"place": up_to.place, "id": up_to.id}
    marked = (await connection.execute(statement, {**names, **place})).rowcount
    cursor = await connection.execute(
        """
        UPDATE conversation SET unread_count = unread_count - %(marked)s,
            updated_at = CASE WHEN %(marked)s > 0 THEN greatest(updated_at, %(now)s) ELSE updated_at END
        WHERE workspace_id = %(workspace)s AND id = %(conversation)s RETURNING unread_count
        """,
        {**names, "marked": marked},
    )
    row = await cursor.fetchone()
    assert row is not None
    return marked, row[0]
