"""Recording a public event in the transaction of what happened, and reading the feed of a workspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from leadwright import ids
from leadwright.errors import Detail, InvalidRequest
from leadwright.events import store
from leadwright.events.model import JSON, Event, EventType, NewEvent, ordered_data, position_of
from leadwright.ids import Prefix
from leadwright.postgres.pool import Connection

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """``next_position`` is where to go on: behind everything shown, and behind what a filter left out."""

    events: Sequence[Event]
    next_position: int
    has_more: bool


async def record(
    connection: Connection,
    workspace_id: str,
    *,
    type: EventType,  # noqa: A002 -- the word of the domain
    data: Mapping[str, JSON],
    now: datetime,
    campaign_id: str | None = None,
    lead_id: str | None = None,
    conversation_id: str | None = None,
    simulated: bool = False,
    by_caller: bool = False,
) -> str:
    """Stores an event and answers its bare id. Call it while holding the row lock of the event's subject.

    The ids given are bare, those inside ``data`` are public. Order is kept within the lead, else the
    conversation, else the campaign. Raises ValueError when ``data`` lacks a field that this type promises.
    """
    event_id = ids.new_id()
    fact = Fact(type, data, campaign_id, lead_id, conversation_id, simulated, by_caller)
    await store.insert(connection, workspace_id, [_new_event(event_id, fact)], now)
    return event_id


class Fact(msgspec.Struct, frozen=True):
    """What ``record`` takes, for ``record_many``. The ids are bare, those inside ``data`` public."""

    type: EventType
    data: Mapping[str, JSON]
    campaign_id: str | None = None
    lead_id: str | None = None
    conversation_id: str | None = None
    simulated: bool = False
    by_caller: bool = False


async def record_many(connection: Connection, workspace_id: str, facts: Sequence[Fact], now: datetime) -> None:
    """Stores events in their order, in one statement, while the caller holds the locks of all their subjects."""
    if facts:
        made = [_new_event(event_id, fact) for event_id, fact in zip(ids.new_ids(len(facts)), facts, strict=True)]
        await store.insert(connection, workspace_id, made, now)


def _new_event(event_id: str, fact: Fact) -> NewEvent:
    return NewEvent(
        id=event_id,
        type=fact.type,
        stream=_stream(event_id, fact.lead_id, fact.conversation_id, fact.campaign_id),
        data=msgspec.Raw(_encoder.encode(ordered_data(fact.type, fact.data))),
        lead_id=fact.lead_id,
        campaign_id=fact.campaign_id,
        simulated=fact.simulated,
        by_caller=fact.by_caller,
    )


async def feed(
    connection: Connection, workspace_id: str, *, after: str, types: Sequence[EventType], limit: int
) -> FeedPage:
    """At most ``limit`` published events behind a cursor, of the given types or (when empty) of all.

    Raises InvalidRequest for a cursor that this feed never gave out. A database restored from an older backup
    also meets cursors from beyond its end: better refused than silently waiting until events catch up.
    """
    position = position_of(workspace_id, after)
    if position is None:
        raise _not_a_cursor("expected the nextCursor of an earlier answer, or nothing for the beginning")
    found = await _read(connection, workspace_id, position, types, limit + 1)
    if position > found.head:
        raise _not_a_cursor("points beyond the end of this feed; begin again from a cursor that it holds")
    if len(found.events) <= limit:
        return FeedPage(found.events, found.head, has_more=False)
    shown = found.events[:limit]
    return FeedPage(shown, shown[-1].position or 0, has_more=True)


async def _read(
    connection: Connection, workspace_id: str, after: int, types: Sequence[EventType], limit: int
) -> store.FeedSlice:
    if types:
        return await store.feed_of_types(connection, workspace_id, after=after, types=types, limit=limit)
    return await store.feed(connection, workspace_id, after=after, limit=limit)


def _not_a_cursor(message: str) -> InvalidRequest:
    return InvalidRequest.of([Detail("after", message)])


def _stream(event_id: str, lead_id: str | None, conversation_id: str | None, campaign_id: str | None) -> str:
    """An event about none of the three is alone in its stream: there is nothing to keep it in order with."""
    if lead_id is not None:
        return ids.public(Prefix.LEAD, lead_id)
    if conversation_id is not None:
        return ids.public(Prefix.CONVERSATION, conversation_id)
    if campaign_id is not None:
        return ids.public(Prefix.CAMPAIGN, campaign_id)
    return ids.public(Prefix.EVENT, event_id)
