"""The bytes that an endpoint is sent for an event: the same each time."""

import msgspec

from leadwright.clock import iso
from leadwright.events.model import Event
from leadwright.events.wire import Envelope
from leadwright.ids import Prefix, public
from leadwright.webhooks.model import EventNames, told_data, told_type

_encoder = msgspec.json.Encoder()


def body_of(workspace_id: str, event: Event, names: EventNames) -> bytes:
    return _encoder.encode(
        Envelope(
            event_id=public(Prefix.EVENT, event.id),
            event_type=told_type(event.type, names),
            timestamp=iso(event.created_at),
            workspace_id=public(Prefix.WORKSPACE, workspace_id),
            data=msgspec.Raw(told_data(event, names)),
            simulated=event.simulated,
        )
    )
