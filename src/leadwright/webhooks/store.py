"""The SQL of endpoints and of the log of their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg.rows import class_row

from leadwright import ids
from leadwright.postgres.pool import Connection
from leadwright.webhooks.model import Delivery, DeliveryStatus, EventNames, Settings, Webhook

MOST_COUNTED = 10_000
CLOCKS_AGREE_WITHIN = 86_400
"""Seconds by which a delivery's time and the time in its id may differ, generously."""
FIRST_ID, LAST_ID = "0" * 32, "f" * 32


@dataclass(frozen=True, slots=True)
class Row:
    """An endpoint as it is stored; ``headers`` are sealed."""

    id: str
    name: str
    url: str
    events: list[str]
    event_names: str
    enabled: bool
    disabled_reason: str | None
    headers: str | None
    previous_until: datetime | None
    accepted_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    probe_at: datetime | None
    created_at: datetime
    updated_at: datetime
    pending: int

    def webhook(self, headers: dict[str, str]) -> Webhook:
        names = EventNames(self.event_names)
        settings = Settings(self.name, self.url, tuple(self.events), names, self.enabled, headers)
        return Webhook(
            id=self.id,
            settings=settings,
            disabled_reason=self.disabled_reason,
            accepted_at=self.accepted_at,
            paused_at=self.paused_at,
            pause_reason=self.pause_reason,
            probe_at=self.probe_at,
            previous_until=self.previous_until,
            created_at=self.created_at,
            updated_at=self.updated_at,
            pending=self.pending,
        )


_ROW: LiteralString = """
    SELECT w.id, w.name, w.url, w.events, w.event_names, w.enabled, w.disabled_reason, w.headers,
           w.previous_until, w.accepted_at, w.paused_at, w.pause_reason,
           w.probe_at, w.created_at, w.updated_at,
           (SELECT count(*) FROM (
               SELECT FROM webhook_delivery d
               WHERE d.workspace_id = w.workspace_id AND d.webhook_id = w.id AND d.status = 'pending'
               LIMIT 10000) AS waiting)::int AS pending
    FROM webhook w
"""


async def webhooks(connection: Connection, workspace_id: str) -> list[Row]:
    """All of a workspace, oldest first. Pending deliveries are counted up to ``MOST_COUNTED``."""
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(_ROW + " WHERE w.workspace_id = %s ORDER BY w.id", (workspace_id,))
        return await cursor.fetchall()


async def webhook(connection: Connection, workspace_id: str, webhook_id: str) -> Row | None:
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(_ROW + " WHERE w.workspace_id = %s AND w.id = %s", (workspace_id, webhook_id))
        return await cursor.fetchone()


async def lock(connection: Connection, workspace_id: str, webhook_id: str, *, alone: bool = False) -> bool:
    """Holds the endpoint; ``alone`` also against those who are making deliveries for it. False when there is none."""
    statement: LiteralString = "SELECT 1 FROM webhook WHERE workspace_id = %s AND id = %s "
    cursor = await connection.execute(
        statement + ("FOR UPDATE" if alone else "FOR NO KEY UPDATE"), (workspace_id, webhook_id)
    )
    return await cursor.fetchone() is not None


async def count(connection: Connection, workspace_id: str) -> int:
    cursor = await connection.execute("SELECT count(*) FROM webhook WHERE workspace_id = %s", (workspace_id,))
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def insert(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    settings: Settings,
    *,
    sealed_headers: str | None,
    sealed_secret: str,
    now: datetime,
) -> None:
    await connection.execute(
        """
        INSERT INTO webhook (workspace_id, id, name, url, events, event_names, enabled, headers, secret, created_at,
            updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            workspace_id,
            webhook_id,
            settings.name,
            settings.url,
            list(settings.events),
            settings.event_names,
            settings.enabled,
            sealed_headers,
            sealed_secret,
            now,
            now,
        ),
    )


async def update(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    settings: Settings,
    sealed_headers: str | None,
    now: datetime,
) -> None:
    await connection.execute(
        """
        UPDATE webhook SET name = %s, url = %s, events = %s, event_names = %s, headers = %s, updated_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (
            settings.name,
            settings.url,
            list(settings.events),
            settings.event_names,
            sealed_headers,
            now,
            workspace_id,
            webhook_id,
        ),
    )


async def enable(connection: Connection, workspace_id: str, webhook_id: str, now: datetime) -> None:
    """It goes on, whether a person, a 410 or a pause had stopped it."""
    await connection.execute(
        """
        UPDATE webhook SET enabled = true, disabled_reason = NULL, paused_at = NULL, pause_reason = NULL,
            probe_at = NULL, updated_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (now, workspace_id, webhook_id),
    )


async def disable(connection: Connection, workspace_id: str, webhook_id: str, now: datetime) -> None:
    await connection.execute(
        """
        UPDATE webhook SET enabled = false, disabled_reason = coalesce(disabled_reason, 'by_person'), updated_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (now, workspace_id, webhook_id),
    )


async def rotate(
    connection: Connection, workspace_id: str, webhook_id: str, sealed_secret: str, until: datetime, now: datetime
) -> None:
    """The present secret becomes the previous one, which the endpoint is still taken to know."""
    await connection.execute(
        """
        UPDATE webhook SET previous_secret = secret, secret = %s, previous_until = %s, accepts_previous = true,
            updated_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (sealed_secret, until, now, workspace_id, webhook_id),
    )


async def delete(connection: Connection, workspace_id: str, webhook_id: str) -> None:
    """With its deliveries; the endpoint is locked alone."""
    await connection.execute("DELETE FROM webhook_stream WHERE webhook_id = %s", (webhook_id,))
    await connection.execute(
        "DELETE FROM webhook_delivery WHERE workspace_id = %s AND webhook_id = %s", (workspace_id, webhook_id)
    )
    await connection.execute("DELETE FROM webhook WHERE workspace_id = %s AND id = %s", (workspace_id, webhook_id))


_DELIVERY: LiteralString = """
    SELECT d.id, d.event_id, d.event_type, d.status, d.attempts, d.created_at,
           CASE WHEN d.status = 'pending' AND w.enabled THEN coalesce(w.probe_at, s.due_at) END AS next_attempt_at
    FROM webhook_delivery d
    JOIN webhook w ON w.workspace_id = d.workspace_id AND w.id = d.webhook_id
    LEFT JOIN webhook_stream s ON s.webhook_id = d.webhook_id AND s.stream = d.stream
"""


async def deliveries(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    *,
    status: DeliveryStatus | None,
    before: str | None,
    limit: int,
) -> list[Delivery]:
    """The newest first, older than the id ``before``."""
    filters: LiteralString = " WHERE d.workspace_id = %(workspace)s AND d.webhook_id = %(webhook)s"
    if before is not None:
        filters += " AND d.id < %(before)s"
    if status is not None:
        filters += " AND d.status = %(status)s"
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(
            _DELIVERY + filters + " ORDER BY d.id DESC LIMIT %(limit)s",
            {
                "workspace": workspace_id,
                "webhook": webhook_id,
                "before": before,
                "status": status,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def delivery(connection: Connection, workspace_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
    async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(
            _DELIVERY + " WHERE d.workspace_id = %s AND d.webhook_id = %s AND d.id = %s",
            (workspace_id, webhook_id, delivery_id),
        )
        return await cursor.fetchone()


async def insert_test(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    *,
    delivery_id: str,
    event_id: str,
    event_type: str,
    body: str,
    lease_until: datetime,
    now: datetime,
) -> None:
    """A test's delivery, in a stream of its own that is leased to who made it."""
    stream = f"test_{delivery_id}"
    await connection.execute(
        """
        INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, event_type, stream, position, test_body,
            created_at)
        VALUES (%s, %s, %s, %s, %s, %s, 0, %s, %s)
        """,
        (workspace_id, delivery_id, webhook_id, event_id, event_type, stream, body, now),
    )
    await connection.execute(
        "INSERT INTO webhook_stream (webhook_id, stream, workspace_id, due_at) VALUES (%s, %s, %s, %s)",
        (webhook_id, stream, workspace_id, lease_until),
    )


async def finish_test(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    delivery_id: str,
    *,
    attempts: Sequence[dict[str, Any]],
    status: DeliveryStatus,
    now: datetime,
) -> None:
    """A test is tried once, whatever comes of it."""
    await connection.execute(
        """
        UPDATE webhook_delivery SET attempts = attempts || %s::jsonb, status = %s, finished_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (msgspec.json.encode(attempts).decode(), status, now, workspace_id, delivery_id),
    )
    await connection.execute(
        "DELETE FROM webhook_stream WHERE webhook_id = %s AND stream = %s", (webhook_id, f"test_{delivery_id}")
    )


async def redeliver(
    connection: Connection, workspace_id: str, webhook_id: str, delivery_ids: Sequence[str], now: datetime
) -> int:
    """Makes finished deliveries pending again, with all their retries; answers how many. Their attempts stay."""
    cursor = await connection.execute(
        """
        WITH again AS (
            UPDATE webhook_delivery SET status = 'pending', retries_used = 0, first_failed_at = NULL, finished_at = NULL
            WHERE workspace_id = %(workspace)s AND webhook_id = %(webhook)s AND id = ANY(%(ids)s::uuid[])
              AND status <> 'pending'
            RETURNING stream
        ), due AS (
            INSERT INTO webhook_stream AS s (webhook_id, stream, workspace_id, due_at)
            SELECT DISTINCT %(webhook)s::uuid, stream, %(workspace)s::uuid, %(now)s::timestamptz FROM again ORDER BY 2
            ON CONFLICT (webhook_id, stream) DO UPDATE SET workspace_id = s.workspace_id
        )
        SELECT count(*) FROM again
        """,
        {"workspace": workspace_id, "webhook": webhook_id, "ids": list(delivery_ids), "now": now},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def finished_between(
    connection: Connection,
    workspace_id: str,
    webhook_id: str,
    *,
    status: DeliveryStatus | None,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
    limit: int,
) -> list[str]:
    """Finished deliveries that were made in a time range, oldest first, behind the id ``after``.

    Ids hold a time, so what of a long log is far from the range is not looked at.
    """
    begin = ids.least_at(since, seconds=-CLOCKS_AGREE_WITHIN) if since else FIRST_ID
    end = ids.least_at(until, seconds=CLOCKS_AGREE_WITHIN) if until else LAST_ID
    cursor = await connection.execute(
        """
        SELECT id FROM webhook_delivery
        WHERE workspace_id = %(workspace)s AND webhook_id = %(webhook)s AND status <> 'pending'
          AND (%(status)s::delivery_status IS NULL OR status = %(status)s::delivery_status)
          AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s::timestamptz)
          AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s::timestamptz)
          AND id > %(begin)s::uuid AND id < %(end)s::uuid
        ORDER BY id LIMIT %(limit)s
        """,
        {
            "workspace": workspace_id,
            "webhook": webhook_id,
            "status": status,
            "since": since,
            "until": until,
            "begin": max(begin, after or begin),
            "end": end,
            "limit": limit,
        },
    )
    return [row[0] for row in await cursor.fetchall()]
