"""The SQL of senders' health: out, back, and failures in a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from leadwright.postgres.pool import Connection

if TYPE_CHECKING:
    from leadwright.senders.health import Rest, Run


async def rest(connection: Connection, workspace_id: str, rests: "Sequence[Rest]", now: datetime) -> None:
    """Takes senders out, one row each; a person's word (a rest without end) stands before a passing one."""
    await connection.execute(
        """
        WITH chosen AS MATERIALIZED (
            SELECT s.id, r.status, r.reason, r.until FROM sender s
            JOIN jsonb_to_recordset(%s::jsonb) AS r(sender_id uuid, status sender_status, reason text,
                until timestamptz) ON r.sender_id = s.id
            WHERE s.workspace_id = %s AND (s.status = 'active' OR s.status_until IS NOT NULL)
            ORDER BY s.id FOR NO KEY UPDATE OF s
        )
        UPDATE sender s SET status = c.status, status_reason = c.reason, status_until = c.until, updated_at = %s
        FROM chosen c WHERE s.workspace_id = %s AND s.id = c.id
        """,
        (msgspec.json.encode(rests).decode(), workspace_id, now, workspace_id),
    )


async def count_failures(connection: Connection, workspace_id: str, runs: "Sequence[Run]") -> Mapping[str, int]:
    """Adds runs to the failures in a row, and answers those of the senders for whom that changed something."""
    if not runs:
        return {}
    cursor = await connection.execute(
        """
        WITH chosen AS MATERIALIZED (
            SELECT s.id, r.failures + CASE WHEN r.succeeded THEN 0 ELSE s.failures END AS failures
            FROM sender s JOIN jsonb_to_recordset(%s::jsonb) AS r(sender_id uuid, failures integer, succeeded boolean)
                ON r.sender_id = s.id
            WHERE s.workspace_id = %s AND (r.failures > 0 OR s.failures > 0)
            ORDER BY s.id FOR NO KEY UPDATE OF s
        )
        UPDATE sender s SET failures = c.failures FROM chosen c WHERE s.workspace_id = %s AND s.id = c.id
        RETURNING s.id, s.failures
        """,
        (msgspec.json.encode(runs).decode(), workspace_id, workspace_id),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def forget_failures(connection: Connection, workspace_id: str, sender_id: str) -> None:
    await connection.execute(
        "UPDATE sender SET failures = 0 WHERE workspace_id = %s AND id = %s", (workspace_id, sender_id)
    )


async def restore(connection: Connection, now: datetime) -> Mapping[str, list[str]]:
    """Makes active again whose rest is over; answers them by workspace."""
    cursor = await connection.execute(
        """
        UPDATE sender SET status = 'active', status_reason = NULL, status_until = NULL, updated_at = %(now)s
        WHERE status <> 'active' AND status_until <= %(now)s AND removed_at IS NULL RETURNING workspace_id, id
        """,
        {"now": now},
    )
    found: dict[str, list[str]] = {}
    for workspace_id, sender_id in await cursor.fetchall():
        found.setdefault(workspace_id, []).append(sender_id)
    return found
