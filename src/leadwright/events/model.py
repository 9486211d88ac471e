"""What a public event is: its types, the data each carries, and the cursor of a place in the feed; pure."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

JSON: TypeAlias = str | int | float | bool | Sequence["JSON"] | Mapping[str, "JSON"] | None
"""Any JSON value."""


class EventType(StrEnum):
    """Every public event there is: what the feed shows, and what a subscription to ``*`` means."""

    MESSAGE_SENT = "message.sent"
    REPLY_RECEIVED = "reply.received"
    CONNECTION_REQUEST_SENT = "connection_request.sent"
    CONNECTION_REQUEST_ACCEPTED = "connection_request.accepted"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_FINISHED = "campaign.finished"
    LEAD_UPDATED = "lead.updated"
    LEAD_TAG_UPDATED = "lead.tag.updated"
    LEAD_DATABASE_SEARCH_COMPLETED = "lead_database.search.completed"
    LEAD_EXTRACTOR_JOB_COMPLETED = "lead_extractor.job.completed"


_OF_LEAD = ("leadId", "campaignId", "linkedinUrl")
_OF_CAMPAIGN = ("campaignId", "campaignName")

DATA_FIELDS: Mapping[EventType, tuple[str, ...]] = {
    EventType.MESSAGE_SENT: (*_OF_LEAD, "senderId", "message", "sequenceStep"),
    EventType.REPLY_RECEIVED: (*_OF_LEAD, "senderId", "reply"),
    EventType.CONNECTION_REQUEST_SENT: (*_OF_LEAD, "senderId", "note"),
    EventType.CONNECTION_REQUEST_ACCEPTED: (*_OF_LEAD, "senderId", "acceptedAt"),
    EventType.CAMPAIGN_STARTED: (*_OF_CAMPAIGN, "totalLeads", "startedAt"),
    EventType.CAMPAIGN_PAUSED: (*_OF_CAMPAIGN, "pausedAt", "pausedBy"),
    EventType.CAMPAIGN_RESUMED: (*_OF_CAMPAIGN, "resumedAt", "resumedBy"),
    EventType.CAMPAIGN_FINISHED: (*_OF_CAMPAIGN, "finishedAt", "totals"),
    EventType.LEAD_UPDATED: (*_OF_LEAD, "previousStatus", "newStatus", "customLeadStatus"),
    EventType.LEAD_TAG_UPDATED: (*_OF_LEAD, "tags", "newTag", "previousTag"),
    EventType.LEAD_DATABASE_SEARCH_COMPLETED: (),
    EventType.LEAD_EXTRACTOR_JOB_COMPLETED: (),
}
"""The fields that receivers may count on. The two job summaries are shaped by their own rooms."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event about to be stored: ``data`` is JSON, its order is kept within its ``stream``."""

    id: str
    type: EventType
    stream: str
    data: msgspec.Raw
    lead_id: str | None
    campaign_id: str | None
    simulated: bool
    by_caller: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event. ``position`` is its place in the workspace's feed, None until it is published.

    ``by_caller``: a caller of the API made the change; the feed does not read it.
    """

    id: str
    position: int | None
    type: EventType
    data: str
    simulated: bool
    created_at: datetime
    by_caller: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An event that has just got its place in its workspace's feed."""

    workspace_id: str
    id: str
    type: str
    stream: str
    position: int


def ordered_data(event_type: EventType, data: Mapping[str, JSON]) -> dict[str, JSON]:
    """The data, the type's own fields first and in their order. Raises ValueError when one is missing."""
    fields = DATA_FIELDS[event_type]
    try:
        return {**{field: data[field] for field in fields}, **data}
    except KeyError:
        missing = [field for field in fields if field not in data]
        raise ValueError(f"the data of {event_type} lacks {', '.join(missing)}") from None


_CURSOR = re.compile(r"[A-Za-z0-9_-]{16}")
_POSITION_BYTES = 8
LAST_POSITION = 2**63 - 1


def cursor_at(workspace_id: str, position: int) -> str:
    """The cursor of a place in a workspace's feed; 0 is the beginning.

    A checksum binds it to its workspace, against mistakes and not against forgery: a cursor opens nothing.
    """
    place = position.to_bytes(_POSITION_BYTES, "big")
    return base64.urlsafe_b64encode(place + _checksum(workspace_id, place)).decode()


def position_of(workspace_id: str, cursor: str) -> int | None:
    """The place a cursor stands for, the beginning when empty; None when it is not of this workspace."""
    if not cursor:
        return 0
    if not _CURSOR.fullmatch(cursor):
        return None
    place, check = _split(base64.urlsafe_b64decode(cursor))
    position = int.from_bytes(place, "big")
    return position if check == _checksum(workspace_id, place) and position <= LAST_POSITION else None


def _split(cursor: bytes) -> tuple[bytes, bytes]:
    return cursor[:_POSITION_BYTES], cursor[_POSITION_BYTES:]


def _checksum(workspace_id: str, place: bytes) -> bytes:
    return zlib.crc32(binascii.unhexlify(workspace_id) + place).to_bytes(4, "big")
