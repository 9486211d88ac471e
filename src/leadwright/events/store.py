"""The SQL of events: inserting, giving positions, and reading the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import msgspec
from psycopg.rows import TupleRow, class_row

from leadwright.events.model import Event, EventType, NewEvent, Placed
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class FeedSlice:
    """Events in order of position, and the last position of the workspace's feed, seen at one moment."""

    head: int
    events: Sequence[Event]


async def insert(connection: Connection, workspace_id: str, events: Sequence[NewEvent], now: datetime) -> None:
    """Stores events in their order, in one statement."""
    # json and not jsonb: the data are kept as they are written, their fields in order.
    await connection.execute(
        """
        INSERT INTO event (workspace_id, id, type, stream, lead_id, campaign_id, data, simulated, by_caller,
            created_at)
        SELECT %s, id, type, stream, lead_id, campaign_id, data, simulated, by_caller, %s
        FROM ROWS FROM (json_to_recordset(%s::json) AS (id uuid, type event_type, stream text, lead_id uuid,
            campaign_id uuid, data json, simulated boolean, by_caller boolean))
            WITH ORDINALITY AS r(id, type, stream, lead_id, campaign_id, data, simulated, by_caller, place)
        ORDER BY place
        """,
        (workspace_id, now, msgspec.json.encode(events).decode()),
    )


async def take_publishing(connection: Connection) -> bool:
    """Whether there is something to publish and this transaction may: until it ends, no other does.

    With nothing to publish no lock is taken, so that an idle server writes nothing to its disk.
    """
    # With EXISTS the planner scans all events (30 ms for 300,000) when its statistics are from a moment at
    # which many waited; the order makes it take the index's first entry (under 1 ms), whatever they say.
    cursor = await connection.execute(
        """
        SELECT 1 FROM duty
        WHERE name = 'publish_events'
          AND (SELECT seq FROM event WHERE position IS NULL ORDER BY seq LIMIT 1) IS NOT NULL
        FOR UPDATE SKIP LOCKED
        """
    )
    return await cursor.fetchone() is not None


async def give_positions(connection: Connection, limit: int) -> list[Placed]:
    """Places up to ``limit`` waiting events, of all workspaces, at the ends of their feeds; answers them in that order.

    To be called after ``take_publishing`` and as a statement of its own: its snapshot must be younger than
    the lock, or it would place again what the publisher before it has just placed.
    """
    cursor = connection.cursor(row_factory=class_row(Placed))
    await cursor.execute(
        """
        WITH batch AS MATERIALIZED (
            SELECT workspace_id, id, seq FROM event WHERE position IS NULL ORDER BY seq LIMIT %s
        ), head AS (
            INSERT INTO event_head AS h (workspace_id, position)
            SELECT workspace_id, count(*) FROM batch GROUP BY workspace_id
            ON CONFLICT (workspace_id) DO UPDATE SET position = h.position + excluded.position
            RETURNING workspace_id, position
        ), placed AS (
            SELECT workspace_id, batch.id, head.position + 1
                - row_number() OVER (PARTITION BY workspace_id ORDER BY batch.seq DESC) AS position
            FROM batch JOIN head USING (workspace_id)
        )
        UPDATE event SET position = placed.position FROM placed
        WHERE event.workspace_id = placed.workspace_id AND event.id = placed.id
        RETURNING event.workspace_id, event.id, event.type::text, event.stream, event.position
        """,
        (limit,),
    )
    return sorted(await cursor.fetchall(), key=lambda each: (each.workspace_id, each.position))


async def feed(connection: Connection, workspace_id: str, *, after: int, limit: int) -> FeedSlice:
    return await _slice(
        connection,
        """
        SELECT head.position, e.id, e.position, e.type, e.data, e.simulated, e.created_at
        FROM (
            SELECT coalesce(max(position), 0) AS position FROM event_head WHERE workspace_id = %(workspace)s
        ) head
        LEFT JOIN LATERAL (
            SELECT id, position, type, data::text, simulated, created_at FROM event
            WHERE workspace_id = %(workspace)s AND position > %(after)s
            ORDER BY position LIMIT %(limit)s
        ) e ON true
        ORDER BY e.position
        """,
        {"workspace": workspace_id, "after": after, "limit": limit},
    )


async def feed_of_types(
    connection: Connection, workspace_id: str, *, after: int, types: Sequence[EventType], limit: int
) -> FeedSlice:
    """Each type is walked by its own index range, so that a rare type costs no scan over all the others."""
    return await _slice(
        connection,
        """
        SELECT head.position, e.id, e.position, e.type, e.data, e.simulated, e.created_at
        FROM (
            SELECT coalesce(max(position), 0) AS position FROM event_head WHERE workspace_id = %(workspace)s
        ) head
        LEFT JOIN LATERAL (
            SELECT one.* FROM unnest(%(types)s::event_type[]) AS wanted (type)
            CROSS JOIN LATERAL (
                SELECT id, position, type, data::text, simulated, created_at FROM event
                WHERE workspace_id = %(workspace)s AND type = wanted.type AND position > %(after)s
                ORDER BY position LIMIT %(limit)s
            ) one
            ORDER BY one.position LIMIT %(limit)s
        ) e ON true
        ORDER BY e.position
        """,
        {"workspace": workspace_id, "after": after, "limit": limit, "types": [str(name) for name in types]},
    )


async def of_lead(
    connection: Connection, workspace_id: str, lead_id: str, *, after_seq: int = 0, limit: int = 100
) -> list[tuple[int, Event]]:
    """A lead's events in the order they happened, published or not, each with the ``seq`` to go on from."""
    cursor = await connection.execute(
        """
        SELECT seq, id, position, type, data::text, simulated, created_at FROM event
        WHERE workspace_id = %s AND lead_id = %s AND seq > %s ORDER BY seq LIMIT %s
        """,
        (workspace_id, lead_id, after_seq, limit),
    )
    return [(row[0], _event(row[1:])) for row in await cursor.fetchall()]


async def _slice(connection: Connection, query: LiteralString, parameters: dict[str, object]) -> FeedSlice:
    """Reads rows of the head's position and an event; nothing to show is one row without an event."""
    cursor = await connection.execute(query, parameters)
    rows = await cursor.fetchall()
    return FeedSlice(rows[0][0], [_event(row[1:]) for row in rows if row[1] is not None])


def _event(row: TupleRow) -> Event:
    event_id, position, event_type, data, simulated, created_at = row
    return Event(event_id, position, EventType(event_type), data, simulated, created_at)
