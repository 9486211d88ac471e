"""What a webhook endpoint is, what it is told and under which names, and what a delivery is; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from leadwright.events.model import DATA_FIELDS, JSON, Event, EventType

EVERYTHING = "*"
MOST_WEBHOOKS = 100
MOST_HEADERS = 20
LONGEST_HEADER = 4_000
LONGEST_NAME = 200
PREVIEW_CHARACTERS = 200


class EventNames(StrEnum):
    """Which names an endpoint is told: the present ones, or those of older clients."""

    CURRENT = "current"
    LEGACY = "legacy"


LEGACY_NAMES: Mapping[EventType, str] = {
    EventType.REPLY_RECEIVED: "message.received",
    EventType.CONNECTION_REQUEST_SENT: "connection.sent",
    EventType.CONNECTION_REQUEST_ACCEPTED: "connection.accepted",
    EventType.LEAD_UPDATED: "lead.status.changed",
}
_TYPE_OF_LEGACY = {name: event_type for event_type, name in LEGACY_NAMES.items()}


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class EndpointStatus(StrEnum):
    """Paused: it answered nothing for as long as the retries last, so everything waits until a probe succeeds."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person sets on an endpoint. ``events`` holds current names, or ``*`` alone."""

    name: str
    url: str
    events: tuple[str, ...] = (EVERYTHING,)
    event_names: EventNames = EventNames.CURRENT
    enabled: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint as it is shown; its secrets and headers are sealed elsewhere."""

    id: str
    settings: Settings
    disabled_reason: str | None
    accepted_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    probe_at: datetime | None
    previous_until: datetime | None
    created_at: datetime
    updated_at: datetime
    pending: int = 0

    @property
    def status(self) -> EndpointStatus:
        if not self.settings.enabled:
            return EndpointStatus.DISABLED
        return EndpointStatus.ACTIVE if self.paused_at is None else EndpointStatus.PAUSED


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint, with the attempts that were made."""

    id: str
    event_id: str
    event_type: str
    status: DeliveryStatus
    attempts: Sequence[Mapping[str, Any]]
    created_at: datetime
    next_attempt_at: datetime | None


def current_name(name: str) -> EventType | None:
    """The event type that a name, current or legacy, stands for."""
    if name in _TYPE_OF_LEGACY:
        return _TYPE_OF_LEGACY[name]
    return EventType(name) if name in tuple(EventType) else None


def subscribed(events: Sequence[str], event_type: str) -> bool:
    return EVERYTHING in events or event_type in events


def told_type(event_type: EventType, names: EventNames) -> str:
    """The name under which an endpoint is told of an event."""
    return LEGACY_NAMES.get(event_type, event_type.value) if names is EventNames.LEGACY else event_type.value


def names_behind(told: str) -> EventNames:
    """Under which names an endpoint was told of an event, by what it was told: an edit since changes no delivery."""
    return EventNames.LEGACY if told in _TYPE_OF_LEGACY else EventNames.CURRENT


def told_data(event: Event, names: EventNames) -> bytes:
    """The event's data as an endpoint is told it: the same bytes each time."""
    if names is EventNames.CURRENT or event.type not in LEGACY_NAMES:
        return event.data.encode()
    data: dict[str, JSON] = msgspec.json.decode(event.data)
    if event.type is EventType.REPLY_RECEIVED:
        data["replyPreview"] = str(data.get("reply") or "")[:PREVIEW_CHARACTERS]
    if event.type is EventType.LEAD_UPDATED:
        data.setdefault("changedBy", "api" if event.by_caller else "system")
    return msgspec.json.encode(data)


_SAMPLES: Mapping[str, JSON] = {
    "leadId": "lead_00000000000000000000000000000000",
    "campaignId": "camp_00000000000000000000000000000000",
    "senderId": "sender_00000000000000000000000000000000",
    "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
    "campaignName": "A test",
    "message": "Hi Jane, this is a test.",
    "reply": "Thank you, this is a test.",
    "note": None,
    "sequenceStep": 1,
    "totalLeads": 2,
    "totals": {"totalLeads": 2},
    "pausedBy": "api",
    "resumedBy": "api",
    "previousStatus": "PENDING",
    "newStatus": "MESSAGE_SENT",
    "customLeadStatus": None,
    "tags": ["test"],
    "newTag": "test",
    "previousTag": None,
}
_JOB_SAMPLE: Mapping[str, JSON] = {"id": "job_test", "name": "A test", "status": "completed", "leads": []}


def sample_data(event_type: EventType, at: str) -> Mapping[str, JSON]:
    """What a test event of a type carries: each promised field; times are ``at``."""
    fields = DATA_FIELDS[event_type]
    return {name: _SAMPLES.get(name, at) for name in fields} | {"test": True} if fields else _JOB_SAMPLE
