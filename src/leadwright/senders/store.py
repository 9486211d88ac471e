"""The SQL of senders. Their configuration is sealed: whoever opens it has the installation's key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from leadwright.campaigns import schedule
from leadwright.campaigns.schedule import ScheduleJSON
from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Connection
from leadwright.senders.limits import Limits, RampUp
from leadwright.senders.model import ChannelName, Sender, SenderStatus, Settings


@dataclass(frozen=True, slots=True)
class Row:
    """A sender as it is stored."""

    id: str
    name: str
    first_name: str | None
    last_name: str | None
    linkedin_url: str
    identity_kind: str
    identity_key: str
    channel: str
    config: str = field(repr=False)
    limits: Mapping[str, Any]
    ramp_up: Mapping[str, Any] | None
    schedule: ScheduleJSON | None
    status: str
    status_reason: str | None
    status_until: datetime | None
    failures: int
    removed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def sender(self, config: Mapping[str, Any]) -> Sender:
        """The sender with its configuration opened."""
        return Sender(
            id=self.id,
            name=self.name,
            first_name=self.first_name,
            last_name=self.last_name,
            linkedin_url=self.linkedin_url,
            identity=Identity(IdentityKind(self.identity_kind), self.identity_key),
            channel=ChannelName(self.channel),
            config=config,
            limits=Limits.from_json(self.limits),
            ramp_up=None if self.ramp_up is None else RampUp.from_json(self.ramp_up),
            schedule=None if self.schedule is None else schedule.from_json(self.schedule),
            status=SenderStatus(self.status),
            status_reason=self.status_reason,
            status_until=self.status_until,
            failures=self.failures,
            removed_at=self.removed_at,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


_SENDER: LiteralString = """
    SELECT id, name, first_name, last_name, linkedin_url, identity_kind, identity_key, channel, config, limits,
        ramp_up, schedule, status, status_reason, status_until, failures, removed_at, created_at, updated_at
    FROM sender WHERE workspace_id = %(workspace)s
"""


async def senders(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> Sequence[Row]:
    """Those of the bare ids that name a sender of the workspace, removed ones too."""
    return await _rows(
        connection,
        _SENDER + "AND id = ANY(%(ids)s::uuid[])",
        {"workspace": workspace_id, "ids": list(sender_ids)},
    )


async def page(
    connection: Connection, workspace_id: str, *, after: str | None, offset: int, limit: int
) -> Sequence[Row]:
    """Those that are not removed, oldest first, behind the bare id ``after``."""
    return await _rows(
        connection,
        _SENDER
        + """AND removed_at IS NULL AND (%(after)s::uuid IS NULL OR id > %(after)s)
        ORDER BY id LIMIT %(limit)s OFFSET %(offset)s""",
        {"workspace": workspace_id, "after": after, "limit": limit, "offset": offset},
    )


async def count(connection: Connection, workspace_id: str) -> int:
    cursor = await connection.execute(
        "SELECT count(*) FROM sender WHERE workspace_id = %s AND removed_at IS NULL", (workspace_id,)
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def present(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> frozenset[str]:
    """Those of the bare ids that name a sender which is not removed; held, so that it stays until the commit."""
    cursor = await connection.execute(
        """
        SELECT id FROM sender WHERE workspace_id = %s AND id = ANY(%s::uuid[]) AND removed_at IS NULL
        ORDER BY id FOR KEY SHARE
        """,
        (workspace_id, list(sender_ids)),
    )
    return frozenset(row[0] for row in await cursor.fetchall())


async def lock(connection: Connection, workspace_id: str, sender_id: str) -> bool:
    """Whether there is such a sender that is not removed; nobody else changes it until the transaction ends."""
    cursor = await connection.execute(
        "SELECT 1 FROM sender WHERE workspace_id = %s AND id = %s AND removed_at IS NULL FOR NO KEY UPDATE",
        (workspace_id, sender_id),
    )
    return await cursor.fetchone() is not None


async def insert(
    connection: Connection, workspace_id: str, sender_id: str, settings: Settings, sealed: str, now: datetime
) -> bool:
    """Whether it was added: not when the account, a channel and an identity, is another sender's already."""
    cursor = await connection.execute(
        """
        INSERT INTO sender (workspace_id, id, name, first_name, last_name, linkedin_url, identity_kind, identity_key,
            channel, config, limits, ramp_up, schedule, created_at, updated_at)
        VALUES (%(workspace)s, %(id)s, %(name)s, %(first_name)s, %(last_name)s, %(linkedin_url)s, %(identity_kind)s,
            %(identity_key)s, %(channel)s, %(config)s, %(limits)s, %(ramp_up)s, %(schedule)s, %(now)s, %(now)s)
        ON CONFLICT (workspace_id, channel, identity_kind, identity_key) WHERE removed_at IS NULL DO NOTHING
        """,
        _parameters(workspace_id, sender_id, settings, sealed, now),
    )
    return cursor.rowcount > 0


async def update(
    connection: Connection, workspace_id: str, sender_id: str, settings: Settings, sealed: str, now: datetime
) -> bool:
    """Writes everything that a person sets; False when the account is another sender's already."""
    try:
        async with connection.transaction():
            await connection.execute(
                """
                UPDATE sender SET name = %(name)s, first_name = %(first_name)s, last_name = %(last_name)s,
                    linkedin_url = %(linkedin_url)s, identity_kind = %(identity_kind)s,
                    identity_key = %(identity_key)s, config = %(config)s, limits = %(limits)s, ramp_up = %(ramp_up)s,
                    schedule = %(schedule)s, updated_at = %(now)s
                WHERE workspace_id = %(workspace)s AND id = %(id)s
                """,
                _parameters(workspace_id, sender_id, settings, sealed, now),
            )
    except UniqueViolation:
        return False
    return True


async def set_status(
    connection: Connection, workspace_id: str, sender_id: str, status: SenderStatus, reason: str | None, now: datetime
) -> None:
    """What a person says of it: nothing tries it again by itself, and what failed before is forgotten."""
    await connection.execute(
        """
        UPDATE sender SET status = %s, status_reason = %s, status_until = NULL, failures = 0, updated_at = %s
        WHERE workspace_id = %s AND id = %s
        """,
        (status, reason, now, workspace_id, sender_id),
    )


async def remove(connection: Connection, workspace_id: str, sender_id: str, sealed: str, now: datetime) -> bool:
    """Keeps the row for the conversations that it had, without its secrets; whether it was there."""
    cursor = await connection.execute(
        """
        UPDATE sender SET removed_at = %s, updated_at = %s, config = %s
        WHERE workspace_id = %s AND id = %s AND removed_at IS NULL
        """,
        (now, now, sealed, workspace_id, sender_id),
    )
    return cursor.rowcount > 0


async def rekey(connection: Connection, workspace_id: str, old: Identity, new: Identity) -> None:
    """Follows a learned alias, but where that would give one account of a channel two senders."""
    await connection.execute(
        """
        UPDATE sender s SET identity_kind = %(new_kind)s, identity_key = %(new_key)s
        WHERE s.workspace_id = %(workspace)s AND s.identity_kind = %(old_kind)s AND s.identity_key = %(old_key)s
          AND NOT EXISTS (
            SELECT FROM sender o WHERE o.workspace_id = s.workspace_id AND o.channel = s.channel
                AND o.identity_kind = %(new_kind)s AND o.identity_key = %(new_key)s)
        """,
        {
            "workspace": workspace_id,
            "old_kind": old.kind,
            "old_key": old.key,
            "new_kind": new.kind,
            "new_key": new.key,
        },
    )


def _parameters(workspace_id: str, sender_id: str, settings: Settings, sealed: str, now: datetime) -> dict[str, object]:
    return {
        "workspace": workspace_id,
        "id": sender_id,
        "name": settings.name,
        "first_name": settings.first_name,
        "last_name": settings.last_name,
        "linkedin_url": settings.linkedin_url,
        "identity_kind": settings.identity.kind,
        "identity_key": settings.identity.key,
        "channel": settings.channel,
        "config": sealed,
        "limits": Jsonb(settings.limits.to_json()),
        "ramp_up": None if settings.ramp_up is None else Jsonb(settings.ramp_up.to_json()),
        "schedule": None if settings.schedule is None else Jsonb(settings.schedule.to_json()),
        "now": now,
    }


async def _rows(connection: Connection, statement: LiteralString, names: Mapping[str, object]) -> Sequence[Row]:
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(statement, names)
        return await cursor.fetchall()
