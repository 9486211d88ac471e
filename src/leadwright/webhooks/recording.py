"""What follows from the outcomes of deliveries: delivered, tried again, failed, an endpoint paused or disabled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadwright.ids import Prefix, public
from leadwright.postgres.pool import Connection
from leadwright.telemetry import metrics
from leadwright.telemetry.logs import logger
from leadwright.webhooks import delivery_store, retry
from leadwright.webhooks.delivery import Failed, Hopeless, Outcome, Sent
from leadwright.webhooks.delivery_store import Change, Leased, Standing
from leadwright.webhooks.model import DeliveryStatus

_log = logger("leadwright.webhooks")


def _lease(outcome: Outcome) -> Leased:
    return outcome.lease if isinstance(outcome, Hopeless) else outcome.prepared.lease


@dataclass(frozen=True, slots=True)
class Recorder:
    """``jitter`` gives a number from 0 to 1."""

    schedule: Sequence[float]
    jitter: Callable[[], float]

    async def record(self, connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Writes outcomes of streams that are still leased under the tokens they were claimed with.

        Endpoints are locked before streams, each in the order of their ids, as everyone does who locks both.
        """
        leases = [_lease(outcome) for outcome in outcomes]
        endpoints = await delivery_store.lock_webhooks(connection, sorted({lease.webhook_id for lease in leases}))
        ours = await delivery_store.lock_streams(connection, leases)
        held = [
            outcome
            for outcome, lease in zip(outcomes, leases, strict=True)
            if (lease.webhook_id, lease.stream) in ours and lease.webhook_id in endpoints
        ]
        failures = [outcome for outcome in held if isinstance(outcome, Failed)]
        failed_first = await _failed_first(connection, failures)
        sent = [outcome for outcome in held if isinstance(outcome, Sent)]
        accepting = await _note_accepted(connection, sent, endpoints, now)
        changes = [self._sent(outcome) for outcome in sent]
        changes += [_hopeless(outcome) for outcome in held if isinstance(outcome, Hopeless)]
        for outcome in failures:
            lease = outcome.prepared.lease
            first = failed_first.get(outcome.prepared.delivery_id) or outcome.at
            standing = endpoints[lease.webhook_id]
            accepted_since = lease.webhook_id in accepting or _accepted_since(standing, first)
            changes.append(await self._failed(connection, outcome, standing, first, now, accepted_since=accepted_since))
        if changes:
            await delivery_store.record(connection, changes, now)

    async def end_empty(self, connection: Connection, leases: Sequence[Leased], now: datetime) -> None:
        """Streams in which nothing was pending when they were claimed: gone, unless something has come since."""
        ours = await delivery_store.lock_streams(connection, leases)
        await delivery_store.pass_on(connection, [(webhook, stream, None) for webhook, stream in sorted(ours)], now)

    def _sent(self, outcome: Sent) -> Change:
        metrics.DELIVERIES["delivered"].inc()
        prepared = outcome.prepared
        return Change(
            prepared.workspace_id,
            prepared.delivery_id,
            prepared.lease.webhook_id,
            prepared.lease.stream,
            outcome.attempts,
            DeliveryStatus.DELIVERED,
            prepared.retries_used,
            None,
            None,
        )

    async def _failed(
        self,
        connection: Connection,
        outcome: Failed,
        endpoint: Standing,
        first: datetime,
        now: datetime,
        *,
        accepted_since: bool,
    ) -> Change:
        metrics.DELIVERIES["retried"].inc()
        prepared = outcome.prepared
        wait = retry.delay(self.schedule, prepared.retries_used, self.jitter(), outcome.retry_after)
        status, used, due = DeliveryStatus.PENDING, prepared.retries_used + 1, None
        since: datetime | None = first
        if outcome.gone:
            await delivery_store.disable(connection, endpoint.id, now, "gone")
            _log.warning("webhook disabled: it answered 410 Gone", webhook=public(Prefix.WEBHOOK, endpoint.id))
            used, due, since = 0, now, None
        elif endpoint.paused_at is not None:
            await self._pause(connection, endpoint, outcome, now)
            used, due, since = 0, now, None
        elif wait is not None:
            due = now + timedelta(seconds=wait)
        elif accepted_since:
            status, used = DeliveryStatus.FAILED, prepared.retries_used
            metrics.DELIVERIES["failed"].inc()
        else:
            await self._pause(connection, endpoint, outcome, now)
            used, due, since = 0, now, None
        return Change(
            prepared.workspace_id,
            prepared.delivery_id,
            endpoint.id,
            prepared.lease.stream,
            outcome.attempts,
            status,
            used,
            since,
            due,
        )

    async def _pause(self, connection: Connection, endpoint: Standing, outcome: Failed, now: datetime) -> None:
        """Retries have run out and nothing was accepted meanwhile; or a probe failed: then the next is planned."""
        last = outcome.attempts[-1]
        reason = last["error"] or f"status {last['statusCode']}"
        probe_at = now + timedelta(seconds=retry.probe_delay(self.schedule, outcome.retry_after))
        await delivery_store.pause(connection, endpoint.id, now, probe_at, reason)
        if endpoint.paused_at is None:
            metrics.WEBHOOKS_PAUSED.inc()
            _log.warning(
                "webhook paused: its deliveries wait until a probe succeeds or a person resumes it",
                webhook=public(Prefix.WEBHOOK, endpoint.id),
                reason=reason,
            )
            endpoint.paused_at = now


def _accepted_since(endpoint: Standing, moment: datetime) -> bool:
    return endpoint.accepted_at is not None and endpoint.accepted_at > moment


async def _failed_first(connection: Connection, failures: Sequence[Failed]) -> dict[str, datetime | None]:
    wanted = [(f.prepared.workspace_id, f.prepared.delivery_id) for f in failures]
    return await delivery_store.first_failures(connection, wanted) if wanted else {}


async def _note_accepted(
    connection: Connection, sent: Sequence[Sent], endpoints: Mapping[str, Standing], now: datetime
) -> set[str]:
    """One write for all endpoints, however many deliveries each took."""
    by_previous = {outcome.prepared.lease.webhook_id: outcome.by == "previous" for outcome in sent}
    if by_previous:
        await delivery_store.accepted(connection, by_previous, now)
    resumed = [webhook for webhook in by_previous if endpoints[webhook].paused_at is not None]
    if resumed:
        await delivery_store.hurry(connection, resumed, now)
    for webhook in resumed:
        endpoints[webhook].paused_at = None
    return set(by_previous)


def _hopeless(outcome: Hopeless) -> Change:
    return Change(
        outcome.workspace_id,
        outcome.delivery_id,
        outcome.lease.webhook_id,
        outcome.lease.stream,
        outcome.attempts,
        DeliveryStatus.FAILED,
        0,
        None,
        None,
    )
