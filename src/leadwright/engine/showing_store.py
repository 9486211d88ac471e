"""The SQL of showing actions: what was intended, and what has come of it."""

from collections.abc import Mapping
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
    def is_bounded(self) -> bool:
        """Whether a page takes no longer the more is over: no index has a campaign's actions that are."""
        return self.campaign_id is None or self.lead_id is not None or (self.state in _STATES and self.state != "all")


_SHOWN: LiteralString = (
    "SELECT " + ACTION_COLUMNS + ", a.due_at, a.finished_at, a.error_code, a.error_message FROM action a"
    " WHERE a.workspace_id = %(workspace)s AND "
)
# Literals, by which PostgreSQL sees that the index of open actions has them, in order.
_PLANNED: LiteralString = "a.state = 'planned'"
_PERFORMING: LiteralString = "a.state = 'performing'"
_UNCERTAIN: LiteralString = "a.state = 'uncertain'"
_STATES: Mapping[str | None, tuple[LiteralString, ...]] = {
    None: (_PLANNED, _PERFORMING, _UNCERTAIN),
    "planned": (_PLANNED,),
    "performing": (_PERFORMING,),
    "uncertain": (_UNCERTAIN,),
    "all": ("true",),
}
_OVER: tuple[LiteralString, ...] = ("a.state = %(state)s::action_state",)


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
    async with connection.cursor(row_factory=class_row(Shown)) as cursor:
        await cursor.execute(_page_of_lead(wanted) if wanted.lead_id else _page(wanted), names)
        return await cursor.fetchall()


_ORDERED: LiteralString = " ORDER BY a.id LIMIT %(limit)s"


def _page(wanted: Wanted) -> LiteralString:
    """A page of each state, and of these the page: what is read does not grow with what there is."""
    of_campaign: LiteralString = " AND a.campaign_id = %(campaign)s" if wanted.campaign_id else ""
    behind: LiteralString = of_campaign + " AND a.id > %(after)s" + _ORDERED
    parts: list[LiteralString] = [_SHOWN + state + behind for state in _STATES.get(wanted.state, _OVER)]
    first, *others = parts
    for other in others:
        first += ") UNION ALL (" + other
    return "SELECT * FROM ((" + first + ")) a" + _ORDERED if others else first


def _page_of_lead(wanted: Wanted) -> LiteralString:
    """Apart from the order: by that alone PostgreSQL may walk past all other leads' deeds, and a lead has few."""
    states = _STATES.get(wanted.state, _OVER)
    chosen: LiteralString = "a.lead_id = %(lead)s AND a.id > %(after)s AND (" + " OR ".join(states) + ")"
    if wanted.campaign_id is not None:
        chosen += " AND a.campaign_id = %(campaign)s"
    return "WITH few AS MATERIALIZED (" + _SHOWN + chosen + ") SELECT * FROM few a" + _ORDERED
