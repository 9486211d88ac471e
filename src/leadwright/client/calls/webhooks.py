"""Calls about webhook endpoints and their deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from msgspec import UNSET

from leadwright.client.answers import webhooks as answers
from leadwright.client.answers.base import JSON, Done
from leadwright.client.request import Request, Walk, by_cursor, request

ONE = "/v1/webhooks/{webhook_id}"
DELIVERIES = ONE + "/deliveries"


class Fields(TypedDict, total=False):
    """What can be set on an endpoint."""

    name: str
    events: Sequence[str]
    event_names: Literal["current", "legacy"]
    enabled: bool
    headers: Mapping[str, str]


class Change(Fields, total=False):
    url: str


def _on_the_wire(fields: Fields) -> JSON:
    return {"eventNames" if name == "event_names" else name: value for name, value in fields.items()}


def create(url: str, **fields: Unpack[Fields]) -> Request[answers.NewWebhook]:
    """Its ``secret`` is shown this once."""
    return request("POST", "/v1/webhooks", answers.NewWebhook, body={"url": url, **_on_the_wire(fields)})


def every() -> Request[answers.Webhooks]:
    """All endpoints, oldest first."""
    return request("GET", "/v1/webhooks", answers.Webhooks)


def read(webhook_id: str) -> Request[answers.Webhook]:
    return request("GET", ONE, answers.Webhook, webhook_id)


def edit(webhook_id: str, **fields: Unpack[Change]) -> Request[answers.Webhook]:
    """Sets the fields that are given, and leaves the others."""
    return request("PATCH", ONE, answers.Webhook, webhook_id, body=_on_the_wire(fields))


def delete(webhook_id: str) -> Request[Done]:
    return request("DELETE", ONE, Done, webhook_id)


def enable(webhook_id: str) -> Request[answers.Webhook]:
    """Resumes an endpoint that was paused or disabled; what waits goes out in order."""
    return request("POST", ONE + "/enable", answers.Webhook, webhook_id)


def rotate_secret(webhook_id: str) -> Request[answers.NewWebhook]:
    """A new ``secret``; the old one works for a while more."""
    return request("POST", ONE + "/rotate-secret", answers.NewWebhook, webhook_id)


def send_test(webhook_id: str, event_type: str | None = None) -> Request[answers.WebhookTested]:
    """Sends a test delivery at once and tells how it was taken."""
    body = {"eventType": UNSET if event_type is None else event_type}
    return request("POST", ONE + "/test", answers.WebhookTested, webhook_id, body=body)


def deliveries_page(
    webhook_id: str, *, status: str | None = None, limit: int = 50, cursor: str | None = None
) -> Request[answers.Deliveries]:
    """One page of the deliveries to an endpoint."""
    query = {"status": status, "limit": limit, "cursor": cursor}
    return request("GET", DELIVERIES, answers.Deliveries, webhook_id, query=query)


def deliveries(webhook_id: str, *, status: str | None = None) -> Walk[answers.Delivery]:
    """All deliveries to an endpoint that are still in the log."""
    return by_cursor(deliveries_page(webhook_id, status=status, limit=100), lambda found: found.deliveries)


def read_delivery(webhook_id: str, delivery_id: str) -> Request[answers.Delivery]:
    return request("GET", DELIVERIES + "/{delivery_id}", answers.Delivery, webhook_id, delivery_id)


def redeliver(webhook_id: str, delivery_id: str) -> Request[answers.Delivery]:
    """Sends a delivery once more, with the same event id and body."""
    return request("POST", DELIVERIES + "/{delivery_id}/redeliver", answers.Delivery, webhook_id, delivery_id)


def redeliver_all(
    webhook_id: str,
    *,
    status: Literal["delivered", "failed"] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
) -> Request[answers.Redelivered]:
    """Sends finished deliveries once more, the oldest first, up to 1,000 a request: ask again from ``next_cursor``."""
    body = {
        "status": status,
        "from": since and since.isoformat(),
        "to": until and until.isoformat(),
        "cursor": cursor,
    }
    return request("POST", ONE + "/redeliver", answers.Redelivered, webhook_id, body=body)
