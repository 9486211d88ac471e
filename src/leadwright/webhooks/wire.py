"""The JSON of webhook endpoints and of the log of their deliveries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from leadwright.clock import iso
from leadwright.events.model import EventType
from leadwright.http.moments import Moment
from leadwright.http.problems import NOT_BLANK
from leadwright.ids import Prefix, public
from leadwright.outbound.url import LONGEST_URL
from leadwright.webhooks.model import (
    EVERYTHING,
    LEGACY_NAMES,
    LONGEST_HEADER,
    LONGEST_NAME,
    MOST_HEADERS,
    Delivery,
    DeliveryStatus,
    EndpointStatus,
    EventNames,
    Settings,
    Webhook,
    current_name,
)
from leadwright.webhooks.service import Again, Test, Tested

MASK = "••••"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_NAMES = [*map(str, EventType), *LEGACY_NAMES.values()]
_OURS = ("host", "connection", "transfer-encoding", "content-", "webhook-", "svix-", "user-agent", "expect", "upgrade")


def _known_events(names: list[str]) -> list[str]:
    """Current names of what is asked for, each once; everything is ``*`` alone."""
    if not names:
        raise ValueError('expected ["*"] or names of events')
    if EVERYTHING in names:
        return [EVERYTHING]
    found = [current_name(name) for name in names]
    for name, event_type in zip(names, found, strict=True):
        if event_type is None:
            raise ValueError(f"'{name[:50]}' is not an event; expected '*' or some of: {', '.join(_NAMES)}")
    return [event_type.value for event_type in dict.fromkeys(found) if event_type is not None]


def _good_headers(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"expected at most {MOST_HEADERS} headers")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower().startswith(_OURS):
            raise ValueError(f"'{name[:50]}' is not a header that can be set")
        if len(value) > LONGEST_HEADER or not _VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} must be printable ASCII of at most {LONGEST_HEADER} characters")
    return headers


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK)
]
Url = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)]
Events = Annotated[list[str], AfterValidator(_known_events)]
Headers = Annotated[dict[str, str], AfterValidator(_good_headers)]


class WebhookFields(BaseModel):
    """What can be set on an endpoint. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    events: Events = Field(
        default=[EVERYTHING],
        description='`["*"]`, or names of events, current or legacy.',
        json_schema_extra={"minItems": 1, "items": {"type": "string", "enum": [EVERYTHING, *_NAMES]}},
    )
    eventNames: Literal["current", "legacy"] = Field(
        default="current", description="`legacy` tells the names that older receivers know."
    )
    enabled: bool = Field(default=True, description="Setting it true also resumes an endpoint that was paused.")
    headers: Headers = Field(default={}, description="Sent with every delivery; stored encrypted, never shown again.")

    def apply(self, settings: Settings) -> Settings:
        """The settings with the fields that were sent."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "events" in sent:
            sent["events"] = tuple(self.events)
        if "eventNames" in sent:
            sent["event_names"] = EventNames(sent.pop("eventNames"))
        return replace(settings, **sent)


class CreateWebhook(WebhookFields):
    name: Name = Field(default="Webhook", examples=["CRM"])
    url: Url = Field(description="An https address.", examples=["https://example.com/hooks/leadwright"])

    def settings(self) -> Settings:
        return self.apply(Settings(self.name, self.url))


def _only_what_changes(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"enabled": True}, {"url": "https://example.com/hooks/new"}]


class ChangeWebhook(WebhookFields):
    """Only what is sent changes."""

    model_config = ConfigDict(json_schema_extra=_only_what_changes)

    name: Name = Field(default="", examples=["CRM"])
    url: Url = Field(default="", examples=["https://example.com/hooks/new"])


class WebhookBody(BaseModel):
    id: str
    name: str
    url: str
    events: list[str]
    eventNames: EventNames
    enabled: bool
    status: EndpointStatus = Field(description="`paused`: it accepted nothing for as long as the retries last.")
    headers: dict[str, str] = Field(description="Their names; the values are never shown.")
    pendingDeliveries: int = Field(description="Counted up to 10,000.")
    lastAcceptedAt: str | None
    pausedAt: str | None
    pauseReason: str | None = Field(description="The last failure before the pause.")
    nextProbeAt: str | None
    disabledReason: str | None = Field(description="`gone`: it answered 410; `by_person`.")
    previousSecretUntil: str | None = Field(description="Until when the secret before the last rotation works too.")
    createdAt: str
    updatedAt: str


def _iso(moment: Any) -> str | None:
    return None if moment is None else iso(moment)


def webhook_body(webhook: Webhook) -> WebhookBody:
    settings = webhook.settings
    return WebhookBody(
        id=public(Prefix.WEBHOOK, webhook.id),
        name=settings.name,
        url=settings.url,
        events=_told_names(settings),
        eventNames=settings.event_names,
        enabled=settings.enabled,
        status=webhook.status,
        headers=dict.fromkeys(settings.headers, MASK),
        pendingDeliveries=webhook.pending,
        lastAcceptedAt=_iso(webhook.accepted_at),
        pausedAt=_iso(webhook.paused_at),
        pauseReason=webhook.pause_reason,
        nextProbeAt=_iso(webhook.probe_at),
        disabledReason=webhook.disabled_reason,
        previousSecretUntil=_iso(webhook.previous_until),
        createdAt=iso(webhook.created_at),
        updatedAt=iso(webhook.updated_at),
    )


def _told_names(settings: Settings) -> list[str]:
    if settings.event_names is EventNames.CURRENT or EVERYTHING in settings.events:
        return list(settings.events)
    return [LEGACY_NAMES.get(EventType(name), name) for name in settings.events]


class WebhookMade(WebhookBody):
    secret: str | None = Field(description="Shown this once; null when the answer is a replay.")


def webhook_made(webhook: Webhook, secret: str) -> WebhookMade:
    return WebhookMade(**webhook_body(webhook).model_dump(), secret=secret)


class WebhookList(BaseModel):
    webhooks: list[WebhookBody]
    total: int


class WebhookDeleted(BaseModel):
    success: bool
    id: str


class TestBody(BaseModel):
    """Which event to try; without one, `lead.updated`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"eventType": "reply.received"}]})

    eventType: Annotated[str, AfterValidator(lambda name: _one_event(name))] = Field(
        default="lead.updated", json_schema_extra={"enum": list(_NAMES)}
    )

    def event_type(self) -> EventType:
        found = current_name(self.eventType)
        assert found is not None
        return found


def _one_event(name: str) -> str:
    if current_name(name) is None:
        raise ValueError(f"'{name[:50]}' is not an event; expected one of: {', '.join(_NAMES)}")
    return name


class TestedBody(BaseModel):
    success: bool = Field(description="Whether the endpoint answered with a 2xx.")
    deliveryId: str
    eventId: str
    statusCode: int | None = Field(description="Null when there was no answer.")
    error: str | None = Field(description="`status_5xx`, `connect_timeout`, `address_refused`, …")
    durationMs: int


def tested_body(test: Test, tested: Tested) -> dict[str, Any]:
    return TestedBody(
        success=tested.success,
        deliveryId=public(Prefix.DELIVERY, test.delivery_id),
        eventId=public(Prefix.EVENT, test.event_id),
        statusCode=tested.status_code,
        error=tested.error,
        durationMs=tested.duration_ms,
    ).model_dump()


def test_planned_body(test: Test) -> dict[str, Any]:
    """What a replay answers when the server died before the test's outcome was known."""
    return TestedBody(
        success=False,
        deliveryId=public(Prefix.DELIVERY, test.delivery_id),
        eventId=public(Prefix.EVENT, test.event_id),
        statusCode=None,
        error="outcome_unknown",
        durationMs=0,
    ).model_dump()


class AttemptBody(BaseModel):
    at: str
    statusCode: int | None
    error: str | None
    durationMs: int
    answer: str = Field(description="The beginning of the body; secrets are taken out, and all of it with a person.")


class DeliveryBody(BaseModel):
    id: str
    eventId: str
    eventType: str
    status: DeliveryStatus
    attempts: list[AttemptBody]
    nextAttemptAt: str | None
    createdAt: str


def delivery_body(delivery: Delivery) -> DeliveryBody:
    return DeliveryBody(
        id=public(Prefix.DELIVERY, delivery.id),
        eventId=public(Prefix.EVENT, delivery.event_id),
        eventType=delivery.event_type,
        status=delivery.status,
        attempts=[_attempt(attempt) for attempt in delivery.attempts],
        nextAttemptAt=_iso(delivery.next_attempt_at),
        createdAt=iso(delivery.created_at),
    )


def _attempt(attempt: Mapping[str, Any]) -> AttemptBody:
    """Erasing a person leaves nothing in place of an answer."""
    told: dict[str, Any] = {**attempt, "answer": attempt["answer"] or ""}
    return AttemptBody(**told)


class DeliveryList(BaseModel):
    deliveries: list[DeliveryBody]
    nextCursor: str | None = Field(description="Where to go on; null on the last page.")


def delivery_list(fetched: Sequence[Delivery], limit: int) -> DeliveryList:
    """``fetched`` holds up to one more than the page shows."""
    shown = fetched[:limit]
    return DeliveryList(
        deliveries=[delivery_body(each) for each in shown],
        nextCursor=shown[-1].id if len(fetched) > limit else None,
    )


class RedeliverBody(BaseModel):
    """Which finished deliveries to send again; without anything, all of them, the oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "failed", "from": "2026-03-01T00:00:00Z"}]})

    status: Literal["delivered", "failed"] | None = None
    since: Moment | None = Field(None, alias="from", description="Made at this time or later.")
    until: Moment | None = Field(None, alias="to", description="Made before this time.")
    cursor: str | None = Field(
        None, pattern="^[0-9a-f]{32}$", description="The `nextCursor` of the answer before, with all else the same."
    )

    @field_validator("until")
    @classmethod
    def _behind_from(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if until is not None and since is not None and until <= since:
            raise ValueError("expected a time after from")
        return until


class Redelivered(BaseModel):
    redelivered: int = Field(description="At most 1,000 a request.")
    nextCursor: str | None = Field(description="Where to go on when there are more; else null.")


def redelivered_body(again: Again) -> Redelivered:
    return Redelivered(redelivered=again.count, nextCursor=again.go_on_after)
