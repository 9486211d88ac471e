"""What one process does beside answering requests: publish, deliver, keep house; started and stopped in order."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from leadwright.background import Bell, Duty
from leadwright.campaigns import counters
from leadwright.channels import simulator
from leadwright.channels.registry import Channels
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.engine.duties import EngineDuties
from leadwright.events import publisher
from leadwright.events.model import Placed
from leadwright.http import idempotency
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Connection, Database
from leadwright.privacy import retention
from leadwright.settings import Settings
from leadwright.webhooks import delivery_store
from leadwright.webhooks.announce import announce
from leadwright.webhooks.deliverer import Deliverer

FOLD_EVERY_SECONDS = 2.0
PUBLISH_EVERY_SECONDS = 0.25
FORGET_EVERY_SECONDS = 60.0
RETAIN_EVERY_SECONDS = 600.0


class Part(StrEnum):
    """What a process can be given to do. Publishing and housekeeping every process does, one at a time."""

    DELIVERIES = "deliveries"
    ENGINE = "engine"


ALL_PARTS = frozenset(Part)


@dataclass(frozen=True, slots=True)
class Workers:
    """``committed`` is to be called after whatever may have recorded an event, so that it goes out at once.

    ``published`` rings when events have got their places in the feed. ``ending`` is to be called when the process is
    about to stop: nothing new is begun from then on.
    """

    committed: Callable[[], None]
    published: Bell
    ending: Callable[[], None]


@asynccontextmanager
async def working(
    database: Database,
    settings: Settings,
    clock: Clock,
    secrets: SecretBox,
    outbound: OutboundClient,
    *,
    parts: Collection[Part] = ALL_PARTS,
) -> AsyncGenerator[Workers]:
    """All of it runs while the block does; what is under way at its end is finished or given back."""
    deliverer = _deliverer(database, settings, clock, secrets, outbound)
    bell = Bell()

    def published() -> None:
        bell.ring()
        deliverer.wake()

    duties = _duties(database, settings, clock, published)
    at_once = settings.deeds_at_once
    channels = Channels(database, outbound)
    engine = EngineDuties(database, secrets, channels, clock, deeds_at_once=at_once, recorded=duties[0].wake)

    def committed() -> None:
        duties[0].wake()
        engine.wake()

    def ending() -> None:
        bell.end()
        deliverer.end()

    for duty in duties:
        duty.start()
    if Part.DELIVERIES in parts:
        deliverer.start()
    if Part.ENGINE in parts:
        engine.start()
    try:
        yield Workers(committed, bell, ending)
    finally:
        ending()
        await asyncio.gather(engine.stop(), deliverer.stop(), *(duty.stop() for duty in duties))


def _deliverer(
    database: Database, settings: Settings, clock: Clock, secrets: SecretBox, outbound: OutboundClient
) -> Deliverer:
    return Deliverer(
        database,
        outbound,
        secrets,
        clock,
        schedule=settings.webhook_retry_schedule,
        slots=settings.webhook_concurrency,
        seconds=settings.webhook_timeout,
    )


def _duties(database: Database, settings: Settings, clock: Clock, published: Callable[[], None]) -> Sequence[Duty]:
    async def make_deliveries(connection: Connection, events: Sequence[Placed]) -> None:
        await announce(connection, events, clock())

    async def publish() -> bool:
        count = await publisher.publish(database, announce=make_deliveries)
        if count:
            published()
        return count > 0

    async def fold() -> bool:
        async with database.transaction() as connection:
            return await counters.fold(connection) > 0

    async def forget() -> bool:
        now = clock()
        async with database.transaction() as connection:
            forgotten = await idempotency.forget_expired(connection, now)
        async with database.transaction() as connection:
            before = now - timedelta(days=settings.webhook_log_days)
            forgotten += await delivery_store.forget_finished(connection, before)
        async with database.transaction() as connection:
            forgotten += await simulator.forget_old(connection, now)
        return forgotten > 0

    async def forget_old() -> bool:
        return await retention.forget_old(database, retention.Days.of(settings), clock())

    return (
        Duty("publish_events", publish, pause=PUBLISH_EVERY_SECONDS),
        Duty("fold_counters", fold, pause=FOLD_EVERY_SECONDS),
        Duty("forget_expired", forget, pause=FORGET_EVERY_SECONDS),
        Duty("forget_old", forget_old, pause=RETAIN_EVERY_SECONDS),
    )
