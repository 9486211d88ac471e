"""Answers that look at a campaign before it runs, and at what a lead waits for."""

from datetime import date, datetime

from leadwright.client.answers.base import Answer

Duration = dict[str, float]


class NextStep(Answer):
    id: str
    type: str


class Held(Answer):
    """One rule that holds a lead."""

    rule: str
    message: str
    until: datetime | None


class OpenDeed(Answer):
    """A deed that is planned, under way or uncertain; ``awaiting``: worker, channel or person."""

    id: str
    type: str
    state: str
    awaiting: str
    since: datetime
    until: datetime | None


class Why(Answer):
    """What happens next. Nothing in ``held_by`` with a ``due_at`` that is past means: next in line."""

    lead_id: str
    status: str
    next_step: NextStep | None
    due_at: datetime | None
    held_by: list[Held]
    deed: OpenDeed | None = None


class PreviewedLead(Answer):
    id: str | None
    linkedin_url: str


class PreviewedSender(Answer):
    id: str
    name: str


class Wording(Answer):
    variant: int
    is_given: bool
    weight: float
    note: str | None
    text: str | None
    subject: str | None
    missing: list[str]
    problems: list[str]


class PreviewedStep(Answer):
    """The texts are those of the variant that the lead gets."""

    id: str
    type: str
    sequence_step: int | None
    after: Duration
    note: str | None
    text: str | None
    subject: str | None
    title: str | None
    url: str | None
    missing: list[str]
    problems: list[str]
    variants: list[Wording]


class Preview(Answer):
    campaign_id: str
    lead: PreviewedLead
    sender: PreviewedSender | None
    steps: list[PreviewedStep]


class Finding(Answer):
    code: str
    path: str
    message: str


class FieldLack(Answer):
    field: str
    leads: int
    examples: list[str]


class CheckedStep(Answer):
    id: str
    type: str
    sequence_step: int | None
    missing_fields: list[FieldLack]
    leads_lacking: int
    unsupported_by: list[str]


class Validation(Answer):
    """Whether a campaign can work, and what its leads lack."""

    campaign_id: str
    can_start: bool
    reasons: list[Finding]
    warnings: list[Finding]
    leads: int
    missing_variable: str
    unknown_senders: list[str]
    steps: list[CheckedStep]


class Assumptions(Answer):
    """What was assumed of people; everything else is the campaign's."""

    accept_rate: float
    accept_rate_from: str
    accept_after: Duration
    reply_rate: float
    reply_after: Duration
    as_if_started: bool
    already_connected_rate: float = 0.0
    reply_rate_from: str = "default"


class Touches(Answer):
    connections: int
    messages: int
    visits: int
    likes: int
    emails: int
    other: int
    total: int


class LimitDays(Answer):
    rule: str
    kind: str | None
    days: int


class Limit(Answer):
    rule: str
    kind: str | None
    waiting: int


class ForecastDay(Answer):
    date: date
    touches: Touches
    new_leads: int
    limited_by: Limit | None


class OneMore(Answer):
    """The same with one more sender like the campaign's first."""

    finishes_at: datetime | None
    last_touch_at: datetime | None
    touches: int
    through: int
    more_touches: int
    more_through: int
    days_sooner: int | None


class Forecast(Answer):
    campaign_id: str
    status: str
    as_of: datetime
    days: int
    assumptions: Assumptions
    leads: int
    through: int
    replied: int
    held: dict[str, int]
    first_touch_at: datetime | None
    last_touch_at: datetime | None
    finishes_at: datetime | None
    touches: Touches
    limits: list[LimitDays]
    per_day: list[ForecastDay]
    one_more_sender: OneMore | None
