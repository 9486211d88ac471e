"""The SQL of showing actions: what was intended, and what has come of it."""

from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from leadwright.engine.action_store import ACTION_COLUMNS, NEVER, Action
from leadwright.postgres.pool import Connection


class Shown(Action, frozen=True, kw_only=True):
    """An action with its outcome; ``due_at`` of an uncertain one is when its channel is asked."""

    due_at: datetime
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None

    @property
    def asked_again_at(self) -> datetime | None:
        """None for what nobody is asked about, and for what a person is to resolve."""
        return self.due_at if self.state == "uncertain" and self.due_at < NEVER else None

    @property
    def fault(self) -> tuple[str | None, str | None]:
        """Code and message, without those of an earlier attempt where the present one has said nothing yet."""
        is_of_before = self.state == "performing" or (self.state == "uncertain" and self.error_code is not None)
        return (None, None) if is_of_before else (self.error_code, self.error_message)


_SHOWN: LiteralString = (
    "SELECT " + ACTION_COLUMNS + ", a.due_at, a.finished_at, a.error_code, a.error_message FROM action a"
    " WHERE a.workspace_id = %(workspace)s AND "
)
_OPEN: LiteralString = "a.state IN ('planned', 'performing', 'uncertain')"
_IN_STATE: LiteralString = "a.state = %(state)s::action_state"


async def shown(connection: Connection, workspace_id: str, action_id: str) -> Shown | None:
    async with connection.cursor(row_factory=class_row(Shown)) as cursor:
        await cursor.execute(_SHOWN + "a.id = %(id)s", {"workspace": workspace_id, "id": action_id})
        return await cursor.fetchone()


async def page(
    connection: Connection, workspace_id: str, state: str | None, *, after: str | None, limit: int
) -> list[Shown]:
    """Actions in a state, or (None) those that are not over, oldest first behind the id ``after``."""
    chosen = _OPEN if state is None else _IN_STATE
    async with connection.cursor(row_factory=class_row(Shown)) as cursor:
        await cursor.execute(
            _SHOWN + chosen + " AND a.id > %(after)s ORDER BY a.id LIMIT %(limit)s",
            {"workspace": workspace_id, "state": state, "after": after or "0" * 32, "limit": limit},
        )
        return await cursor.fetchall()
