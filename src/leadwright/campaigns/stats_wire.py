"""The JSON of a campaign's statistics."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.campaigns.model import Campaign, Part, Statistics, Totals
from leadwright.engine.sequence import Step, parse_sequence
from leadwright.ids import Prefix, public

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class Funnel(BaseModel):
    """From the leads added to those who answered; each person is counted once in the first two and the last."""

    model_config = _CAMEL

    total_leads: int
    active_leads: int = Field(description="Leads whose sequence is not over.")
    leads_contacted: int = Field(description="Leads that got a first invitation, message or e-mail.")
    connections_sent: int
    connections_accepted: int
    messages_sent: int
    replies_received: int


class Counts(BaseModel):
    """What was counted for one part of the campaign."""

    model_config = _CAMEL

    deeds_done: int = Field(description="Steps performed, of whatever type.")
    deeds_failed: int
    leads_contacted: int
    connections_sent: int
    connections_accepted: int
    messages_sent: int
    replies_received: int


class VariantCounts(Counts):
    variant: int = Field(description="Its place among the step's variants, from 0.")


class StepCounts(Counts):
    step_id: str
    type: str | None = Field(description="Null for a step that the sequence no longer has.", examples=["message"])
    variants: list[VariantCounts] = Field(description="Only of steps that have variants.")


class SenderCounts(Counts):
    sender_id: str


class DayCounts(Counts):
    day: str = Field(description="A day of UTC.", examples=["2026-03-01"])
    leads_added: int


class StatsBody(BaseModel):
    """Replies and acceptances count for the step and sender that they answer."""

    model_config = _CAMEL

    campaign_id: str
    funnel: Funnel
    steps: list[StepCounts] = Field(description="Every step of the sequence, in its order, then those it had before.")
    senders: list[SenderCounts]
    days: list[DayCounts] = Field(description="The last 366 days on which something happened, oldest first.")


def stats_body(campaign: Campaign, found: Statistics) -> StatsBody:
    totals = found.totals
    return StatsBody(
        campaign_id=public(Prefix.CAMPAIGN, campaign.id),
        funnel=Funnel(
            total_leads=totals.leads,
            active_leads=totals.active,
            leads_contacted=totals.leads_contacted,
            connections_sent=totals.connections_sent,
            connections_accepted=totals.connections_accepted,
            messages_sent=totals.messages_sent,
            replies_received=totals.replies_received,
        ),
        steps=_steps(parse_sequence(campaign.settings.sequence).steps, found),
        senders=[
            SenderCounts(sender_id=public(Prefix.SENDER, part.sender_id or ""), **_counts(part.totals))
            for part in found.senders
        ],
        days=[
            DayCounts(day=(part.day or date.min).isoformat(), leads_added=part.totals.leads, **_counts(part.totals))
            for part in found.days
        ],
    )


def _steps(steps: Sequence[Step], found: Statistics) -> list[StepCounts]:
    """A condition does nothing, so it is not shown; a step without counts has zeros."""
    types = {step.id: step.type.value for step in steps if step.type.is_performed}
    counted = {part.step_id: part for part in found.steps}
    gone = [part.step_id for part in found.steps if part.step_id not in types]
    return [
        StepCounts(
            step_id=step_id,
            type=types.get(step_id),
            variants=[_variant(part) for part in found.variants if part.step_id == step_id],
            **_counts(counted[step_id].totals if step_id in counted else Totals()),
        )
        for step_id in (*types, *gone)
        if step_id is not None
    ]


def _variant(part: Part) -> VariantCounts:
    return VariantCounts(variant=part.variant or 0, **_counts(part.totals))


def _counts(totals: Totals) -> dict[str, int]:
    return {
        "deeds_done": totals.deeds_done,
        "deeds_failed": totals.deeds_failed,
        "leads_contacted": totals.leads_contacted,
        "connections_sent": totals.connections_sent,
        "connections_accepted": totals.connections_accepted,
        "messages_sent": totals.messages_sent,
        "replies_received": totals.replies_received,
    }
