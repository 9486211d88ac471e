"""Making, showing, editing and removing senders, and having them for the engine with their secrets opened."""

from collections.abc import Collection, Mapping

import msgspec

from leadwright.crypto import SecretBox
from leadwright.postgres.pool import Connection
from leadwright.senders import store
from leadwright.senders.model import Sender


async def load(
    connection: Connection, secrets: SecretBox, workspace_id: str, sender_ids: Collection[str]
) -> Mapping[str, Sender]:
    """The senders with these bare ids, removed ones too; those that the workspace does not have are left out."""
    rows = await store.senders(connection, workspace_id, sender_ids)
    return {row.id: _opened(secrets, row) for row in rows}


async def exists(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> frozenset[str]:
    """Those of the bare ids that name a sender which is not removed, and is not before the transaction ends."""
    return await store.present(connection, workspace_id, sender_ids)


async def sealed(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> Mapping[str, Sender]:
    """As ``load``, with nothing in ``config``: for those who only want to know what a sender is and may do."""
    rows = await store.senders(connection, workspace_id, sender_ids)
    return {row.id: row.sender({}) for row in rows}


def _opened(secrets: SecretBox, row: store.Row) -> Sender:
    return row.sender(msgspec.json.decode(secrets.open(row.config)))
