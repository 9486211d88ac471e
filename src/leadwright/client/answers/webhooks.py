"""Answers about webhook endpoints and their deliveries."""

from datetime import datetime

from leadwright.client.answers.base import Answer


class Webhook(Answer):
    """An endpoint. ``headers`` shows the names of its own headers, their values masked."""

    id: str
    name: str
    url: str
    events: list[str]
    event_names: str
    enabled: bool
    status: str
    headers: dict[str, str]
    pending_deliveries: int
    last_accepted_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    next_probe_at: datetime | None
    disabled_reason: str | None
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


class Webhooks(Answer):
    webhooks: list[Webhook]
    total: int


class NewWebhook(Webhook):
    """``secret`` signs the deliveries; shown this once, None in a repeated answer."""

    secret: str | None


class WebhookTested(Answer):
    """How an endpoint took a test delivery; ``status_code`` is None when no answer came."""

    success: bool
    delivery_id: str
    event_id: str
    status_code: int | None
    error: str | None
    duration_ms: int


class Attempt(Answer):
    at: datetime
    status_code: int | None
    error: str | None
    duration_ms: int
    answer: str


class Delivery(Answer):
    """An event on its way to an endpoint; ``status`` is pending, delivered or failed."""

    id: str
    event_id: str
    event_type: str
    status: str
    attempts: list[Attempt]
    next_attempt_at: datetime | None
    created_at: datetime


class Deliveries(Answer):
    deliveries: list[Delivery]
    next_cursor: str | None


class Redelivered(Answer):
    redelivered: int
    next_cursor: str | None
