"""Giving committed events their places in the feeds, by one publisher at a time."""

from collections.abc import Awaitable, Callable, Sequence

from leadwright.events import store
from leadwright.events.model import Placed
from leadwright.postgres.pool import Connection, Database

Announce = Callable[[Connection, Sequence[Placed]], Awaitable[object]]

BATCH = 1000


async def publish(database: Database, *, limit: int = BATCH, announce: Announce | None = None) -> int:
    """Publishes up to ``limit`` waiting events in one transaction; answers how many.

    0 when nothing waits, or when another process is publishing at this moment. ``announce`` makes what must come into
    being together with an event's place, in the same transaction.
    """
    async with database.transaction() as connection:
        if not await store.take_publishing(connection):
            return 0
        placed = await store.give_positions(connection, limit)
        if announce is not None and placed:
            await announce(connection, placed)
        return len(placed)
