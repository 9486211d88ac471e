"""Making, editing and testing endpoints, and sending deliveries again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from leadwright import ids
from leadwright.clock import Clock, iso
from leadwright.crypto import SecretBox
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.events.model import Event, EventType
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.outbound.signing import new_secret
from leadwright.outbound.url import UrlRefused, check_url, same_origin
from leadwright.postgres.pool import Connection, Database
from leadwright.webhooks import delivery, delivery_store, store
from leadwright.webhooks.body import body_of
from leadwright.webhooks.delivery_store import Address, Leased
from leadwright.webhooks.model import (
    MOST_WEBHOOKS,
    Delivery,
    DeliveryStatus,
    EventNames,
    Settings,
    Webhook,
    sample_data,
    told_type,
)

OLD_SECRET_LIVES = timedelta(hours=24)
MOST_REDELIVERED = 1_000
_TEST_LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What this room needs of the process: how to seal, and where endpoints may be."""

    secrets: SecretBox
    allowed: AllowedHosts

    def check(self, url: str) -> None:
        """Raises InvalidRequest for an address that nothing may be sent to."""
        try:
            check_url(url, self.allowed)
        except UrlRefused as refused:
            raise InvalidRequest(
                f"url: {refused}",
                code="webhook_address_refused" if refused.code == "address_refused" else "webhook_url_invalid",
                details=[Detail("url", str(refused))],
            ) from refused

    def seal_headers(self, headers: Mapping[str, str]) -> str | None:
        return self.secrets.seal(msgspec.json.encode(dict(headers)).decode()) if headers else None

    def opened(self, row: store.Row) -> Webhook:
        headers: dict[str, str] = msgspec.json.decode(self.secrets.open(row.headers)) if row.headers else {}
        return row.webhook(headers)


async def create(
    connection: Connection, workspace_id: str, endpoints: Endpoints, settings: Settings, now: datetime
) -> tuple[Webhook, str]:
    """The endpoint and its secret, which is never shown again. Raises InvalidRequest."""
    endpoints.check(settings.url)
    if await store.count(connection, workspace_id) >= MOST_WEBHOOKS:
        raise InvalidRequest(f"A workspace has at most {MOST_WEBHOOKS} webhooks", code="too_many_webhooks")
    webhook_id, secret = ids.new_id(), new_secret()
    await store.insert(
        connection,
        workspace_id,
        webhook_id,
        settings,
        sealed_headers=endpoints.seal_headers(settings.headers),
        sealed_secret=endpoints.secrets.seal(secret),
        now=now,
    )
    return await read(connection, workspace_id, endpoints, webhook_id), secret


async def read(connection: Connection, workspace_id: str, endpoints: Endpoints, webhook_id: str | None) -> Webhook:
    """Raises NotFound."""
    return endpoints.opened(await _row(connection, workspace_id, webhook_id))


async def _row(connection: Connection, workspace_id: str, webhook_id: str | None) -> store.Row:
    row = await store.webhook(connection, workspace_id, webhook_id) if webhook_id else None
    if row is None:
        raise not_found()
    return row


async def list_webhooks(connection: Connection, workspace_id: str, endpoints: Endpoints) -> list[Webhook]:
    return [endpoints.opened(row) for row in await store.webhooks(connection, workspace_id)]


async def edit(
    connection: Connection,
    workspace_id: str,
    endpoints: Endpoints,
    webhook_id: str | None,
    change: Callable[[Settings], Settings],
    now: datetime,
) -> Webhook:
    """Sets what ``change`` makes of the present settings. Enabling also resumes one that is paused.

    Raises NotFound, and InvalidRequest for an address that nothing may be sent to.
    """
    await _lock(connection, workspace_id, webhook_id)
    present = await read(connection, workspace_id, endpoints, webhook_id)
    wanted = change(present.settings)
    if wanted.url != present.settings.url:
        endpoints.check(wanted.url)
        _require_headers_anew(present.settings, wanted)
    sealed = endpoints.seal_headers(wanted.headers)
    await store.update(connection, workspace_id, present.id, wanted, sealed, now)
    if wanted.enabled and present.status != "active":
        await _go_on(connection, workspace_id, present.id, now)
    elif not wanted.enabled:
        await store.disable(connection, workspace_id, present.id, now)
    return await read(connection, workspace_id, endpoints, webhook_id)


def _require_headers_anew(present: Settings, wanted: Settings) -> None:
    """Their values are shown to nobody, so they go to no other host than the one they were given for."""
    if present.headers and wanted.headers is present.headers and not same_origin(present.url, wanted.url):
        expected = "is needed anew, or {}: url is at another host, which must not get the present ones"
        raise InvalidRequest.of([Detail("headers", expected)])


async def enable(
    connection: Connection, workspace_id: str, endpoints: Endpoints, webhook_id: str | None, now: datetime
) -> Webhook:
    """Whatever stopped it, it goes on. Raises NotFound."""
    await _lock(connection, workspace_id, webhook_id)
    present = await read(connection, workspace_id, endpoints, webhook_id)
    if present.status != "active":
        await _go_on(connection, workspace_id, present.id, now)
    return await read(connection, workspace_id, endpoints, webhook_id)


async def _go_on(connection: Connection, workspace_id: str, webhook_id: str, now: datetime) -> None:
    """Also what was to be tried again later is tried at once."""
    await store.enable(connection, workspace_id, webhook_id, now)
    await delivery_store.hurry(connection, [webhook_id], now)


async def rotate_secret(
    connection: Connection, workspace_id: str, endpoints: Endpoints, webhook_id: str | None, now: datetime
) -> tuple[Webhook, str]:
    """The endpoint and its new secret; the old one works for 24 h more. Raises NotFound."""
    await _lock(connection, workspace_id, webhook_id)
    secret = new_secret()
    sealed = endpoints.secrets.seal(secret)
    await store.rotate(connection, workspace_id, webhook_id or "", sealed, now + OLD_SECRET_LIVES, now)
    return await read(connection, workspace_id, endpoints, webhook_id), secret


async def delete(connection: Connection, workspace_id: str, webhook_id: str | None) -> None:
    """With what waits for it and with its log. Raises NotFound."""
    if webhook_id is None or not await store.lock(connection, workspace_id, webhook_id, alone=True):
        raise not_found()
    await store.delete(connection, workspace_id, webhook_id)


async def _lock(connection: Connection, workspace_id: str, webhook_id: str | None) -> None:
    if webhook_id is None or not await store.lock(connection, workspace_id, webhook_id):
        raise not_found()


async def deliveries(
    connection: Connection,
    workspace_id: str,
    webhook_id: str | None,
    *,
    status: DeliveryStatus | None,
    before: str | None,
    limit: int,
) -> list[Delivery]:
    """The log, the newest first. Raises NotFound."""
    row = await _row(connection, workspace_id, webhook_id)
    return await store.deliveries(connection, workspace_id, row.id, status=status, before=before, limit=limit)


async def read_delivery(
    connection: Connection, workspace_id: str, webhook_id: str | None, delivery_id: str | None
) -> Delivery:
    """Raises NotFound."""
    row = await _row(connection, workspace_id, webhook_id)
    found = await store.delivery(connection, workspace_id, row.id, delivery_id) if delivery_id else None
    if found is None:
        raise NotFound("Delivery not found", code="delivery_not_found")
    return found


async def redeliver(
    connection: Connection, workspace_id: str, webhook_id: str | None, delivery_id: str | None, now: datetime
) -> Delivery:
    """Sends one again; one that is still pending stays so. Raises NotFound."""
    await _lock(connection, workspace_id, webhook_id)
    found = await read_delivery(connection, workspace_id, webhook_id, delivery_id)
    await store.redeliver(connection, workspace_id, webhook_id or "", [found.id], now)
    return await read_delivery(connection, workspace_id, webhook_id, delivery_id)


@dataclass(frozen=True, slots=True)
class Again:
    """How many deliveries are sent again, and the one behind which there are more."""

    count: int
    go_on_after: str | None


async def redeliver_range(
    connection: Connection,
    workspace_id: str,
    webhook_id: str | None,
    *,
    status: DeliveryStatus | None,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
    now: datetime,
) -> Again:
    """Sends up to 1,000 finished deliveries again, the oldest first. Raises NotFound."""
    await _lock(connection, workspace_id, webhook_id)
    found = await store.finished_between(
        connection,
        workspace_id,
        webhook_id or "",
        status=status,
        since=since,
        until=until,
        after=after,
        limit=MOST_REDELIVERED + 1,
    )
    again = found[:MOST_REDELIVERED]
    count = await store.redeliver(connection, workspace_id, webhook_id or "", again, now) if again else 0
    return Again(count, again[-1] if len(found) > len(again) else None)


def not_found() -> NotFound:
    return NotFound("Webhook not found", code="webhook_not_found")


@dataclass(frozen=True, slots=True)
class Test:
    """A test event that was planned, to be sent when its plan has committed."""

    webhook_id: str
    delivery_id: str
    event_id: str
    prepared: delivery.Prepared


@dataclass(frozen=True, slots=True)
class Tested:
    success: bool
    status_code: int | None
    error: str | None
    duration_ms: int


async def plan_test(
    connection: Connection,
    workspace_id: str,
    endpoints: Endpoints,
    webhook_id: str | None,
    event_type: EventType,
    now: datetime,
) -> Test:
    """Writes down that a test is about to be sent. Raises NotFound."""
    await _lock(connection, workspace_id, webhook_id)
    row = await _row(connection, workspace_id, webhook_id)
    names = EventNames(row.event_names)
    delivery_id, event_id = ids.new_ids(2)
    data = msgspec.json.encode(sample_data(event_type, iso(now))).decode()
    body = body_of(workspace_id, Event(event_id, None, event_type, data, False, now), names)
    await store.insert_test(
        connection,
        workspace_id,
        row.id,
        delivery_id=delivery_id,
        event_id=event_id,
        event_type=told_type(event_type, names),
        body=body.decode(),
        lease_until=now + _TEST_LEASE,
        now=now,
    )
    [address] = (await delivery_store.addresses(connection, [row.id])).values()
    target = delivery.opened(endpoints.secrets, address, now)
    return Test(row.id, delivery_id, event_id, _prepared(address, target, delivery_id, event_id, body))


def _prepared(
    address: Address, target: delivery.Target, delivery_id: str, event_id: str, body: bytes
) -> delivery.Prepared:
    return delivery.Prepared(
        lease=Leased(address.id, f"test_{delivery_id}", 0),
        workspace_id=address.workspace_id,
        delivery_id=delivery_id,
        event_id=ids.public(ids.Prefix.EVENT, event_id),
        target=target,
        body=body,
        primary=delivery.primary(target.signer, accepts_previous=address.accepts_previous),
        retries_used=0,
    )


async def perform_test(database: Database, client: OutboundClient, clock: Clock, test: Test) -> Tested:
    """Sends a planned test outside any transaction, and writes the outcome down in one of its own."""
    outcome = await delivery.send(test.prepared, client, clock)
    last: dict[str, Any] = outcome.attempts[-1]
    success = isinstance(outcome, delivery.Sent)
    async with database.transaction() as connection:
        await store.finish_test(
            connection,
            test.prepared.workspace_id,
            test.webhook_id,
            test.delivery_id,
            attempts=outcome.attempts,
            status=DeliveryStatus.DELIVERED if success else DeliveryStatus.FAILED,
            now=clock(),
        )
    return Tested(success, last["statusCode"], last["error"], last["durationMs"])
