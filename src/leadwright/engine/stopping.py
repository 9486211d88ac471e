"""Leads that stop, or go, take with them what was planned for them."""

from collections.abc import Sequence
from datetime import datetime

from leadwright.engine import action_store, deletion_store
from leadwright.postgres.pool import Connection
from leadwright.senders import quotas


async def withdraw(
    connection: Connection, workspace_id: str, lead_ids: Sequence[str], reason: str, now: datetime
) -> None:
    """Takes back plans and open tasks of leads that the caller holds, and gives their quota back.

    What a channel is performing at this moment is its own: it is over when the outcome comes.
    """
    if lead_ids:
        taken = await action_store.cancel_of_leads(connection, workspace_id, lead_ids, reason, now)
        await quotas.give_back_many(connection, workspace_id, taken)


async def purge(connection: Connection, workspace_id: str, lead_ids: Sequence[str]) -> None:
    """Removes the deeds of leads that are being removed; what had not begun gives its quota back."""
    taken = await deletion_store.delete_of_leads(connection, workspace_id, lead_ids)
    await quotas.give_back_many(connection, workspace_id, taken)


async def delete_of_campaign(connection: Connection, workspace_id: str, campaign_id: str) -> None:
    """Removes all that the engine keeps of a campaign which is being deleted."""
    taken = await deletion_store.delete_of_campaign(connection, workspace_id, campaign_id)
    await quotas.give_back_many(connection, workspace_id, taken)


async def rekey(connection: Connection, workspace_id: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Follows a learned alias, in the transaction that learned it."""
    await action_store.rekey(connection, workspace_id, old, new)
