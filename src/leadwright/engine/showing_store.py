"""The SQL of showing actions: what was intended, and what has come of it."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which actions: in a state or in ``all``, with None those that are not over; the ids are bare, None for any."""

    state: str | None = None
    lead_id: str | None = None
    campaign_id: str | None = None

    @property
    def are_few(self) -> bool:
        """Those of a lead, and what is not over, have an index of their own; what is over can be millions of rows."""
        return self.lead_id is not None or self.state in OPEN_STATES

    @property
    def is_bounded(self) -> bool:
        """Whether a page takes no longer the more there is: no index has a campaign's actions that are over."""
        return self.campaign_id is None or self.are_few


OPEN_STATES = (None, "planned", "performing", "uncertain")
_SHOWN: LiteralString = (
    "SELECT " + ACTION_COLUMNS + ", a.due_at, a.finished_at, a.error_code, a.error_message FROM action a"
    " WHERE a.workspace_id = %(workspace)s AND "
)
_OPEN: LiteralString = "a.state IN ('planned', 'performing', 'uncertain')"
_ANY: LiteralString = "true"
_IN_STATE: LiteralString = "a.state = %(state)s::action_state"


async def shown(connection: Connection, workspace_id: str, action_id: str) -> Shown | None:
    async with connection.cursor(row_factory=class_row(Shown)) as cursor:
        await cursor.execute(_SHOWN + "a.id = %(id)s", {"workspace": workspace_id, "id": action_id})
        return await cursor.fetchone()


async def page(
    connection: Connection, workspace_id: str, wanted: Wanted, *, after: str | None, limit: int
) -> list[Shown]:
    """Oldest first behind the id ``after``."""
    names = {
        "workspace": workspace_id,
        "state": wanted.state,
        "lead": wanted.lead_id,
        "campaign": wanted.campaign_id,
        "after": after or "0" * 32,
        "limit": limit,
    }
    found = _SHOWN + _which(wanted) + " AND a.id > %(after)s"
    if wanted.are_few:
        # Apart from the order: by that alone PostgreSQL walks past all that is over to the open ones, the youngest.
        found = "WITH few AS MATERIALIZED (" + found + ") SELECT * FROM few a"
    async with connection.cursor(row_factory=class_row(Shown)) as cursor:
        await cursor.execute(found + " ORDER BY a.id LIMIT %(limit)s", names)
        return await cursor.fetchall()


def _which(wanted: Wanted) -> LiteralString:
    words: dict[str | None, LiteralString] = {None: _OPEN, "all": _ANY}
    chosen = words.get(wanted.state, _IN_STATE)
    if wanted.lead_id is not None:
        chosen += " AND a.lead_id = %(lead)s"
    if wanted.campaign_id is not None:
        chosen += " AND a.campaign_id = %(campaign)s"
    return chosen
