"""One delivery's way: Prepared from its rows, sent, then Sent or Failed; the database is not held meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from leadwright.clock import Clock, iso
from leadwright.crypto import SecretBox
from leadwright.events.model import Event, EventType
from leadwright.ids import Prefix, public
from leadwright.outbound.client import Answer, Failure, OutboundClient, parts_of, scrubbed
from leadwright.outbound.signing import Signer, Which
from leadwright.webhooks.body import body_of
from leadwright.webhooks.delivery_store import Head, Leased
from leadwright.webhooks.model import names_behind

REMEMBERED_ENDPOINTS = 1_000
EVENT_GONE = "event_gone"
"""The event was deleted before it could be delivered."""
_WRONG_SECRET = (401, 403)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that sending needs."""

    lease: Leased
    workspace_id: str
    delivery_id: str
    event_id: str
    url: str
    body: bytes
    signer: Signer
    headers: dict[str, str]
    primary: Which
    retries_used: int
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The endpoint took it. ``by``: the secret that it knows."""

    prepared: Prepared
    attempts: list[dict[str, Any]]
    by: Which


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not. ``gone``: it wants nothing any more. ``retry_after`` in seconds, when it named a time."""

    prepared: Prepared
    attempts: list[dict[str, Any]]
    at: datetime
    retry_after: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Hopeless:
    """There is nothing to send: the event is gone."""

    lease: Leased
    workspace_id: str
    delivery_id: str
    attempts: list[dict[str, Any]]


Outcome = Sent | Failed | Hopeless


@dataclass(frozen=True, slots=True)
class _Opened:
    signer: Signer
    headers: dict[str, str]
    secrets: tuple[str, ...]


class Preparer:
    """Opens each endpoint's secrets once a version, since opening costs more than signing."""

    def __init__(self, secrets: SecretBox) -> None:
        self._secrets = secrets
        self._opened: dict[tuple[str, datetime, bool], _Opened] = {}

    def prepare(self, head: Head, now: datetime) -> Prepared | Hopeless:
        lease = Leased(head.webhook_id, head.stream, head.token)
        body = _body(head)
        if body is None:
            attempt = _attempt(now, None, EVENT_GONE, 0.0, "")
            return Hopeless(lease, head.workspace_id, head.delivery_id, [attempt])
        opened = self._open(head, now)
        primary: Which = "previous" if head.accepts_previous and opened.signer.rotating else "current"
        return Prepared(
            lease=lease,
            workspace_id=head.workspace_id,
            delivery_id=head.delivery_id,
            event_id=public(Prefix.EVENT, head.event_id),
            url=head.url,
            body=body,
            signer=opened.signer,
            headers=opened.headers,
            primary=primary,
            retries_used=head.retries_used,
            secrets=opened.secrets,
        )

    def _open(self, head: Head, now: datetime) -> _Opened:
        rotating = head.previous_until is not None and head.previous_until > now
        key = (head.webhook_id, head.updated_at, rotating)
        if key not in self._opened:
            if len(self._opened) >= REMEMBERED_ENDPOINTS:
                self._opened.clear()
            secret = self._secrets.open(head.secret)
            previous = self._secrets.open(head.previous_secret) if rotating and head.previous_secret else None
            headers = msgspec.json.decode(self._secrets.open(head.headers), type=dict[str, str]) if head.headers else {}
            known = known_secrets(secret, previous, headers)
            self._opened[key] = _Opened(Signer(secret, previous), headers, known)
        return self._opened[key]


def known_secrets(secret: str, previous: str | None, headers: Mapping[str, str]) -> tuple[str, ...]:
    """What the endpoint knows and the log must not show, the longest first."""
    parts = [part for value in headers.values() for part in parts_of(value)]
    return tuple(sorted({part for part in (secret, previous, *parts) if part}, key=len, reverse=True))


def _body(head: Head) -> bytes | None:
    if head.test_body is not None:
        return head.test_body.encode()
    if head.event_type is None or head.event_data is None or head.event_at is None:
        return None
    event = Event(
        head.event_id, None, EventType(head.event_type), head.event_data, bool(head.event_simulated), head.event_at
    )
    return body_of(head.workspace_id, event, names_behind(head.told_type))


async def send(prepared: Prepared, client: OutboundClient, clock: Clock) -> Sent | Failed:
    """Posts it. While two secrets are valid, one that was refused is followed by the other at once."""
    attempts: list[dict[str, Any]] = []
    primary = prepared.primary
    reply = await _post(prepared, primary, client, clock, attempts.append)
    refused = isinstance(reply, Answer) and reply.status in _WRONG_SECRET
    if refused and prepared.signer.rotating:
        primary = "current" if primary == "previous" else "previous"
        reply = await _post(prepared, primary, client, clock, attempts.append)
    if isinstance(reply, Answer) and reply.accepted:
        return Sent(prepared, attempts, primary)
    if isinstance(reply, Answer):
        return Failed(prepared, attempts, clock(), reply.retry_after, gone=reply.status == _GONE)
    return Failed(prepared, attempts, clock())


async def _post(
    prepared: Prepared,
    primary: Which,
    client: OutboundClient,
    clock: Clock,
    note: Callable[[dict[str, Any]], None],
) -> Answer | Failure:
    at = clock()
    signed = prepared.signer.headers(prepared.event_id, prepared.body, int(at.timestamp()), primary=primary)
    reply = await client.post(prepared.url, prepared.body, prepared.headers | signed)
    if isinstance(reply, Answer):
        error = None if reply.accepted else f"status_{reply.status // 100}xx"
        note(_attempt(at, reply.status, error, reply.duration, scrubbed(reply.body, prepared.secrets)))
    else:
        note(_attempt(at, None, reply.code.value, reply.duration, ""))
    return reply


def _attempt(at: datetime, status: int | None, error: str | None, duration: float, answer: str) -> dict[str, Any]:
    return {
        "at": iso(at),
        "statusCode": status,
        "error": error,
        "durationMs": round(duration * 1000),
        "answer": answer,
    }
