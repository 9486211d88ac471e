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
    def zone(self) -> str | None:
        """The time zone in which the sender's days and weeks are counted; None: UTC."""
        return self.schedule.time_zone if self.schedule else None

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
