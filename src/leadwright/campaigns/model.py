"""What a campaign is, what may be set on it, and which way its status may go; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from leadwright.campaigns.schedule import Schedule
from leadwright.engine.sequence import Sequence
from leadwright.events.model import EventType


class Status(StrEnum):
    DRAFT = "draft"
    STARTED = "started"
    PAUSED = "paused"
    FINISHED = "finished"


class Actor(StrEnum):
    """By whom a status changed, in the words of the events."""

    API = "api"
    USER = "user"
    SYSTEM = "system"


class MissingVariable(StrEnum):
    """What becomes of a lead that lacks a field which the next step's text needs."""

    HOLD = "hold"
    SKIP_STEP = "skip_step"


class Counter(StrEnum):
    """What is counted for a campaign. ``active``: leads whose sequence is not over; deeds of every kind."""

    LEADS = "leads"
    ACTIVE = "active"
    LEADS_CONTACTED = "leads_contacted"
    CONNECTIONS_SENT = "connections_sent"
    CONNECTIONS_ACCEPTED = "connections_accepted"
    MESSAGES_SENT = "messages_sent"
    REPLIES_RECEIVED = "replies_received"
    DEEDS_DONE = "deeds_done"
    DEEDS_FAILED = "deeds_failed"


class Tally(msgspec.Struct, frozen=True):
    """A count of what happened, and where it belongs beside the campaign's total; the ids are bare.

    A reply counts for the step, variant and sender that it answers.
    """

    campaign_id: str
    counter: Counter
    delta: int = 1
    step_id: str | None = None
    variant: int | None = None
    sender_id: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The counters of one campaign, exact at the moment they were read."""

    leads: int = 0
    active: int = 0
    leads_contacted: int = 0
    connections_sent: int = 0
    connections_accepted: int = 0
    messages_sent: int = 0
    replies_received: int = 0
    deeds_done: int = 0
    deeds_failed: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What of a campaign's counts fell to one step, one of its variants, one sender or one day (UTC)."""

    totals: Totals
    step_id: str | None = None
    variant: int | None = None
    sender_id: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Each list holds only what has been counted; the days are the last ``MOST_DAYS`` with a count, oldest first."""

    totals: Totals
    steps: tuple[Part, ...]
    variants: tuple[Part, ...]
    senders: tuple[Part, ...]
    days: tuple[Part, ...]


MOST_DAYS = 366


def read_dimensions(counted: Mapping[str, Totals]) -> Statistics:
    """What the counters hold by dimension (``step:hello``, ``day:2026-03-01``, …), as the lists that are shown."""
    kinds: dict[str, list[Part]] = {"step": [], "variant": [], "sender": [], "day": []}
    for dimension in sorted(counted):
        kind, _, of = dimension.partition(":")
        if kind:
            kinds[kind].append(_part(kind, of, counted[dimension]))
    days = kinds["day"][-MOST_DAYS:]
    return Statistics(
        counted.get("", Totals()), tuple(kinds["step"]), tuple(kinds["variant"]), tuple(kinds["sender"]), tuple(days)
    )


def _part(kind: str, of: str, totals: Totals) -> Part:
    match kind:
        case "step":
            return Part(totals, step_id=of)
        case "variant":
            step_id, _, variant = of.rpartition(":")
            return Part(totals, step_id=step_id, variant=int(variant))
        case "sender":
            return Part(totals, sender_id=of)
        case _:
            return Part(totals, day=date.fromisoformat(of))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person sets on a campaign. ``schedule`` None: always open. ``sender_ids`` are bare."""

    name: str
    description: str | None = None
    sender_ids: tuple[str, ...] = ()
    schedule: Schedule | None = None
    sequence: Mapping[str, object] = field(default_factory=lambda: Sequence().to_json())
    missing_variable: MissingVariable = MissingVariable.HOLD
    acceptance_timeout: timedelta = timedelta(days=14)
    max_new_leads_per_day: int | None = None
    approach_despite_other_conversation: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """``finished_by`` is set while the status is finished, ``pause_reason`` after a pause by itself.

    ``entry_lane_id``: where new leads wait.
    """

    id: str
    settings: Settings
    status: Status
    finished_by: Actor | None
    pause_reason: str | None
    sequence_version: int
    entry_lane_id: int
    started_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SequenceVersion:
    """A campaign's sequence as it was saved once."""

    version: int
    is_current: bool
    sequence: Mapping[str, object]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """A campaign and what it has come to, as it is shown."""

    campaign: Campaign
    totals: Totals

    @property
    def id(self) -> str:
        return self.campaign.id


class Action(StrEnum):
    """What a person does to a campaign's status."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from some statuses to another, and the fact that going it is."""

    sources: tuple[Status, ...]
    target: Status
    event: EventType


TRANSITIONS: Mapping[Action, Transition] = {
    Action.START: Transition((Status.DRAFT,), Status.STARTED, EventType.CAMPAIGN_STARTED),
    Action.PAUSE: Transition((Status.STARTED,), Status.PAUSED, EventType.CAMPAIGN_PAUSED),
    Action.RESUME: Transition((Status.PAUSED,), Status.STARTED, EventType.CAMPAIGN_RESUMED),
    Action.FINISH: Transition((Status.STARTED, Status.PAUSED), Status.FINISHED, EventType.CAMPAIGN_FINISHED),
}
"""A person never starts a finished campaign again: what was ended on purpose stays so, and one that
finished by itself goes on when leads are added. A draft is not finished but deleted."""
