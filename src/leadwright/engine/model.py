"""What the engine knows of a lead and what it can decide; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from leadwright.engine.sequence import Step, StepType
from leadwright.templates import Fields


class Status(StrEnum):
    """The lead statuses that the engine sets: each is the last thing that happened to the lead."""

    PENDING = "PENDING"
    PROFILE_VIEWED = "PROFILE_VIEWED"
    LIKED_POST = "LIKED_POST"
    CONNECTION_SENT = "CONNECTION_SENT"
    CONNECTION_ALREADY_SENT = "CONNECTION_ALREADY_SENT"
    CONNECTED = "CONNECTED"
    CONNECTION_WITHDRAWN = "CONNECTION_WITHDRAWN"
    NOT_CONNECTED = "NOT_CONNECTED"
    MESSAGE_SENT = "MESSAGE_SENT"
    FOLLOWUP_SENT = "FOLLOWUP_SENT"
    PROFILE_UNREACHABLE = "PROFILE_UNREACHABLE"
    BLOCKED = "BLOCKED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CONNECTION_ACCEPTED = "CONNECTION_ACCEPTED"
    REPLY_RECEIVED = "REPLY_RECEIVED"
    STOPPED = "STOPPED"
    DONE = "DONE"


class Rule(StrEnum):
    """What can hold a lead by itself, in the words of the contract's ``why``."""

    WAITING_FOR_DELAY = "waiting_for_delay"
    WAITING_FOR_ACCEPTANCE = "waiting_for_acceptance"
    WAITING_FOR_TASK = "waiting_for_task"
    OUTSIDE_WINDOW = "outside_window"
    MISSING_FIELD = "missing_field"
    OTHER_CONVERSATION = "other_conversation"
    SENDER_UNAVAILABLE = "sender_unavailable"
    UNCERTAIN_ACTION = "uncertain_action"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a campaign says of leads that cannot go on."""

    skips_missing: bool = False
    acceptance_timeout: timedelta = timedelta(days=14)


class Enrolment(msgspec.Struct, frozen=True):
    """A lead's place: ``step_since`` is the end of the step before, from which delays count."""

    lead_id: str
    step_since: datetime


class Facts(msgspec.Struct, frozen=True):
    """What is known of a lead and its sender at one moment. ``fields`` are the lead's, as templates name them.

    ``opens_at`` is when the window in the lead's own time zone is next open: None where the campaign's own
    window decides. ``done`` are the ids of the steps that were performed for this lead. ``inviting``: the sender's
    invitation of the person for another lead is open.
    """

    fields: Fields
    sender: Fields
    policy: Policy = Policy()
    connected_at: datetime | None = None
    invited_at: datetime | None = None
    suppressed: bool = False
    other_conversation: bool = False
    done: frozenset[str] = frozenset()
    opens_at: datetime | None = None
    inviting: bool = False


class Act(msgspec.Struct, frozen=True):
    """Perform the step now, with this rendered content (``text``, ``subject``, ``title``, ``url``, ``payload``)."""

    step: Step
    content: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    variant: int | None = None

    @property
    def kind(self) -> StepType:
        return self.step.type


class Wait(msgspec.Struct, frozen=True):
    """Nothing can happen before ``until``."""

    step: Step
    until: datetime
    rule: Rule


class Branch(msgspec.Struct, frozen=True):
    """The lead goes on at another step at once: the step before ended at ``at``.

    ``to`` is the index of the step, None where the sequence is over. ``status`` is what the lead turned out to
    be without a deed, ``reason`` tells the history why the step was not performed, and ``detail`` more of it, or what
    a condition came to.
    """

    to: int | None
    at: datetime
    status: Status | None = None
    reason: str | None = None
    detail: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])


class Hold(msgspec.Struct, frozen=True):
    """Waits for something that may happen at any time, and is looked at again at ``until`` (None: only then)."""

    step: Step
    rule: Rule
    until: datetime | None
    detail: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])


class Finish(msgspec.Struct, frozen=True):
    """The lead is through."""

    status: Status
    reason: str | None = None


Decision = Act | Wait | Branch | Hold | Finish
Standing = Act | Wait | Hold | Finish
"""A decision that takes no further one at the same moment."""


class Passed(msgspec.Struct, frozen=True):
    """A step that a lead left without a deed, for its history; ``reason`` None: a condition, which has none to do."""

    step_id: str
    reason: str | None
    status: Status | None
    detail: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
