"""The SQL of tasks: they are the engine's actions that wait for a person, with what the person needs to do them."""

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg.rows import kwargs_row

from leadwright.postgres import counting
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.tasks.model import State, Task, Wanted

# Leads, campaigns and senders are joined for what is shown of them; this room writes none of these tables.
_TASK: LiteralString = """
    SELECT a.id, CASE WHEN a.state = 'performing' THEN 'open' WHEN a.state = 'done' THEN 'completed'
            WHEN a.state = 'failed' AND a.error_code = 'skipped' THEN 'skipped' ELSE a.state::text END AS state,
        a.kind, a.content, a.linkedin_url, a.sender_id, s.name AS sender_name, a.lead_id, a.campaign_id,
        c.name AS campaign_name, a.step_id, l.first_name, l.last_name, l.company, l.title AS job_title,
        coalesce(a.performing_at, a.planned_at) AS since
"""
_FROM: LiteralString = """
    FROM action a
    JOIN sender s ON s.workspace_id = a.workspace_id AND s.id = a.sender_id
    LEFT JOIN campaign c ON c.workspace_id = a.workspace_id AND c.id = a.campaign_id
"""
_LEAD: LiteralString = "LEFT JOIN lead l ON l.workspace_id = a.workspace_id AND l.id = a.lead_id"
# The state stands in the words of the index action_open.
_OPEN: LiteralString = """
    WHERE a.workspace_id = %(workspace)s AND a.state = 'performing' AND a.awaiting = 'person'
"""
# What an action waited for is not kept. The simulator does a manual_task by itself, others leave it to a person.
_TASK_OR_PAST: LiteralString = """
    WHERE a.workspace_id = %(workspace)s AND a.id = %(id)s AND (a.state = 'performing' AND a.awaiting = 'person'
        OR a.state IN ('done', 'failed', 'cancelled')
            AND (s.channel = 'manual' OR a.kind = 'manual_task' AND s.channel <> 'simulator'))
"""
# Nobody is to go on for a campaign that rests or a sender that is gone; what was done by then can still be told.
_TO_DO: LiteralString = " AND s.removed_at IS NULL AND (a.campaign_id IS NULL OR c.status = 'started')"
_WANTED: LiteralString = """
    AND (%(sender)s::uuid IS NULL OR a.sender_id = %(sender)s)
    AND (%(campaign)s::uuid IS NULL OR a.campaign_id = %(campaign)s)
"""
_NO_ID = "0" * 32


async def page(
    connection: Connection, workspace_id: str, wanted: Wanted, *, after: str | None, offset: int, limit: int
) -> Sequence[Task]:
    """Tasks to be done, in the order of their ids, which is that of their plans, behind the bare id ``after``."""
    async with connection.cursor(row_factory=kwargs_row(_task)) as cursor:
        await cursor.execute(
            _TASK
            + _FROM
            + _LEAD
            + _OPEN
            + _TO_DO
            + _WANTED
            + "AND a.id > %(after)s ORDER BY a.id LIMIT %(limit)s OFFSET %(offset)s",
            _names(workspace_id, wanted) | {"after": after or _NO_ID, "limit": limit, "offset": offset},
        )
        return await cursor.fetchall()


async def count(connection: Connection, workspace_id: str, wanted: Wanted) -> Total:
    rows = "SELECT" + _FROM + _OPEN + _TO_DO + _WANTED
    return await counting.count(connection, rows, _names(workspace_id, wanted))


async def task(connection: Connection, workspace_id: str, task_id: str) -> Task | None:
    """One that is open, also of a campaign that rests by now, or over."""
    async with connection.cursor(row_factory=kwargs_row(_task)) as cursor:
        names = {"workspace": workspace_id, "id": task_id}
        await cursor.execute(_TASK + _FROM + _LEAD + _TASK_OR_PAST, names)
        return await cursor.fetchone()


def _names(workspace_id: str, wanted: Wanted) -> dict[str, object]:
    return {"workspace": workspace_id, "sender": wanted.sender_id, "campaign": wanted.campaign_id}


def _task(state: str, **others: Any) -> Task:
    return Task(state=State(state), **others)
