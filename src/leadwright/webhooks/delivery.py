"""One delivery's way: Prepared from its rows, sent, then Sent or Failed; the database is not held meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from leadwright.clock import Clock, iso
from leadwright.crypto import SecretBox
from leadwright.events.model import Event, EventType
from leadwright.ids import Prefix, public
from leadwright.outbound.client import Answer, Failure, OutboundClient, parts_of, scrubbed, spellings
from leadwright.outbound.signing import SECRET_PREFIX, Signer, Which
from leadwright.webhooks.body import body_of
from leadwright.webhooks.delivery_store import Address, Head, Leased
from leadwright.webhooks.model import names_behind

REMEMBERED_ENDPOINTS = 1_000
EVENT_GONE = "event_gone"
"""The event was deleted before it could be delivered."""
_WRONG_SECRET = (401, 403)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint as it is posted to: its secrets are opened. ``secrets`` must not be shown."""

    url: str
    signer: Signer
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


class Prepared(msgspec.Struct, frozen=True):
    """Everything that sending needs. A struct, like those below: one is made for every post."""

    lease: Leased
    workspace_id: str
    delivery_id: str
    event_id: str
    target: Target
    body: bytes
    primary: Which
    retries_used: int


class Sent(msgspec.Struct, frozen=True):
    """The endpoint took it. ``by``: the secret that it knows."""

    prepared: Prepared
    attempts: list[dict[str, Any]]
    by: Which


class Failed(msgspec.Struct, frozen=True):
    """It did not. ``gone``: it wants nothing any more. ``retry_after`` in seconds, when it named a time."""

    prepared: Prepared
    attempts: list[dict[str, Any]]
    at: datetime
    retry_after: float | None = None
    gone: bool = False


class Hopeless(msgspec.Struct, frozen=True):
    """There is nothing to send: the event is gone."""

    lease: Leased
    workspace_id: str
    delivery_id: str
    attempts: list[dict[str, Any]]


Outcome = Sent | Failed | Hopeless


class Preparer:
    """Opens each endpoint's secrets once a version, since opening costs more than signing."""

    def __init__(self, secrets: SecretBox) -> None:
        self._secrets = secrets
        self._targets: dict[tuple[str, datetime, bool], Target] = {}

    def prepare(self, lease: Leased, head: Head, address: Address, now: datetime) -> Prepared | Hopeless:
        body = _body(address.workspace_id, head)
        if body is None:
            attempt = _attempt(now, None, EVENT_GONE, 0.0, "")
            return Hopeless(lease, address.workspace_id, head.delivery_id, [attempt])
        target = self._target(address, now)
        return Prepared(
            lease,
            address.workspace_id,
            head.delivery_id,
            public(Prefix.EVENT, head.event_id),
            target,
            body,
            primary(target.signer, accepts_previous=address.accepts_previous),
            head.retries_used,
        )

    def _target(self, address: Address, now: datetime) -> Target:
        key = (address.id, address.updated_at, _rotating(address, now))
        if key not in self._targets:
            if len(self._targets) >= REMEMBERED_ENDPOINTS:
                self._targets.clear()
            self._targets[key] = opened(self._secrets, address, now)
        return self._targets[key]


def opened(secrets: SecretBox, address: Address, now: datetime) -> Target:
    """Raises SecretKeyError when the key that sealed the endpoint's secrets is not there any more."""
    secret = secrets.open(address.secret)
    previous = secrets.open(address.previous_secret) if address.previous_secret and _rotating(address, now) else None
    headers = msgspec.json.decode(secrets.open(address.headers), type=dict[str, str]) if address.headers else {}
    return Target(address.url, Signer(secret, previous), headers, known_secrets(secret, previous, headers))


def primary(signer: Signer, *, accepts_previous: bool) -> Which:
    """The secret that the endpoint accepted last, as far as it still stands."""
    return "previous" if accepts_previous and signer.rotating else "current"


def _rotating(address: Address, now: datetime) -> bool:
    return address.previous_until is not None and address.previous_until > now


def known_secrets(secret: str, previous: str | None, headers: Mapping[str, str]) -> tuple[str, ...]:
    """What the endpoint knows and the log must not show, in each spelling, the longest first."""
    signing = [part for each in (secret, previous) if each for part in (each, each.removeprefix(SECRET_PREFIX))]
    parts = [part for value in headers.values() for part in parts_of(value)]
    known = {spelling for part in (*signing, *parts) if part for spelling in spellings(part)}
    return tuple(sorted(known, key=len, reverse=True))


def _body(workspace_id: str, head: Head) -> bytes | None:
    if head.test_body is not None:
        return head.test_body.encode()
    if head.event_type is None or head.event_data is None or head.event_at is None:
        return None
    event = Event(
        head.event_id,
        None,
        EventType(head.event_type),
        head.event_data,
        bool(head.event_simulated),
        head.event_at,
        bool(head.event_by_caller),
    )
    return body_of(workspace_id, event, names_behind(head.told_type))


async def send(prepared: Prepared, client: OutboundClient, clock: Clock) -> Sent | Failed:
    """Posts it. While two secrets are valid, one that was refused is followed by the other at once."""
    by = prepared.primary
    reply, attempt = await _post(prepared, by, client, clock)
    attempts = [attempt]
    if isinstance(reply, Answer) and reply.status in _WRONG_SECRET and prepared.target.signer.rotating:
        by = "current" if by == "previous" else "previous"
        reply, attempt = await _post(prepared, by, client, clock)
        attempts.append(attempt)
    if isinstance(reply, Failure):
        return Failed(prepared, attempts, clock())
    if reply.accepted:
        return Sent(prepared, attempts, by)
    return Failed(prepared, attempts, clock(), reply.retry_after, gone=reply.status == _GONE)


async def _post(
    prepared: Prepared, by: Which, client: OutboundClient, clock: Clock
) -> tuple[Answer | Failure, dict[str, Any]]:
    """What came of it, and the entry of the log."""
    at, target = clock(), prepared.target
    signed = target.signer.headers(prepared.event_id, prepared.body, int(at.timestamp()), primary=by)
    reply = await client.post(target.url, prepared.body, {**target.headers, **signed})
    if isinstance(reply, Failure):
        return reply, _attempt(at, None, reply.code.value, reply.duration, "")
    error = None if reply.accepted else f"status_{reply.status // 100}xx"
    return reply, _attempt(at, reply.status, error, reply.duration, _shown(reply.body, target.secrets))


def _shown(answer: str, secrets: Sequence[str]) -> str:
    return scrubbed(answer, secrets) if answer else ""


def _attempt(at: datetime, status: int | None, error: str | None, duration: float, answer: str) -> dict[str, Any]:
    return {
        "at": iso(at),
        "statusCode": status,
        "error": error,
        "durationMs": round(duration * 1000),
        "answer": answer,
    }
