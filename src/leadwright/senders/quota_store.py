"""The SQL of quotas: one row a sender, kind and period, and one of its pace; each locked before it is counted on.

Locks are taken in the order of the keys, paces before quotas, so that planners, senders of one-off messages and those
who give back wait for each other instead of deadlocking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from leadwright.postgres.pool import Connection

Key = tuple[str, str, str, date]
"""Sender, kind, period, first day."""


async def hold(connection: Connection, workspace_id: str, keys: Sequence[Key]) -> Mapping[Key, int]:
    """How much of each is used; the rows are held until the transaction ends, and made where there are none."""
    if not keys:
        return {}
    names = {"workspace": workspace_id, "rows": _json([(*key, 0) for key in keys])}
    found = await _held(connection, names)
    if len(found) < len(set(keys)):
        await connection.execute(
            """
            INSERT INTO sender_quota (workspace_id, sender_id, kind, period, starts_on)
            SELECT %(workspace)s, s, k, p, d
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(s uuid, k text, p text, d date) ORDER BY s, k, p, d
            ON CONFLICT (workspace_id, sender_id, kind, period, starts_on) DO NOTHING
            """,
            names,
        )
        found = await _held(connection, names)
    return found


async def _held(connection: Connection, names: Mapping[str, str]) -> dict[Key, int]:
    cursor = await connection.execute(
        """
        SELECT q.sender_id, q.kind, q.period, q.starts_on, q.used
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(s uuid, k text, p text, d date)
        JOIN sender_quota q ON q.workspace_id = %(workspace)s AND q.sender_id = r.s AND q.kind = r.k
            AND q.period = r.p AND q.starts_on = r.d
        ORDER BY q.sender_id, q.kind, q.period, q.starts_on FOR NO KEY UPDATE OF q
        """,
        names,
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in await cursor.fetchall()}


async def used(connection: Connection, workspace_id: str, keys: Sequence[Key]) -> Mapping[Key, int]:
    """How much of each is used, nothing held; those without a row are left out."""
    if not keys:
        return {}
    cursor = await connection.execute(
        """
        SELECT q.sender_id, q.kind, q.period, q.starts_on, q.used
        FROM jsonb_to_recordset(%s::jsonb) AS r(s uuid, k text, p text, d date)
        JOIN sender_quota q ON q.workspace_id = %s AND q.sender_id = r.s AND q.kind = r.k
            AND q.period = r.p AND q.starts_on = r.d
        """,
        (_json([(*key, 0) for key in keys]), workspace_id),
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in await cursor.fetchall()}


async def add(connection: Connection, workspace_id: str, counts: Mapping[Key, int]) -> None:
    """Adds to what is used, of rows that the caller holds."""
    await connection.execute(
        """
        UPDATE sender_quota q SET used = greatest(0, q.used + r.n)
        FROM jsonb_to_recordset(%s::jsonb) AS r(s uuid, k text, p text, d date, n integer)
        WHERE q.workspace_id = %s AND q.sender_id = r.s AND q.kind = r.k AND q.period = r.p AND q.starts_on = r.d
        """,
        (_json([(*key, count) for key, count in counts.items()]), workspace_id),
    )


async def note_returned(connection: Connection, workspace_id: str, sender_ids: Iterable[str]) -> None:
    await connection.execute(
        "INSERT INTO sender_quota_returned (workspace_id, sender_id) SELECT %s, unnest(%s::uuid[])",
        (workspace_id, sorted(sender_ids)),
    )


async def take_returned(connection: Connection, limit: int = 1_000) -> Mapping[str, frozenset[str]]:
    """Senders that got quota back and were not answered before, by workspace."""
    cursor = await connection.execute(
        """
        DELETE FROM sender_quota_returned r USING (
            SELECT workspace_id, sender_id, id FROM sender_quota_returned LIMIT %s FOR UPDATE SKIP LOCKED) AS taken
        WHERE r.workspace_id = taken.workspace_id AND r.sender_id = taken.sender_id AND r.id = taken.id
        RETURNING r.workspace_id, r.sender_id
        """,
        (limit,),
    )
    found: dict[str, set[str]] = {}
    for workspace_id, sender_id in await cursor.fetchall():
        found.setdefault(workspace_id, set()).add(sender_id)
    return {workspace_id: frozenset(sender_ids) for workspace_id, sender_ids in found.items()}


async def carry_over(connection: Connection, workspace_id: str, sender_id: str) -> None:
    """What the account of a new sender has done already, as the sender that it had last: one account has one set."""
    await connection.execute(
        """
        WITH last AS (
            SELECT old.id FROM sender new
            JOIN sender old ON old.workspace_id = new.workspace_id AND old.channel = new.channel
                AND old.identity_kind = new.identity_kind AND old.identity_key = new.identity_key
                AND old.removed_at IS NOT NULL
            WHERE new.workspace_id = %(workspace)s AND new.id = %(sender)s
            ORDER BY old.id DESC LIMIT 1
        ), paced AS (
            INSERT INTO sender_pace (workspace_id, sender_id, plan_at, begin_at)
            SELECT p.workspace_id, %(sender)s, p.plan_at, p.begin_at
            FROM sender_pace p JOIN last ON p.sender_id = last.id WHERE p.workspace_id = %(workspace)s
        )
        INSERT INTO sender_quota (workspace_id, sender_id, kind, period, starts_on, used)
        SELECT q.workspace_id, %(sender)s, q.kind, q.period, q.starts_on, q.used
        FROM sender_quota q JOIN last ON q.sender_id = last.id WHERE q.workspace_id = %(workspace)s
        """,
        {"workspace": workspace_id, "sender": sender_id},
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """When a sender's next deed may be planned and when it may begin."""

    plan_at: datetime | None
    begin_at: datetime | None


async def hold_paces(connection: Connection, workspace_id: str, sender_ids: Sequence[str]) -> Mapping[str, Pace]:
    """The paces of senders, held until the transaction ends and made where there are none; None: at any time."""
    ordered = sorted(set(sender_ids))
    if not ordered:
        return {}
    found = await _paces(connection, workspace_id, ordered)
    if len(found) < len(ordered):
        await connection.execute(
            """
            INSERT INTO sender_pace (workspace_id, sender_id) SELECT %s, unnest(%s::uuid[])
            ON CONFLICT (workspace_id, sender_id) DO NOTHING
            """,
            (workspace_id, ordered),
        )
        found = await _paces(connection, workspace_id, ordered)
    return found


async def _paces(connection: Connection, workspace_id: str, sender_ids: Sequence[str]) -> dict[str, Pace]:
    cursor = await connection.execute(
        """
        SELECT sender_id, nullif(plan_at, '-infinity'), nullif(begin_at, '-infinity') FROM sender_pace
        WHERE workspace_id = %s AND sender_id = ANY(%s::uuid[]) ORDER BY sender_id FOR NO KEY UPDATE
        """,
        (workspace_id, list(sender_ids)),
    )
    return {row[0]: Pace(row[1], row[2]) for row in await cursor.fetchall()}


async def pace_plans(connection: Connection, workspace_id: str, next_at: Mapping[str, datetime]) -> None:
    await connection.execute(
        """
        UPDATE sender_pace p SET plan_at = r.at FROM jsonb_to_recordset(%s::jsonb) AS r(s uuid, at timestamptz)
        WHERE p.workspace_id = %s AND p.sender_id = r.s
        """,
        (_moments(next_at), workspace_id),
    )


async def pace_deeds(connection: Connection, workspace_id: str, next_at: Mapping[str, datetime]) -> None:
    await connection.execute(
        """
        UPDATE sender_pace p SET begin_at = r.at FROM jsonb_to_recordset(%s::jsonb) AS r(s uuid, at timestamptz)
        WHERE p.workspace_id = %s AND p.sender_id = r.s
        """,
        (_moments(next_at), workspace_id),
    )


def _moments(at: Mapping[str, datetime]) -> str:
    return msgspec.json.encode([{"s": sender_id, "at": moment} for sender_id, moment in at.items()]).decode()


def _json(rows: Sequence[tuple[str, str, str, date, int]]) -> str:
    named = [{"s": s, "k": k, "p": p, "d": d, "n": n} for s, k, p, d, n in rows]
    return msgspec.json.encode(named).decode()
