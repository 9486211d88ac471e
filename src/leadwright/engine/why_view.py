"""What bears on one lead at a moment, and what may be said of it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadwright import ids
from leadwright.campaigns.model import Status as CampaignStatus
from leadwright.engine.forecast_run import Course
from leadwright.engine.model import Enrolment, Facts
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import Step
from leadwright.senders.limits import Period, QuotaKind
from leadwright.senders.model import Sender

Used = Mapping[tuple[QuotaKind, Period], int]


@dataclass(frozen=True, slots=True)
class Held:
    """A rule of the contract; ``until`` None: no clock ends it."""

    rule: str
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """A sender that may act for the lead; ``used`` in the present day and week, ``paced_until`` by its gap."""

    sender: Sender
    used: Used
    paced_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """A deed that met a passing fault, told as ``code``, and is tried again."""

    until: datetime
    code: str


@dataclass(frozen=True, slots=True)
class OpenDeed:
    """A deed that is planned, under way or uncertain. ``awaiting``: who tells its outcome; None: its worker.

    ``until``: when the worker's lease ends, or the channel is asked about an uncertain one; None: no clock ends it.
    """

    id: str
    kind: str
    state: str
    awaiting: str | None
    since: datetime
    until: datetime | None

    @property
    def public_id(self) -> str:
        return ids.public(ids.Prefix.ACTION, self.id)


@dataclass(frozen=True, slots=True)
class Stop:
    """How a lead came to be stopped: in the history's word for it, with the other lead that it has to do with."""

    reason: str
    lead_id: str | None
    campaign: str | None


@dataclass(frozen=True, slots=True)
class View:
    """All that bears on one lead at ``now``. ``crew``: its own sender, or before it has one all of the campaign's.

    ``step`` None: through, or the sequence is empty. ``deed``: what is open for it. ``pause_reason``: of a campaign
    that paused by itself. ``stop``: of a lead that was stopped by no person, where its history says more.
    """

    status: str
    is_through: bool
    has_begun: bool
    campaign: CampaignStatus
    pause_reason: str | None
    course: Course
    steps: Steps
    step: Step | None
    enrolment: Enrolment
    facts: Facts
    crew: Sequence[Crew]
    deed: OpenDeed | None
    postponed: Postponed | None
    stop: Stop | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Why:
    """Without rules and with a due time that is past, the lead is next in line."""

    step: Step | None
    due_at: datetime | None
    held_by: Sequence[Held]
    deed: OpenDeed | None = None
