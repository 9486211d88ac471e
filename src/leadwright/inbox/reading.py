"""Reading an inbox: conversations by activity, their messages, and marking what was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leadwright import ids
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.inbox import continuation, reading_store
from leadwright.inbox.continuation import Continuation
from leadwright.inbox.model import Account, Conversation, Message, Which
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Conversations:
    """A page; ``token`` is where the list goes on, None on the last."""

    shown: Sequence[Conversation]
    token: str | None


async def conversations(
    connection: Connection, workspace_id: str, which: Which, *, token: str | None, limit: int
) -> Conversations:
    """Newest activity first. Raises NotFound for an account that the workspace does not have.

    Whatever comes in while the pages are read, each conversation that there was at the first is on one of them, once.
    """
    if which.sender_id is not None:
        await account(connection, workspace_id, which.sender_id)
    of = f"conversations {workspace_id} {which.sender_id} {which.unread}"
    if not token:
        fetched = await reading_store.page(connection, workspace_id, which, limit + 1)
    else:
        behind = _behind(token, of)
        fetched = await reading_store.next_page(connection, workspace_id, which, behind, limit + 1)
    shown = fetched[:limit]
    if len(fetched) <= limit:
        return Conversations(shown, None)
    return Conversations(
        shown, continuation.written(Continuation(shown[-1].place, shown[-1].id, shown[-1].snapshot), of)
    )


def known_account(text: str) -> str:
    """The bare id of an account of which only the wire id is known. Raises NotFound for what cannot be one."""
    sender_id = ids.bare(ids.Prefix.SENDER, text)
    if sender_id is None:
        raise _unknown_account()
    return sender_id


async def account(connection: Connection, workspace_id: str, sender_id: str) -> Account:
    """The sender whose inbox is read. Raises NotFound."""
    found = await reading_store.account(connection, workspace_id, sender_id)
    if found is None:
        raise _unknown_account()
    return found


def _unknown_account() -> NotFound:
    return NotFound("Account not found", code="account_not_found")


def _behind(token: str, of: str) -> Continuation:
    found = continuation.read(token, of)
    if found is None or (found.snapshot is None) != of.startswith("messages"):
        raise InvalidRequest.of(
            [Detail("continuationToken", "expected nothing, or the token of this list's page before")]
        )
    return found


async def conversation(connection: Connection, workspace_id: str, conversation_id: str | None) -> Conversation:
    """Raises NotFound."""
    found = await reading_store.conversation(connection, workspace_id, conversation_id) if conversation_id else None
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("Conversation not found", code="conversation_not_found")


@dataclass(frozen=True, slots=True)
class Messages:
    """A page of a conversation's messages; ``token`` is where the list goes on, None on the last."""

    account: Account
    conversation: Conversation
    shown: Sequence[Message]
    token: str | None


async def messages(
    connection: Connection,
    workspace_id: str,
    account_id: str,
    conversation_id: str | None,
    *,
    token: str | None,
    limit: int,
    newest_first: bool,
) -> Messages:
    """The messages of one of the account's conversations in order of time. Raises NotFound for either."""
    of_account = await account(connection, workspace_id, account_id)
    found = await conversation(connection, workspace_id, conversation_id)
    if found.sender_id != of_account.id:
        raise _unknown()
    of = f"messages {workspace_id} {found.id} {newest_first}"
    behind = _behind(token, of) if token else None
    fetched = await reading_store.messages(
        connection, workspace_id, found.id, behind=behind, limit=limit + 1, newest_first=newest_first
    )
    shown = fetched[:limit]
    last = len(fetched) <= limit
    goes_on = None if last else continuation.written(Continuation(shown[-1].sent_at, shown[-1].id), of)
    return Messages(of_account, found, shown, goes_on)


@dataclass(frozen=True, slots=True)
class Marked:
    """How many messages were marked, and how many of the conversation are unread still."""

    read: int
    unread: int


async def mark_read(
    connection: Connection, workspace_id: str, conversation_id: str | None, up_to: str | None, now: datetime
) -> Marked:
    """Marks received messages as read: all, or up to the message with the wire id ``up_to``. Raises NotFound."""
    if conversation_id is None or not await reading_store.lock(connection, workspace_id, conversation_id):
        raise _unknown()
    place = None if up_to is None else await _place(connection, workspace_id, conversation_id, up_to)
    return Marked(*await reading_store.mark_read(connection, workspace_id, conversation_id, place, now))


async def _place(connection: Connection, workspace_id: str, conversation_id: str, up_to: str) -> Continuation:
    message_id = ids.bare(ids.Prefix.MESSAGE, up_to)
    place = message_id and await reading_store.place_of(connection, workspace_id, conversation_id, message_id)
    if not place:
        raise InvalidRequest.of([Detail("upToMessageId", "expected the id of a message of this conversation")])
    return place
