"""Making the deliveries of events in the transaction that gives them their places in the feed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from leadwright import ids
from leadwright.events.model import EventType, Placed
from leadwright.postgres.pool import Connection
from leadwright.webhooks import delivery_store
from leadwright.webhooks.delivery_store import NewDelivery, Subscriber
from leadwright.webhooks.model import EventNames, subscribed, told_type


async def announce(connection: Connection, events: Sequence[Placed], now: datetime) -> int:
    """One delivery for each event and each enabled endpoint that wants it; answers how many."""
    by_workspace: dict[str, list[Subscriber]] = defaultdict(list)
    for each in await delivery_store.subscribers(connection, sorted({event.workspace_id for event in events})):
        by_workspace[each.workspace_id].append(each)
    wanted = [
        (event, subscriber)
        for event in events
        for subscriber in by_workspace.get(event.workspace_id, ())
        if subscribed(subscriber.events, event.type)
    ]
    for start in range(0, len(wanted), ids.MOST_AT_ONCE):
        part = wanted[start : start + ids.MOST_AT_ONCE]
        made = [_delivery(delivery_id, *pair) for delivery_id, pair in zip(ids.new_ids(len(part)), part, strict=True)]
        await delivery_store.insert(connection, made, now)
    return len(wanted)


def _delivery(delivery_id: str, event: Placed, subscriber: Subscriber) -> NewDelivery:
    told = told_type(EventType(event.type), EventNames(subscriber.event_names))
    return NewDelivery(delivery_id, event.workspace_id, subscriber.id, event.id, told, event.stream, event.position)
