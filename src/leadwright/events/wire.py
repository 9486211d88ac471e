"""The JSON of events: the envelope that the feed and every delivery share, and the feed's page."""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.clock import iso
from leadwright.errors import Detail, InvalidRequest
from leadwright.events.model import Event, EventType, cursor_at
from leadwright.events.service import FeedPage
from leadwright.ids import Prefix, public


class Envelope(msgspec.Struct, omit_defaults=True, rename="camel"):
    """An event as it leaves the house. ``data`` is stored text and passed on to the byte."""

    event_id: str
    event_type: str
    timestamp: str
    workspace_id: str
    data: msgspec.Raw
    simulated: bool = False
    cursor: str | None = None


class _Feed(msgspec.Struct, rename="camel"):
    events: Sequence[Envelope]
    next_cursor: str
    has_more: bool


def envelope(workspace_id: str, event: Event) -> Envelope:
    """The envelope without a cursor. It encodes to the same bytes each time, until the event is erased."""
    return Envelope(
        event_id=public(Prefix.EVENT, event.id),
        event_type=event.type.value,
        timestamp=iso(event.created_at),
        workspace_id=public(Prefix.WORKSPACE, workspace_id),
        data=msgspec.Raw(event.data.encode()),
        simulated=event.simulated,
    )


def feed(workspace_id: str, page: FeedPage) -> object:
    """The body of a feed page, to be encoded by msgspec."""
    return _Feed(
        [_in_feed(workspace_id, event) for event in page.events],
        cursor_at(workspace_id, page.next_position),
        page.has_more,
    )


def cursor(workspace_id: str, page: FeedPage) -> str:
    """Where to go on behind a page."""
    return cursor_at(workspace_id, page.next_position)


def sent_event(workspace_id: str, event: Event) -> bytes:
    """The event as a server-sent one: its cursor is the ``id`` that a receiver resumes by."""
    at = cursor_at(workspace_id, event.position or 0)
    body = msgspec.json.encode(envelope(workspace_id, event)).replace(b"\r", b"").replace(b"\n", b"\ndata: ")
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (at.encode(), event.type.value.encode(), body)


def _in_feed(workspace_id: str, event: Event) -> Envelope:
    shown = envelope(workspace_id, event)
    shown.cursor = cursor_at(workspace_id, event.position or 0)
    return shown


def read_types(given: Sequence[str]) -> list[EventType]:
    """The event types of comma lists, each once. Raises InvalidRequest naming one that does not exist."""
    names = [name.strip() for part in given for name in part.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(EventType)]
    if unknown:
        message = f"'{unknown[0][:50]}' is not an event type; expected some of: {', '.join(EventType)}"
        raise InvalidRequest.of([Detail("types", message)])
    return [EventType(name) for name in dict.fromkeys(names)]


class EventBody(BaseModel):
    """One fact. The fields of ``data`` depend on the type; more may be added to them, none is taken away."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    event_id: str = Field(examples=["evt_0199c0ffee0070008000000000000001"])
    event_type: EventType = Field(examples=["lead.updated"])
    timestamp: str = Field(description="When it happened.", examples=["2026-03-01T09:30:00.000Z"])
    workspace_id: str = Field(examples=["ws_0199c0ffee0070008000000000000002"])
    data: dict[str, Any] = Field(
        examples=[
            {
                "leadId": "lead_0199c0ffee0070008000000000000003",
                "campaignId": "camp_0199c0ffee0070008000000000000004",
                "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
                "previousStatus": "PENDING",
                "newStatus": "STOPPED",
                "customLeadStatus": None,
            }
        ]
    )
    simulated: bool = Field(default=False, description="Only there, and true, when a simulator sender caused it.")
    cursor: str = Field(description="The place behind this event: send it as `after` to go on from here.")


class FeedBody(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    events: list[EventBody]
    next_cursor: str = Field(description="Send it as `after` next time, also when there was nothing new.")
    has_more: bool = Field(description="Whether asking again at once gives more.")
