"""What senders have with people, kept for many at a time.

Persons may be given under any key: aliases are followed. Whoever writes does so in a transaction that holds who is
whom (``people.service.hold_canonical``), taken before any row lock: an alias learned meanwhile would leave rows behind.
"""

from collections.abc import Mapping, Sequence

from leadwright.identity import Identity
from leadwright.inbox import store
from leadwright.inbox.model import STRANGERS, Kept, NewMessage, Note, Pair, Relationship
from leadwright.leads import courtesy
from leadwright.people.service import Rekeying
from leadwright.postgres.pool import Connection


async def relationships(
    connection: Connection, workspace_id: str, pairs: Sequence[Pair]
) -> Mapping[Pair, Relationship]:
    """What each sender has with each person; one for every pair, that of strangers where nothing is known."""
    if not pairs:
        return {}
    known = await store.relationships(connection, workspace_id, pairs)
    return {pair: known.get(pair, STRANGERS) for pair in pairs}


async def note_invited(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Invitations went out; answers the pairs of whom that is news. Who is connected already stays so."""
    return await store.invite(connection, workspace_id, notes) if notes else frozenset()


async def note_connected(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Invitations were accepted, or turned out to have been. Answers the pairs of whom that is news.

    A note's lead is remembered as the one contacted last only when none was known.
    """
    return await store.connect(connection, workspace_id, notes) if notes else frozenset()


async def note_withdrawn(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """Invitations were withdrawn. Answers the pairs that had an open one; who is connected stays so."""
    return await store.withdraw(connection, workspace_id, notes) if notes else frozenset()


async def note_not_connected(connection: Connection, workspace_id: str, notes: Sequence[Note]) -> frozenset[Pair]:
    """A channel found that they are not, or no longer, connected. Answers the pairs that were held to be."""
    return await store.disconnect(connection, workspace_id, notes) if notes else frozenset()


async def keep_messages(connection: Connection, workspace_id: str, messages: Sequence[NewMessage]) -> list[Kept]:
    """Keeps messages in their conversations, and answers where, in order.

    Moves when the pair last wrote and last heard, the lead contacted last, and what is unread. It does not know of
    external ids: whoever tells a message twice keeps it twice.
    """
    if not messages:
        return []
    answered = [each.lead_id for each in messages if each.direction == "received" and each.lead_id is not None]
    await courtesy.note_replies(connection, workspace_id, answered)
    return await store.keep(connection, workspace_id, messages)


async def open_conversation(connection: Connection, workspace_id: str, note: Note, linkedin_url: str) -> str:
    """The id of the pair's conversation, so that it can be told before its first message, which will show it."""
    return await store.open_conversation(connection, workspace_id, note, linkedin_url)


async def conversations_elsewhere(
    connection: Connection, workspace_id: str, identities: Sequence[Identity], campaign_id: str
) -> frozenset[Identity]:
    """Who of these has answered as a lead of another campaign, to whichever sender."""
    return (
        await store.answered_elsewhere(connection, workspace_id, identities, campaign_id) if identities else frozenset()
    )


async def rekey(connection: Connection, workspace_id: str, rekeying: Rekeying) -> None:
    """Follows a learned alias, in the transaction that learned it: two conversations with one person become one."""
    await store.rekey_relationships(connection, workspace_id, rekeying)
    await store.rekey_conversations(connection, workspace_id, rekeying)
