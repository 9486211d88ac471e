"""Learning that two addresses are one person: leads, suppressions and look-ups then follow one key."""

from datetime import datetime

from leadwright.engine import stopping
from leadwright.identity import Identity
from leadwright.inbox import service as inbox
from leadwright.leads import service, store
from leadwright.leads.model import LeadStatus
from leadwright.people import service as people
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.suppression import service as suppression


async def join(connection: Connection, workspace_id: str, one: Identity, other: Identity, now: datetime) -> bool:
    """Whether that was news. Of two leads of one campaign that turn out to be one person the younger stops.

    The younger keeps the key that is now an alias, so that it is still found by whoever asks for the person. When one
    of them is an erased person's, so is the other from now on, and nothing else is kept of it.
    """
    if await suppression.erased(connection, workspace_id, [one, other]):
        await suppression.keep_erased(connection, workspace_id, [one, other], [], now)
        return False
    rekeying = await people.learn_alias(connection, workspace_id, one, other, now)
    if rekeying is None:
        return False
    await suppression.rekey(connection, workspace_id, rekeying)
    await inbox.rekey(connection, workspace_id, rekeying)
    await senders.rekey(connection, workspace_id, rekeying)
    await stopping.rekey(connection, workspace_id, _columns(rekeying.old), _columns(rekeying.new))
    old, new = _columns(rekeying.old), _columns(rekeying.new)
    for pair in await store.pairs(connection, workspace_id, old, new):
        if pair.older_has_old_key:
            await store.swap_keys(connection, workspace_id, pair, old, new)
        await _stop_as_duplicate(connection, workspace_id, pair, now)
    await store.rekey(connection, workspace_id, old, new)
    return True


def _columns(identity: Identity) -> tuple[str, str]:
    return identity.kind.value, identity.key


async def _stop_as_duplicate(connection: Connection, workspace_id: str, pair: store.Pair, now: datetime) -> None:
    standing = await store.lock(connection, workspace_id, pair.younger)
    if standing is None or standing.state == "done":
        return
    await stopping.withdraw(connection, workspace_id, [pair.younger], "duplicate", now)
    await store.stop(connection, workspace_id, pair.younger, now)
    await service.count(connection, workspace_id, standing, active=-1)
    await service.tell_status(
        connection, workspace_id, pair.younger, standing, LeadStatus.STOPPED, now, duplicate_of=pair.older
    )
