"""What a sender has with a person, and what they wrote to each other; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from leadwright.identity import Identity

LONGEST_EXCERPT = 100
"""Characters of its last message that a conversation shows."""

Pair: TypeAlias = tuple[str, Identity]
"""A sender's bare id and a person, under any key that the person is known by."""


class ConnectionState(StrEnum):
    NONE = "none"
    INVITED = "invited"
    CONNECTED = "connected"


class Direction(StrEnum):
    """Seen from the sender: it wrote, or it was written to."""

    SENT = "sent"
    RECEIVED = "received"


class Relationship(msgspec.Struct, frozen=True):
    """What a sender has with a person. ``last_lead_id``: the lead as which the sender contacted the person last.

    ``invited_at`` is that of the open invitation, or of the one that was accepted.
    """

    state: ConnectionState = ConnectionState.NONE
    invited_at: datetime | None = None
    connected_at: datetime | None = None
    last_sent_at: datetime | None = None
    last_received_at: datetime | None = None
    last_lead_id: str | None = None

    @property
    def is_connected(self) -> bool:
        return self.state is ConnectionState.CONNECTED

    @property
    def needs_no_invitation(self) -> bool:
        return self.state is not ConnectionState.NONE


STRANGERS = Relationship()


class Note(msgspec.Struct, frozen=True):
    """Something that changed between a sender and a person, and when."""

    sender_id: str
    identity: Identity
    at: datetime
    lead_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that went out or came in. ``id`` is the one it was promised, None for a new one.

    ``name`` and ``linkedin_url`` are the person's, as the conversation shows them.
    """

    sender_id: str
    identity: Identity
    linkedin_url: str
    name: str | None
    direction: Direction
    text: str
    at: datetime
    action_id: str | None = None
    lead_id: str | None = None
    external_id: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a message is kept."""

    conversation_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a sender and a person wrote to each other. ``lead_id``: the lead that the sender contacted last.

    ``participant_name`` and ``participant_picture`` are None as long as nobody told them, ``last_content`` once it was
    forgotten.
    """

    id: str
    sender_id: str
    identity_kind: str
    identity_key: str
    participant_name: str | None
    participant_url: str
    participant_picture: str | None
    connection: str
    lead_id: str | None
    last_content: str | None
    last_direction: str
    last_activity_at: datetime
    unread_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. ``read_at``: when a received one was read here."""

    id: str
    direction: str
    content: str
    sent_at: datetime
    read_at: datetime | None
    lead_id: str | None


@dataclass(frozen=True, slots=True)
class Which:
    """The conversations that are wanted: of a sender or of all, and with ``unread`` only those with unread messages."""

    sender_id: str | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The sender of conversations, as its messages show it."""

    id: str
    name: str
    linkedin_url: str
