"""Answers about senders."""

from datetime import date, datetime

from leadwright.client.answers.base import JSON, Answer, Page


class Limits(Answer):
    """The most deeds of a kind in a day and in a week; 0: none at all, None: no cap. ``min_gap`` is a duration."""

    connections_per_day: int | None = None
    connections_per_week: int | None = None
    messages_per_day: int | None = None
    messages_per_week: int | None = None
    visits_per_day: int | None = None
    visits_per_week: int | None = None
    likes_per_day: int | None = None
    likes_per_week: int | None = None
    emails_per_day: int | None = None
    emails_per_week: int | None = None
    min_gap: JSON | None = None


class RampUp(Answer):
    """A new account begins with ``start`` deeds of a kind a day and does ``add_per_week`` more each week."""

    start: int
    add_per_week: int
    begins_on: date | None = None


class Sender(Answer):
    """An account on whose behalf leads are approached; secrets in ``config`` are masked."""

    id: str
    name: str
    first_name: str | None
    last_name: str | None
    linkedin_url: str
    channel: str
    simulated: bool
    config: JSON
    limits: Limits
    ramp_up: RampUp | None
    schedule: JSON | None
    status: str
    status_reason: str | None
    status_until: datetime | None
    created_at: datetime
    updated_at: datetime


class SenderMade(Sender):
    """``secret`` signs what an http sender is sent; shown when it was made, else None."""

    secret: str | None


class Senders(Page, kw_only=True):
    senders: list[Sender]


class Quota(Answer):
    """What a sender may do of a kind today; None: no cap."""

    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime


class Quotas(Answer):
    connections: Quota
    messages: Quota
    likes: Quota
    visits: Quota
    emails: Quota


class SenderQuotas(Answer):
    id: str
    name: str
    quotas: Quotas


class AllQuotas(Answer):
    senders: list[SenderQuotas]
    total: int


class Standing(Answer):
    """What a sender may still send today; None: no cap."""

    id: str
    name: str
    linkedin_url: str
    status: str
    daily_message_limit: int | None
    messages_sent_today: int
    remaining_messages: int | None
    daily_connection_limit: int | None
    connections_sent_today: int
    remaining_connections: int | None


class Standings(Answer):
    senders: list[Standing]
    total: int
