"""Looking again at leads that wait, because what holds them may have changed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from leadwright.engine import waking_store
from leadwright.postgres.pool import Connection


async def campaign_changed(connection: Connection, workspace_id: str, campaign_id: str, now: datetime) -> None:
    """After a start, a resumption, or an edit of hours, limits or senders: every lane of it is looked at anew."""
    await waking_store.open_lanes(connection, workspace_id, campaign_id, now)


async def sender_changed(connection: Connection, workspace_id: str, sender_ids: Collection[str], now: datetime) -> None:
    """After an edit of senders, a removal or a return: their lanes, and where leads wait to be given a sender."""
    await waking_store.open_lanes_of_senders(connection, workspace_id, sender_ids, now)


async def sequence_changed(
    connection: Connection, workspace_id: str, campaign_id: str, step_ids: Collection[str], now: datetime
) -> None:
    """After an edit of the sequence: held leads, and those that wait at steps that it changed or took out."""
    await waking_store.open_lanes(connection, workspace_id, campaign_id, now)
    await waking_store.wake_held(connection, workspace_id, campaign_id, now)
    if step_ids:
        await waking_store.wake_at_steps(connection, workspace_id, campaign_id, step_ids, now)


async def policy_changed(
    connection: Connection, workspace_id: str, campaign_id: str, rules: Collection[str], now: datetime
) -> None:
    """After an edit of settings that these rules follow: the leads that they hold. After the lanes were opened."""
    if rules:
        await waking_store.wake_held_by(connection, workspace_id, campaign_id, rules, now)


async def fields_filled(
    connection: Connection, workspace_id: str, campaign_id: str, persons: Sequence[tuple[str, str]], now: datetime
) -> None:
    """After leads got other fields: those that were held for want of one, or wait for a condition about one.

    ``persons`` are canonical kinds and keys.
    """
    await waking_store.wake_persons(connection, workspace_id, campaign_id, persons, now)
