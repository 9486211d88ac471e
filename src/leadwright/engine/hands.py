"""A campaign's senders as far as its work depends on them: those that are there, and what their channels can do."""

from collections.abc import Mapping, Sequence

from leadwright.channels import registry
from leadwright.engine.readiness import Hand
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.senders.model import Sender, SenderStatus


async def hands(connection: Connection, workspace_id: str, sender_ids: Sequence[str]) -> list[Hand]:
    """In the order of the ids, removed ones left out."""
    found = await present(connection, workspace_id, sender_ids)
    return [hand(found[each]) for each in sender_ids if each in found]


async def present(connection: Connection, workspace_id: str, sender_ids: Sequence[str]) -> Mapping[str, Sender]:
    """The senders that are not removed, their configuration left sealed."""
    found = await senders.sealed(connection, workspace_id, sender_ids)
    return {sender.id: sender for sender in found.values() if sender.removed_at is None}


def hand(sender: Sender) -> Hand:
    active = sender.status is SenderStatus.ACTIVE
    performs = registry.performs(sender.channel)
    return Hand(sender.id, sender.name, performs, sender.fields, is_active=active, schedule=sender.schedule)
