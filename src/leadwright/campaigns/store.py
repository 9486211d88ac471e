"""The SQL of campaigns and of the versions of their sequences; the counters' is in ``counters``.

Three locks on a campaign's row keep order. Adding leads holds it FOR KEY SHARE, and an ordinary UPDATE does
not wait for that: nobody who pauses or edits waits for an import. Finishing by itself and deleting take FOR
UPDATE, which does wait: each must see every lead that is being added, or lead and campaign would disagree. A
plain UPDATE is FOR NO KEY UPDATE: the changes of one campaign happen one after another, and their events in
that order.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from leadwright.campaigns import schedule
from leadwright.campaigns.model import Actor, Campaign, MissingVariable, SequenceVersion, Settings, Status
from leadwright.postgres import counting
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection

_CAMPAIGN: LiteralString = """
    SELECT c.id, c.name, c.description, c.sender_ids, c.schedule, s.sequence, c.missing_variable,
        c.acceptance_timeout, c.max_new_leads_per_day, c.approach_despite_other_conversation, c.status,
        c.finished_by, c.pause_reason, c.sequence_version, c.entry_lane_id, c.started_at, c.created_at, c.updated_at
    FROM campaign c JOIN campaign_sequence s
        ON s.workspace_id = c.workspace_id AND s.campaign_id = c.id AND s.version = c.sequence_version
"""


async def insert(
    connection: Connection, workspace_id: str, campaign_id: str, settings: Settings, now: datetime
) -> None:
    """A draft, with version 1 of its sequence and the lane where its leads wait for their first deed."""
    await connection.execute(
        """
        WITH entry AS (
            INSERT INTO lane (workspace_id, campaign_id, kind) VALUES (%(workspace)s, %(id)s, 'enter')
            RETURNING id
        ), version AS (
            INSERT INTO campaign_sequence (workspace_id, campaign_id, version, sequence, created_at)
            VALUES (%(workspace)s, %(id)s, 1, %(sequence)s, %(now)s)
        )
        INSERT INTO campaign (workspace_id, id, name, description, sender_ids, schedule, missing_variable,
            acceptance_timeout, max_new_leads_per_day, approach_despite_other_conversation, entry_lane_id,
            created_at, updated_at)
        SELECT %(workspace)s, %(id)s, %(name)s, %(description)s, %(senders)s::uuid[], %(schedule)s,
            %(missing_variable)s, %(acceptance_timeout)s, %(max_new_leads)s, %(approach)s, entry.id,
            %(now)s, %(now)s
        FROM entry
        """,
        _parameters(workspace_id, campaign_id, settings, now),
    )


async def campaign(connection: Connection, workspace_id: str, campaign_id: str) -> Campaign | None:
    cursor = await connection.execute(
        _CAMPAIGN + "WHERE c.workspace_id = %s AND c.id = %s", (workspace_id, campaign_id)
    )
    row = await cursor.fetchone()
    return None if row is None else _campaign(row)


async def lock(connection: Connection, workspace_id: str, campaign_id: str) -> bool:
    """Whether there is such a campaign; nobody else changes it until the transaction ends, leads can come.

    A statement of its own: if the read waited for the lock, its join would pair the row as it is now with the
    sequence versions as they were, and find nothing.
    """
    cursor = await connection.execute(
        "SELECT 1 FROM campaign WHERE workspace_id = %s AND id = %s FOR NO KEY UPDATE",
        (workspace_id, campaign_id),
    )
    return await cursor.fetchone() is not None


async def lock_alone(connection: Connection, workspace_id: str, campaign_id: str) -> Status | None:
    """Waits for all who are adding leads, and keeps others from it; None when there is no such campaign."""
    cursor = await connection.execute(
        "SELECT status FROM campaign WHERE workspace_id = %s AND id = %s FOR UPDATE",
        (workspace_id, campaign_id),
    )
    row = await cursor.fetchone()
    return None if row is None else Status(row[0])


async def exists(connection: Connection, workspace_id: str, campaign_id: str) -> bool:
    cursor = await connection.execute(
        "SELECT 1 FROM campaign WHERE workspace_id = %s AND id = %s", (workspace_id, campaign_id)
    )
    return await cursor.fetchone() is not None


_ALL: LiteralString = " c.workspace_id = %(workspace)s"
_WITH_STATUS: LiteralString = _ALL + " AND c.status = %(status)s"
_NO_ID = "0" * 32


async def page(
    connection: Connection,
    workspace_id: str,
    *,
    status: Status | None,
    after: str | None,
    offset: int,
    limit: int,
) -> Sequence[Campaign]:
    """Oldest first, behind the bare id ``after``."""
    names = {"workspace": workspace_id, "status": status, "limit": limit, "offset": offset}
    cursor = await connection.execute(
        _CAMPAIGN
        + "WHERE"
        + (_WITH_STATUS if status else _ALL)
        + " AND c.id > %(after)s ORDER BY c.id LIMIT %(limit)s OFFSET %(offset)s",
        {**names, "after": after or _NO_ID},
    )
    return [_campaign(row) for row in await cursor.fetchall()]


async def count(connection: Connection, workspace_id: str, status: Status | None) -> Total:
    rows: LiteralString = "SELECT FROM campaign c WHERE" + (_WITH_STATUS if status else _ALL)
    return await counting.count(connection, rows, {"workspace": workspace_id, "status": status})


async def update_settings(
    connection: Connection, workspace_id: str, campaign_id: str, settings: Settings, now: datetime
) -> None:
    """Writes everything but the sequence."""
    await connection.execute(
        """
        UPDATE campaign SET name = %(name)s, description = %(description)s, sender_ids = %(senders)s::uuid[],
            schedule = %(schedule)s, missing_variable = %(missing_variable)s,
            acceptance_timeout = %(acceptance_timeout)s, max_new_leads_per_day = %(max_new_leads)s,
            approach_despite_other_conversation = %(approach)s, updated_at = %(now)s
        WHERE workspace_id = %(workspace)s AND id = %(id)s
        """,
        _parameters(workspace_id, campaign_id, settings, now),
    )


async def add_sequence_version(
    connection: Connection, workspace_id: str, campaign_id: str, settings: Settings, now: datetime
) -> None:
    """Makes the sequence the current one; if it is already, no version is added. The caller holds the row."""
    await connection.execute(
        """
        WITH added AS (
            INSERT INTO campaign_sequence (workspace_id, campaign_id, version, sequence, created_at)
            SELECT c.workspace_id, c.id, c.sequence_version + 1, %(sequence)s, %(now)s
            FROM campaign c JOIN campaign_sequence s
                ON s.workspace_id = c.workspace_id AND s.campaign_id = c.id AND s.version = c.sequence_version
            WHERE c.workspace_id = %(workspace)s AND c.id = %(id)s AND s.sequence <> %(sequence)s
            RETURNING version
        )
        UPDATE campaign SET sequence_version = added.version, updated_at = %(now)s
        FROM added WHERE workspace_id = %(workspace)s AND id = %(id)s
        """,
        _parameters(workspace_id, campaign_id, settings, now),
    )


async def sequence_version(
    connection: Connection, workspace_id: str, campaign_id: str, version: int | None
) -> SequenceVersion | None:
    """The campaign's sequence of that version, or (None) the current one."""
    cursor = await connection.execute(
        """
        SELECT s.version, s.version = c.sequence_version, s.sequence, s.created_at
        FROM campaign c JOIN campaign_sequence s ON s.workspace_id = c.workspace_id AND s.campaign_id = c.id
            AND s.version = coalesce(%(version)s::integer, c.sequence_version)
        WHERE c.workspace_id = %(workspace)s AND c.id = %(id)s
        """,
        {"workspace": workspace_id, "id": campaign_id, "version": version},
    )
    row = await cursor.fetchone()
    return None if row is None else SequenceVersion(*row)


async def change_status(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    *,
    sources: Collection[Status],
    target: Status,
    finished_by: Actor | None,
    now: datetime,
    pause_reason: str | None = None,
) -> str | None:
    """The campaign's name when its status was one of ``sources``, else None and nothing is changed."""
    cursor = await connection.execute(
        """
        UPDATE campaign SET status = %(target)s, finished_by = %(finished_by)s,
            pause_reason = %(pause_reason)s, updated_at = %(now)s,
            started_at = CASE WHEN %(target)s = 'started'::campaign_status
                THEN coalesce(started_at, %(now)s) ELSE started_at END
        WHERE workspace_id = %(workspace)s AND id = %(id)s AND status = ANY(%(sources)s::campaign_status[])
        RETURNING name
        """,
        {
            "workspace": workspace_id,
            "id": campaign_id,
            "sources": list(sources),
            "target": target,
            "finished_by": finished_by,
            "pause_reason": pause_reason,
            "now": now,
        },
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def resume_finished_by_itself(
    connection: Connection, workspace_id: str, campaign_id: str, now: datetime
) -> str | None:
    """The campaign's name when it had finished by itself and is started again, else None."""
    cursor = await connection.execute(
        """
        UPDATE campaign SET status = 'started', finished_by = NULL, updated_at = %(now)s
        WHERE workspace_id = %(workspace)s AND id = %(id)s AND status = 'finished' AND finished_by = 'system'
        RETURNING name
        """,
        {"workspace": workspace_id, "id": campaign_id, "now": now},
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def delete(connection: Connection, workspace_id: str, campaign_id: str) -> None:
    """Everything of the campaign but its leads and events. The caller holds it alone (``lock_alone``).

    Deltas before counters, each in a statement of its own: the first waits for a fold that holds deltas of
    this campaign, and so the second sees what that fold has counted.
    """
    for statement in _DELETE:
        await connection.execute(statement, (workspace_id, campaign_id))


_DELETE: tuple[LiteralString, ...] = (
    "DELETE FROM campaign_counter_delta WHERE workspace_id = %s AND campaign_id = %s",
    "DELETE FROM campaign_counter WHERE workspace_id = %s AND campaign_id = %s",
    "DELETE FROM campaign_sequence WHERE workspace_id = %s AND campaign_id = %s",
    "DELETE FROM lane WHERE workspace_id = %s AND campaign_id = %s",
    "DELETE FROM campaign WHERE workspace_id = %s AND id = %s",
)


def _parameters(workspace_id: str, campaign_id: str, settings: Settings, now: datetime) -> dict[str, object]:
    return {
        "workspace": workspace_id,
        "id": campaign_id,
        "name": settings.name,
        "description": settings.description,
        "senders": list(settings.sender_ids),
        "schedule": None if settings.schedule is None else Jsonb(settings.schedule.to_json()),
        "sequence": Jsonb(settings.sequence),
        "missing_variable": settings.missing_variable,
        "acceptance_timeout": settings.acceptance_timeout,
        "max_new_leads": settings.max_new_leads_per_day,
        "approach": settings.approach_despite_other_conversation,
        "now": now,
    }


def _campaign(row: TupleRow) -> Campaign:
    settings = Settings(
        name=row[1],
        description=row[2],
        sender_ids=tuple(row[3]),
        schedule=None if row[4] is None else schedule.from_json(row[4]),
        sequence=row[5],
        missing_variable=MissingVariable(row[6]),
        acceptance_timeout=row[7],
        max_new_leads_per_day=row[8],
        approach_despite_other_conversation=row[9],
    )
    return Campaign(
        id=row[0],
        settings=settings,
        status=Status(row[10]),
        finished_by=None if row[11] is None else Actor(row[11]),
        pause_reason=row[12],
        sequence_version=row[13],
        entry_lane_id=row[14],
        started_at=row[15],
        created_at=row[16],
        updated_at=row[17],
    )
