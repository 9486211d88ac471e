"""The JSON of why a lead stands where it stands."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.clock import iso
from leadwright.engine.sequence import StepType
from leadwright.engine.store import Row
from leadwright.engine.why_view import OpenDeed, Why
from leadwright.ids import Prefix, public
from leadwright.leads.model import LeadStatus

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)

RuleWord = Literal[
    "campaign_not_started",
    "paused",
    "outside_window",
    "daily_cap",
    "weekly_cap",
    "min_gap",
    "new_leads_per_day",
    "waiting_for_acceptance",
    "waiting_for_delay",
    "waiting_for_task",
    "missing_field",
    "suppressed",
    "other_conversation",
    "sender_unavailable",
    "uncertain_action",
    "stopped",
    "finished",
]


class NextStepBody(BaseModel):
    id: str
    type: StepType


class HeldBody(BaseModel):
    rule: RuleWord
    message: str
    until: str | None = Field(description="Null where no clock ends it.")


class OpenDeedBody(BaseModel):
    """A deed that was written down and is not over."""

    id: str = Field(description="Of `GET /v1/actions`.", examples=["act_0199c0ffee0070008000000000000001"])
    type: StepType
    state: Literal["planned", "performing", "uncertain"]
    awaiting: Literal["worker", "channel", "person"] = Field(
        description="Who tells what becomes of it: the worker that performs it, its channel later, or a person."
    )
    since: str
    until: str | None = Field(
        description="When the worker's lease ends, after which the channel is asked; of an uncertain one, when it is "
        "asked next. Null where no clock ends it."
    )


class WhyAnswer(BaseModel):
    """What happens next. Empty `heldBy` with a `dueAt` that is past means: next in line; with a `deed` in the state
    `performing`: it is under way, and `deed` says since when and until when at most.
    """

    model_config = _CAMEL

    lead_id: str
    status: LeadStatus
    next_step: NextStepBody | None
    due_at: str | None = Field(
        description="When the step's own time comes; the end of its lease while a worker performs it; null while a "
        "person or a channel is asked."
    )
    held_by: list[HeldBody] = Field(
        description="Every rule that holds the lead now. Before the step's time has come: also what will hold it then."
    )
    deed: OpenDeedBody | None = Field(description="Null while none is planned, under way or uncertain.")


def why_body(row: Row, found: Why) -> WhyAnswer:
    return WhyAnswer(
        lead_id=public(Prefix.LEAD, row.lead_id),
        status=LeadStatus(row.status),
        next_step=None if found.step is None else NextStepBody(id=found.step.id, type=found.step.type),
        due_at=None if found.due_at is None else iso(found.due_at),
        held_by=[
            HeldBody.model_validate(
                {"rule": str(held.rule), "message": held.message, "until": iso(held.until) if held.until else None}
            )
            for held in found.held_by
        ],
        deed=None if found.deed is None else _deed_body(found.deed),
    )


def _deed_body(deed: OpenDeed) -> OpenDeedBody:
    return OpenDeedBody.model_validate(
        {
            "id": deed.public_id,
            "type": deed.kind,
            "state": deed.state,
            "awaiting": deed.awaiting or "worker",
            "since": iso(deed.since),
            "until": None if deed.until is None else iso(deed.until),
        }
    )
