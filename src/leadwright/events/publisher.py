"""Giving committed events their places in the feeds, by one publisher at a time."""

from leadwright.events import store
from leadwright.postgres.pool import Database

BATCH = 1000


async def publish(database: Database, *, limit: int = BATCH) -> int:
    """Publishes up to ``limit`` waiting events in one transaction; answers how many.

    0 when nothing waits, or when another process is publishing at this moment. What must come into being
    together with an event's place belongs into this transaction, after the places are given.
    """
    async with database.transaction() as connection:
        if not await store.take_publishing(connection):
            return 0
        return await store.give_positions(connection, limit)
