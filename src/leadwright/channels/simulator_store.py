"""The SQL of the simulated network: what was done in it, and what its people will do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from leadwright.channels.channel import Deed, InboundFact
from leadwright.engine.sequence import StepType
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Load:
    """How many deeds a sender did in the 24 hours before a moment, and when the first of them."""

    deeds: int
    eldest: datetime | None


async def keep(connection: Connection, deed: Deed, facts: Sequence[InboundFact]) -> None:
    """Writes down a deed with what will come of it, once. Nobody accepts an invitation that it withdraws."""
    await connection.execute(
        """
        WITH deed AS (
            INSERT INTO simulated_deed (workspace_id, sender_id, id, performed_at)
            VALUES (%(workspace)s, %(sender)s, %(id)s, %(now)s) ON CONFLICT DO NOTHING RETURNING id
        ), withdrawn AS (
            DELETE FROM simulated_fact f USING deed
            WHERE %(withdraws)s AND f.workspace_id = %(workspace)s AND f.sender_id = %(sender)s
                AND f.linkedin_url = %(url)s AND f.type = 'connection_accepted' AND f.due_at > %(now)s
        )
        INSERT INTO simulated_fact (workspace_id, sender_id, external_id, type, linkedin_url, text, due_at)
        SELECT %(workspace)s, %(sender)s, r.external_id, r.type, r.linkedin_url, r.text, r.occurred_at
        FROM deed CROSS JOIN jsonb_to_recordset(%(facts)s::jsonb)
            AS r(external_id text, type text, linkedin_url text, text text, occurred_at timestamptz)
        """,
        {
            "workspace": deed.workspace_id,
            "sender": deed.sender.id,
            "id": deed.id,
            "url": deed.linkedin_url,
            "withdraws": deed.kind is StepType.WITHDRAW_CONNECTION,
            "now": deed.at,
            "facts": msgspec.json.encode(facts).decode(),
        },
    )


async def is_kept(connection: Connection, deed: Deed) -> bool:
    cursor = await connection.execute(
        "SELECT 1 FROM simulated_deed WHERE workspace_id = %s AND sender_id = %s AND id = %s",
        (deed.workspace_id, deed.sender.id, deed.id),
    )
    return await cursor.fetchone() is not None


async def load(connection: Connection, deed: Deed, most: int) -> Load:
    """Of the deed's sender, at the deed's time; nobody counts beyond ``most``."""
    cursor = await connection.execute(
        """
        SELECT count(*), min(performed_at) FROM (
            SELECT performed_at FROM simulated_deed
            WHERE workspace_id = %s AND sender_id = %s AND performed_at > %s ORDER BY performed_at LIMIT %s) AS counted
        """,
        (deed.workspace_id, deed.sender.id, deed.at - timedelta(hours=24), most),
    )
    row = await cursor.fetchone()
    assert row is not None
    return Load(*row)


async def in_all(connection: Connection, deed: Deed, most: int) -> int:
    """The deeds of the deed's sender, those that are forgotten too; nobody counts beyond ``most`` of the others."""
    cursor = await connection.execute(
        """
        SELECT (SELECT coalesce(sum(forgotten), 0)::bigint FROM simulated_account
                WHERE workspace_id = %(workspace)s AND sender_id = %(sender)s)
            + (SELECT count(*) FROM (SELECT FROM simulated_deed
                WHERE workspace_id = %(workspace)s AND sender_id = %(sender)s LIMIT %(most)s) AS counted)
        """,
        {"workspace": deed.workspace_id, "sender": deed.sender.id, "most": most},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def forget_before(connection: Connection, before: datetime, limit: int) -> int:
    """Deletes deeds that are older, but not how many they were; answers how many of at most ``limit``."""
    cursor = await connection.execute(
        """
        WITH old AS MATERIALIZED (
            SELECT workspace_id, sender_id, id FROM simulated_deed WHERE performed_at < %s
            LIMIT %s FOR UPDATE SKIP LOCKED
        ), forgotten AS (
            DELETE FROM simulated_deed d USING old
            WHERE d.workspace_id = old.workspace_id AND d.sender_id = old.sender_id AND d.id = old.id
            RETURNING d.workspace_id, d.sender_id
        ), counted AS (
            INSERT INTO simulated_account AS a (workspace_id, sender_id, forgotten)
            SELECT workspace_id, sender_id, count(*) FROM forgotten GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (workspace_id, sender_id) DO UPDATE SET forgotten = a.forgotten + excluded.forgotten
        )
        SELECT count(*) FROM forgotten
        """,
        (before, limit),
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def take_due(connection: Connection, now: datetime, limit: int) -> list[tuple[str, str, InboundFact]]:
    """What people have done by now, the oldest first, each with workspace and sender; taken out in this transaction.

    So each is told once: if the transaction that tells it fails, it is there again.
    """
    cursor = await connection.execute(
        """
        WITH due AS (
            SELECT workspace_id, sender_id, external_id FROM simulated_fact WHERE due_at <= %s
            ORDER BY due_at, external_id LIMIT %s FOR UPDATE SKIP LOCKED
        ), taken AS (
            DELETE FROM simulated_fact f USING due
            WHERE f.workspace_id = due.workspace_id AND f.sender_id = due.sender_id AND f.external_id = due.external_id
            RETURNING f.*
        )
        SELECT workspace_id, sender_id, type, linkedin_url, due_at, text, external_id FROM taken
        ORDER BY due_at, external_id
        """,
        (now, limit),
    )
    return [(row[0], row[1], _fact(row[2:])) for row in await cursor.fetchall()]


def _fact(columns: tuple[Any, ...]) -> InboundFact:
    return InboundFact(*columns)


async def next_due(connection: Connection) -> datetime | None:
    """When somebody next does something: for clocks that jump."""
    cursor = await connection.execute("SELECT min(due_at) FROM simulated_fact")
    row = await cursor.fetchone()
    return row[0] if row else None


async def forget_of_sender(connection: Connection, workspace_id: str, sender_id: str) -> None:
    """What the people of a sender that is gone would have done."""
    await connection.execute(
        "DELETE FROM simulated_fact WHERE workspace_id = %s AND sender_id = %s", (workspace_id, sender_id)
    )
