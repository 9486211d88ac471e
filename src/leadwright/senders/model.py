"""What a sender is; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from leadwright.campaigns.schedule import Schedule
from leadwright.identity import Identity
from leadwright.senders.limits import Limits, RampUp
from leadwright.templates import Fields


class ChannelName(StrEnum):
    """Who performs a sender's deeds. ``email`` and ``unipile`` are known words without an adapter yet."""

    SIMULATOR = "simulator"
    MANUAL = "manual"
    HTTP = "http"
    EMAIL = "email"
    UNIPILE = "unipile"


class SenderStatus(StrEnum):
    ACTIVE = "active"
    RATE_LIMITED = "rate_limited"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person sets on a sender. ``config`` is the channel's, opened; ``schedule`` None: always open."""

    name: str
    linkedin_url: str
    identity: Identity
    channel: ChannelName
    limits: Limits
    config: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    first_name: str | None = None
    last_name: str | None = None
    ramp_up: RampUp | None = None
    schedule: Schedule | None = None

    @property
    def zone(self) -> str | None:
        """The time zone in which the sender's days and weeks are counted; None: UTC."""
        return self.schedule.time_zone if self.schedule else None


@dataclass(frozen=True, slots=True)
class Sender:
    """``config`` is the channel's, opened: it holds secrets. ``schedule`` None: always open.

    ``status_until``: when one that is not active is tried again by itself; None: when a person says so.
    ``failures`` are in a row. ``removed_at``: kept for the conversations it had.
    """

    id: str
    name: str
    first_name: str | None
    last_name: str | None
    linkedin_url: str
    identity: Identity
    channel: ChannelName
    config: Mapping[str, Any] = field(repr=False)
    limits: Limits
    ramp_up: RampUp | None
    schedule: Schedule | None
    status: SenderStatus
    status_reason: str | None
    status_until: datetime | None
    failures: int
    removed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def settings(self) -> Settings:
        """The part of it that a person sets."""
        return Settings(**{name: getattr(self, name) for name in _SETTINGS})

    @property
    def zone(self) -> str | None:
        """The time zone in which the sender's days and weeks are counted; None: UTC."""
        return self.settings.zone

    @property
    def is_simulated(self) -> bool:
        """Nothing that it does is real, and everything that comes of it is marked so."""
        return self.channel is ChannelName.SIMULATOR

    @property
    def fields(self) -> Fields:
        """What templates see as ``sender.…``."""
        first, _, last = self.name.partition(" ")
        return {
            "name": self.name,
            "firstName": self.first_name or first,
            "lastName": self.last_name or last or None,
            "linkedinUrl": self.linkedin_url,
        }


_SETTINGS = tuple(Settings.__dataclass_fields__)
