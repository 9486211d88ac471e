"""The SQL of forgetting by age, of all workspaces: each function removes up to ``limit`` rows and answers how many.

Each is one statement over a room's table, like erasing: what may go by age is a question about the whole.
"""

from datetime import datetime

from leadwright.postgres.pool import Connection


async def take_duty(connection: Connection) -> bool:
    """Whether this transaction has the duty: one process at a time forgets."""
    cursor = await connection.execute("SELECT 1 FROM duty WHERE name = 'forget_old' FOR UPDATE SKIP LOCKED")
    return await cursor.fetchone() is not None


async def forget_history(connection: Connection, before: datetime, limit: int) -> int:
    """A lead's first entry is its import's, and stays."""
    cursor = await connection.execute(
        """
        DELETE FROM history WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM history WHERE at < %s LIMIT %s FOR UPDATE SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount


async def forget_events(connection: Connection, before: datetime, limit: int) -> int:
    """Not one that is still to be published or delivered: an endpoint that was down for long gets it all the same."""
    cursor = await connection.execute(
        """
        DELETE FROM event WHERE ctid = ANY(ARRAY(
            SELECT e.ctid FROM event e
            WHERE e.created_at < %s AND e.position IS NOT NULL AND NOT EXISTS (
                SELECT FROM webhook_delivery d
                WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id AND d.status = 'pending')
            LIMIT %s FOR UPDATE SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount


async def forget_messages(connection: Connection, before: datetime, limit: int) -> int:
    cursor = await connection.execute(
        """
        DELETE FROM message WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM message WHERE sent_at < %s LIMIT %s FOR UPDATE SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount


async def forget_last_messages(connection: Connection, before: datetime, limit: int) -> int:
    """What a conversation shows of its last message; the conversation stays."""
    cursor = await connection.execute(
        """
        UPDATE conversation SET last_content = NULL WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM conversation WHERE last_activity_at < %s AND last_content IS NOT NULL
            LIMIT %s FOR UPDATE SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount


async def forget_texts_of_deeds(connection: Connection, before: datetime, limit: int) -> int:
    """What a finished deed said; that it was done stays."""
    cursor = await connection.execute(
        """
        UPDATE action SET content = '{}' WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM action WHERE finished_at < %s AND content <> '{}' LIMIT %s FOR UPDATE SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount


async def forget_import_rows(connection: Connection, before: datetime, limit: int) -> int:
    """Rows that were not added. The import's numbers stay, for its leads keep their source."""
    cursor = await connection.execute(
        """
        DELETE FROM lead_import_outcome WHERE ctid = ANY(ARRAY(
            SELECT o.ctid FROM lead_import i
            JOIN lead_import_outcome o ON o.workspace_id = i.workspace_id AND o.import_id = i.id
            WHERE i.created_at < %s LIMIT %s FOR UPDATE OF o SKIP LOCKED))
        """,
        (before, limit),
    )
    return cursor.rowcount
