"""The SQL of deliveries on their way: making them, claiming streams, recording what became of them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg.rows import class_row

from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Subscriber:
    workspace_id: str
    id: str
    events: list[str]
    event_names: str


async def subscribers(connection: Connection, workspace_ids: Sequence[str]) -> list[Subscriber]:
    """The enabled endpoints of some workspaces, which cannot be deleted until the transaction ends."""
    async with connection.cursor(row_factory=class_row(Subscriber)) as cursor:
        await cursor.execute(
            """
            SELECT workspace_id, id, events, event_names FROM webhook
            WHERE workspace_id = ANY(%s::uuid[]) AND enabled
            ORDER BY id FOR KEY SHARE
            """,
            (list(workspace_ids),),
        )
        return await cursor.fetchall()


@dataclass(frozen=True, slots=True)
class NewDelivery:
    id: str
    workspace_id: str
    webhook_id: str
    event_id: str
    event_type: str
    stream: str
    position: int


async def insert(connection: Connection, deliveries: Sequence[NewDelivery], now: datetime) -> None:
    """Stores deliveries and makes their streams due, if they were not waiting already.

    Streams are touched in one order, and each that is there is locked: the deliverer that is finishing it then either
    has deleted its row, or will see what is new.
    """
    await connection.execute(
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                id uuid, workspace_id uuid, webhook_id uuid, event_id uuid, event_type text, stream text,
                position bigint)
        ), made AS (
            INSERT INTO webhook_delivery (workspace_id, id, webhook_id, event_id, event_type, stream, position,
                created_at)
            SELECT workspace_id, id, webhook_id, event_id, event_type, stream, position, %(now)s FROM given
        )
        INSERT INTO webhook_stream AS s (webhook_id, stream, workspace_id, due_at)
        SELECT webhook_id, stream, workspace_id, %(now)s FROM given
        GROUP BY webhook_id, stream, workspace_id ORDER BY webhook_id, stream
        ON CONFLICT (webhook_id, stream) DO UPDATE SET workspace_id = s.workspace_id
        """,
        {"rows": msgspec.json.encode(deliveries).decode(), "now": now},
    )


async def without_waiting_for_the_disk(connection: Connection) -> None:
    """Makes this transaction's commit one that a crash of the database, not of this process, may undo.

    Good for what is claimed and for what became of it, since either is lost without harm: the delivery goes out again,
    with the same id and the same bytes, which is what at least once means. Events and their deliveries wait.
    """
    await connection.execute("SELECT set_config('synchronous_commit', 'off', true)")


class Leased(msgspec.Struct, frozen=True):
    """A stream that this process may work on until its lease ends; ``token`` fences off what comes later."""

    webhook_id: str
    stream: str
    token: int


def _new_token() -> int:
    """Of one claim, and unlike every other: a stream's row may have gone and come again meanwhile, or a crash of the
    database may have undone a claim, so a number that counts up could be given out twice."""
    return secrets.randbits(62)


async def claim(
    connection: Connection, now: datetime, lease_until: datetime, *, free: dict[str, int], of_others: int, most: int
) -> list[Leased]:
    """Leases due streams of active endpoints: of each as many as ``free`` says, else ``of_others``.

    Each endpoint is asked by itself, so one with a million waiting streams hides none of another's; and in no order, so
    that when there is not room for all it is not always the same ones that wait.
    """
    token = _new_token()
    cursor = await connection.execute(
        """
            WITH due AS MATERIALIZED (
                SELECT s.webhook_id, s.stream
                FROM (
                    SELECT id FROM webhook WHERE enabled AND paused_at IS NULL ORDER BY random()
                ) w
                CROSS JOIN LATERAL (
                    SELECT webhook_id, stream FROM webhook_stream
                    WHERE webhook_id = w.id AND due_at <= %(now)s
                    ORDER BY due_at
                    LIMIT coalesce((%(free)s::jsonb ->> replace(w.id::text, '-', ''))::int, %(of_others)s)
                    FOR UPDATE SKIP LOCKED
                ) s
                LIMIT %(most)s
            )
            UPDATE webhook_stream s SET due_at = %(lease)s, token = %(token)s
            FROM due WHERE s.webhook_id = due.webhook_id AND s.stream = due.stream
            RETURNING s.webhook_id, s.stream
            """,
        {
            "now": now,
            "lease": lease_until,
            "token": token,
            "free": msgspec.json.encode(free).decode(),
            "of_others": of_others,
            "most": most,
        },
    )
    return [Leased(webhook_id, stream, token) for webhook_id, stream in await cursor.fetchall()]


async def claim_probes(connection: Connection, now: datetime, lease_until: datetime) -> list[Leased]:
    """Of each paused endpoint whose time has come: the stream that was tried longest ago.

    So in turn, for the endpoint may be well and only refuse what is first.
    """
    token = _new_token()
    cursor = await connection.execute(
        """
            WITH due AS MATERIALIZED (
                SELECT id FROM webhook WHERE enabled AND paused_at IS NOT NULL AND probe_at <= %(now)s
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
            ), probed AS (
                UPDATE webhook SET probe_at = %(lease)s FROM due WHERE webhook.id = due.id RETURNING webhook.id
            ), first AS (
                SELECT p.id AS webhook_id, s.stream FROM probed p CROSS JOIN LATERAL (
                    SELECT stream FROM webhook_stream WHERE webhook_id = p.id
                    ORDER BY due_at LIMIT 1) s
            )
            UPDATE webhook_stream s SET due_at = %(lease)s, token = %(token)s
            FROM first WHERE s.webhook_id = first.webhook_id AND s.stream = first.stream
            RETURNING s.webhook_id, s.stream
            """,
        {"now": now, "lease": lease_until, "token": token},
    )
    return [Leased(webhook_id, stream, token) for webhook_id, stream in await cursor.fetchall()]


class Head(msgspec.Struct, frozen=True):
    """The first pending delivery of a leased stream, with its event. ``place`` is that of the lease, from 1."""

    place: int
    delivery_id: str
    test_body: str | None
    retries_used: int
    event_id: str
    told_type: str
    event_type: str | None
    event_data: str | None
    event_simulated: bool | None
    event_at: datetime | None
    event_by_caller: bool | None


async def heads(connection: Connection, leased: Sequence[Leased]) -> list[Head]:
    """To be asked after ``claim``, as a statement of its own: its snapshot must be younger than the leases."""
    cursor = await connection.execute(
        """
        SELECT g.place, d.id, d.test_body::text, d.retries_used, d.event_id, d.event_type, e.type::text, e.data::text,
               e.simulated, e.created_at, e.by_caller
        FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (webhook_id uuid, stream text))
            WITH ORDINALITY AS g(webhook_id, stream, place)
        CROSS JOIN LATERAL (
            SELECT * FROM webhook_delivery d
            WHERE d.webhook_id = g.webhook_id AND d.stream = g.stream AND d.status = 'pending'
            ORDER BY d.position, d.id LIMIT 1
        ) d
        LEFT JOIN event e ON e.workspace_id = d.workspace_id AND e.id = d.event_id
        """,
        (msgspec.json.encode(leased).decode(),),
    )
    return [Head(*row) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is and how it is signed for; ``secret``, ``previous_secret`` and ``headers`` are sealed."""

    id: str
    workspace_id: str
    url: str
    secret: str
    previous_secret: str | None
    previous_until: datetime | None
    accepts_previous: bool
    headers: str | None
    updated_at: datetime


async def addresses(connection: Connection, webhook_ids: Sequence[str]) -> dict[str, Address]:
    """Those of the endpoints that have not been deleted."""
    async with connection.cursor(row_factory=class_row(Address)) as cursor:
        await cursor.execute(
            """
            SELECT id, workspace_id, url, secret, previous_secret, previous_until, accepts_previous, headers, updated_at
            FROM webhook WHERE id = ANY(%s::uuid[])
            """,
            (list(webhook_ids),),
        )
        return {each.id: each for each in await cursor.fetchall()}


@dataclass(slots=True)
class Standing:
    """An endpoint under its lock, to be kept as this transaction has it."""

    id: str
    workspace_id: str
    accepted_at: datetime | None
    paused_at: datetime | None


async def lock_webhooks(connection: Connection, webhook_ids: Sequence[str]) -> dict[str, Standing]:
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(
            """
            SELECT id, workspace_id, accepted_at, paused_at FROM webhook WHERE id = ANY(%s::uuid[])
            ORDER BY id FOR NO KEY UPDATE
            """,
            (list(webhook_ids),),
        )
        return {each.id: each for each in await cursor.fetchall()}


async def lock_streams(connection: Connection, leased: Sequence[Leased]) -> set[tuple[str, str]]:
    """Those of the streams that are still this process's; the others' leases have passed on."""
    cursor = await connection.execute(
        """
        SELECT s.webhook_id, s.stream FROM webhook_stream s
        JOIN jsonb_to_recordset(%s::jsonb) AS g(webhook_id uuid, stream text, token bigint)
            ON g.webhook_id = s.webhook_id AND g.stream = s.stream AND g.token = s.token
        ORDER BY s.webhook_id, s.stream FOR UPDATE OF s
        """,
        (msgspec.json.encode(leased).decode(),),
    )
    return {(webhook_id, stream) for webhook_id, stream in await cursor.fetchall()}


async def first_failures(connection: Connection, deliveries: Sequence[tuple[str, str]]) -> dict[str, datetime | None]:
    """When each delivery, given with its workspace, failed first."""
    cursor = await connection.execute(
        """
        SELECT d.id, d.first_failed_at FROM webhook_delivery d
        JOIN jsonb_to_recordset(%s::jsonb) AS g(w uuid, d uuid) ON g.w = d.workspace_id AND g.d = d.id
        """,
        (msgspec.json.encode([{"w": w, "d": d} for w, d in deliveries]).decode(),),
    )
    return dict(await cursor.fetchall())


class Change(msgspec.Struct, frozen=True):
    """What to write of one delivery. ``due_at`` None: the stream goes on with its next."""

    workspace_id: str
    delivery_id: str
    webhook_id: str
    stream: str
    attempts: list[dict[str, Any]]
    status: str
    retries_used: int
    first_failed_at: datetime | None
    due_at: datetime | None


MOST_ATTEMPTS = 100
"""Attempts that the log keeps of one delivery: the last ones. One that waits out a long outage is probed for days."""


async def record(connection: Connection, changes: Sequence[Change], now: datetime) -> None:
    """Writes attempts, statuses, and when each stream is due; a stream with nothing pending is gone.

    The streams are locked by this transaction.
    """
    await connection.execute(
        """
        UPDATE webhook_delivery d SET
            attempts = CASE WHEN jsonb_array_length(d.attempts) < %(most)s THEN d.attempts || g.attempts
                ELSE (d.attempts - 0) || g.attempts END,
            status = g.status, retries_used = g.retries_used,
            first_failed_at = g.first_failed_at,
            finished_at = CASE WHEN g.status = 'pending' THEN NULL ELSE %(now)s END
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS g(workspace_id uuid, delivery_id uuid, attempts jsonb,
            status delivery_status, retries_used smallint, first_failed_at timestamptz)
        WHERE d.workspace_id = g.workspace_id AND d.id = g.delivery_id AND d.status = 'pending'
        """,
        {"rows": msgspec.json.encode(changes).decode(), "now": now, "most": MOST_ATTEMPTS},
    )
    await pass_on(connection, [(change.webhook_id, change.stream, change.due_at) for change in changes], now)


async def pass_on(connection: Connection, streams: Sequence[tuple[str, str, datetime | None]], now: datetime) -> None:
    """When each of the streams, which this transaction has locked, is due again; None: now, for its next delivery.

    A stream with nothing pending is gone. As a statement of its own it sees what was added before the lock was had.
    """
    rows = [{"webhook_id": webhook, "stream": stream, "due_at": due} for webhook, stream, due in streams]
    await connection.execute(
        """
        WITH given AS MATERIALIZED (
            SELECT g.webhook_id, g.stream, g.due_at, EXISTS (
                SELECT FROM webhook_delivery d
                WHERE d.webhook_id = g.webhook_id AND d.stream = g.stream AND d.status = 'pending') AS waiting
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS g(webhook_id uuid, stream text, due_at timestamptz)
        ), ended AS (
            DELETE FROM webhook_stream s USING given g
            WHERE s.webhook_id = g.webhook_id AND s.stream = g.stream AND NOT g.waiting
        )
        UPDATE webhook_stream s SET due_at = coalesce(g.due_at, %(now)s), token = s.token + 1
        FROM given g WHERE s.webhook_id = g.webhook_id AND s.stream = g.stream AND g.waiting
        """,
        {"rows": msgspec.json.encode(rows).decode(), "now": now},
    )


async def hurry(connection: Connection, webhook_ids: Sequence[str], now: datetime) -> None:
    """Makes due what waits for its next attempt at these endpoints, which go on after a pause.

    Streams that somebody has locked are left: a publisher may hold one and wait for another that this holds.
    """
    await connection.execute(
        """
        WITH waiting AS MATERIALIZED (
            SELECT webhook_id, stream FROM webhook_stream WHERE webhook_id = ANY(%s::uuid[]) AND due_at > %s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE webhook_stream s SET due_at = %s FROM waiting w
        WHERE s.webhook_id = w.webhook_id AND s.stream = w.stream
        """,
        (list(webhook_ids), now, now),
    )


async def release(connection: Connection, leased: Sequence[Leased], now: datetime) -> None:
    """Gives streams back that were leased and not worked on."""
    await connection.execute(
        """
        UPDATE webhook_stream s SET due_at = %s, token = s.token + 1
        FROM jsonb_to_recordset(%s::jsonb) AS g(webhook_id uuid, stream text, token bigint)
        WHERE g.webhook_id = s.webhook_id AND g.stream = s.stream AND g.token = s.token
        """,
        (now, msgspec.json.encode(leased).decode()),
    )


async def accepted(connection: Connection, by_previous: dict[str, bool], now: datetime) -> None:
    """Endpoints, locked by this transaction, took a delivery: they go on if they were paused, and the secret that each
    knows is remembered."""
    await connection.execute(
        """
        UPDATE webhook SET accepted_at = %s, accepts_previous = g.previous::boolean, paused_at = NULL,
            pause_reason = NULL, probe_at = NULL
        FROM jsonb_each_text(%s::jsonb) AS g(webhook, previous) WHERE id = g.webhook::uuid
        """,
        (now, msgspec.json.encode(by_previous).decode()),
    )


async def pause(connection: Connection, webhook_id: str, now: datetime, probe_at: datetime, reason: str) -> None:
    """Nothing but probes goes out from now on; of a paused endpoint, when the next probe is."""
    await connection.execute(
        """
        UPDATE webhook SET paused_at = coalesce(paused_at, %s), probe_at = %s, pause_reason = %s
        WHERE id = %s AND enabled
        """,
        (now, probe_at, reason, webhook_id),
    )


async def disable(connection: Connection, webhook_id: str, now: datetime, reason: str) -> None:
    await connection.execute(
        "UPDATE webhook SET enabled = false, disabled_reason = %s, updated_at = %s WHERE id = %s",
        (reason, now, webhook_id),
    )


async def forget_finished(connection: Connection, before: datetime, limit: int = 1000) -> int:
    """Deletes up to ``limit`` deliveries that ended before a time; answers how many."""
    cursor = await connection.execute(
        """
        DELETE FROM webhook_delivery WHERE (workspace_id, id) IN (
            SELECT workspace_id, id FROM webhook_delivery WHERE finished_at < %s ORDER BY finished_at LIMIT %s)
        """,
        (before, limit),
    )
    return cursor.rowcount
