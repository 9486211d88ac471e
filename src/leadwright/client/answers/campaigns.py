"""Answers about campaigns."""

from datetime import date, datetime

from leadwright.client.answers.base import JSON, Answer, Page


class Campaign(Answer):
    """A campaign and what it has come to."""

    id: str
    name: str
    status: str
    type: str
    total_leads: int
    leads_contacted: int
    connections_sent: int
    messages_sent: int
    replies_received: int
    linked_in_sender_ids: list[str]
    created_at: datetime
    updated_at: datetime
    description: str | None
    connections_accepted: int
    sender_ids: list[str]
    schedule: JSON | None
    sequence: JSON
    sequence_version: int
    missing_variable: str
    acceptance_timeout: dict[str, float]
    max_new_leads_per_day: int | None
    approach_despite_other_conversation: bool
    started_at: datetime | None
    finished_by: str | None
    pause_reason: str | None


class SequenceVersion(Answer):
    """A campaign's sequence as it was saved once."""

    campaign_id: str
    version: int
    is_current: bool
    created_at: datetime
    sequence: JSON


class Campaigns(Page, kw_only=True):
    campaigns: list[Campaign]


class ActionDone(Answer):
    """A campaign was started, paused, resumed or finished."""

    success: bool
    campaign_id: str
    action: str
    new_status: str
    message: str


class CampaignDeleted(Answer):
    success: bool
    campaign_id: str
    message: str


class Counts(Answer):
    """What was done and what came of it."""

    deeds_done: int
    deeds_failed: int
    leads_contacted: int
    connections_sent: int
    connections_accepted: int
    messages_sent: int
    replies_received: int


class VariantCounts(Counts):
    variant: int


class StepCounts(Counts):
    step_id: str
    type: str | None
    variants: list[VariantCounts]


class SenderCounts(Counts):
    sender_id: str


class DayCounts(Counts):
    day: date
    leads_added: int


class Funnel(Answer):
    """From the leads added to those who answered."""

    total_leads: int
    active_leads: int
    leads_contacted: int
    connections_sent: int
    connections_accepted: int
    messages_sent: int
    replies_received: int


class Stats(Answer):
    """Replies and acceptances count for the step and the sender that they answer."""

    campaign_id: str
    funnel: Funnel
    steps: list[StepCounts]
    senders: list[SenderCounts]
    days: list[DayCounts]
