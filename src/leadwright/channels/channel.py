"""What a channel is: it performs a deed, and can be asked what became of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec

from leadwright.engine.sequence import StepType
from leadwright.identity import Identity
from leadwright.senders.model import Sender

PermanentCode = Literal[
    "profile_unreachable", "blocked", "not_connected", "note_too_long", "not_supported", "refused", "skipped"
]
"""Why a deed cannot be done, now or later. ``skipped``: a person left the task out, and the lead goes on."""


class Deed(msgspec.Struct, frozen=True):
    """One intended deed. ``id`` is the same each time it is tried: what a channel keys its own record by.

    ``content``: ``text``, ``subject``, ``to``, ``title``, ``url``, ``payload``, as far as the kind has them, rendered.
    ``at`` is the engine's now. ``attempt`` counts from 1. ``external_id``: the channel's own name of it, once there is
    one.
    """

    id: str
    workspace_id: str
    sender: Sender
    kind: StepType
    identity: Identity
    linkedin_url: str
    content: Mapping[str, Any]
    attempt: int
    at: datetime
    lead_id: str | None = None
    campaign_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    external_id: str | None = None

    @property
    def text(self) -> str | None:
        return self.content.get("text")


class Done(msgspec.Struct, frozen=True):
    """It happened. ``found``: what it turned out to be instead of news, so that its quota is given back.

    ``known_as``: other addresses of the same person, which the channel learned. ``note``: the words of who did it.
    """

    external_id: str | None = None
    found: Literal["already_connected", "already_invited"] | None = None
    known_as: tuple[str, ...] = ()
    profile: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    note: str | None = None


class Later(msgspec.Struct, frozen=True):
    """It is on its way, and its outcome will be told: by a person (a task) or by the channel (through the API)."""

    awaiting: Literal["person", "channel"]
    external_id: str | None = None


class Permanent(msgspec.Struct, frozen=True):
    """It did not happen and never will."""

    code: PermanentCode
    message: str | None = None


class Temporary(msgspec.Struct, frozen=True):
    """It certainly did not happen, for a reason that passes. ``retry_after``: not before then."""

    code: str
    message: str | None = None
    retry_after: timedelta | None = None


class RateLimited(msgspec.Struct, frozen=True):
    """It did not happen: the account has done enough for now. ``retry_after`` None: the engine decides."""

    message: str | None = None
    retry_after: timedelta | None = None


class SenderDown(msgspec.Struct, frozen=True):
    """It did not happen: the account is disconnected or restricted. ``retry_after`` None: a person must mend it."""

    message: str | None = None
    retry_after: timedelta | None = None


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can say whether it happened: the answer was lost on the way.

    ``is_ours``: this server is to blame (it stopped, its database was away), so it says nothing about the sender.
    """

    message: str | None = None
    is_ours: bool = False


Outcome = Done | Later | Permanent | Temporary | RateLimited | SenderDown | Unknown


@dataclass(frozen=True, slots=True)
class InboundFact:
    """Something that a person did: accepted an invitation, or wrote. ``external_id`` makes a second telling no news."""

    type: Literal["connection_accepted", "reply"]
    linkedin_url: str
    occurred_at: datetime
    text: str | None = None
    external_id: str | None = None


class Channel(Protocol):
    """One adapter. It keeps no state that a restart may not lose, and never raises for what the world does."""

    @property
    def performs(self) -> frozenset[StepType]:
        """The deeds that it can do; a sequence with others cannot be started with such a sender."""
        ...

    async def perform(self, deed: Deed) -> Outcome:
        """Does it, outside any transaction. Called again with the same ``deed.id`` it must not do it twice."""
        ...

    async def reconcile(self, deed: Deed) -> Outcome:
        """What became of a deed whose answer was lost: Done, Temporary (it did not happen), Unknown, or any other."""
        ...
