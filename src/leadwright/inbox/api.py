"""The routes of the inbox: conversations and their messages."""

from typing import Annotated, Any, Literal

from fastapi import Body, Query, Request

from leadwright import ids
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.paging import MOST_ON_A_PAGE
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.inbox import reading, wire
from leadwright.inbox.model import Which

router = api_router("inbox")

Limit = Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="Rows on a page.")]
Token = Annotated[
    str | None,
    Query(
        alias="continuationToken",
        description="Nothing for the start, then the last page's `continuationToken`.",
    ),
]

# Declared by hand: the contract has words of its own for its absence, which come before everything else.
_ACCOUNT: dict[str, Any] = {
    "name": "accountId",
    "in": "query",
    "required": True,
    "description": "The sender whose conversation it is.",
    "schema": {"type": "string", "minLength": 1},
    "example": "sender_0199c0ffee0070008000000000000001",
}


@router.get(
    "/inbox/conversations",
    summary="List conversations",
    operation_id="list_conversations",
    response_model=wire.ConversationsBody,
    openapi_extra=needs("inbox:read"),
)
async def list_conversations(
    call: CurrentCall,
    account_id: Annotated[
        str | None, Query(alias="accountId", description="Only this sender's; an unknown one is 404.")
    ] = None,
    limit: Limit = 20,
    token: Token = None,
    unread: Annotated[bool, Query(description="Only those with unread messages.")] = False,
) -> wire.ConversationsBody:
    """Newest activity first. Whatever comes in while you read page after page, each conversation that there was at the
    first one is on one of them, once, as it is when that page is read."""
    which = Which(None if account_id is None else reading.known_account(account_id), unread)
    found = await reading.conversations(call.connection, call.workspace_id, which, token=token, limit=limit)
    return wire.conversations_body(call.workspace_id, found, limit)


@router.get(
    "/inbox/conversations/{conversation_id}",
    summary="Read a conversation",
    operation_id="read_conversation",
    response_model=wire.ConversationBody,
    openapi_extra=needs("inbox:read"),
)
async def read_conversation(conversation_id: str, call: CurrentCall) -> wire.ConversationBody:
    """One conversation, as the list shows it."""
    bare = ids.bare(ids.Prefix.CONVERSATION, conversation_id)
    found = await reading.conversation(call.connection, call.workspace_id, bare)
    return wire.conversation_body(call.workspace_id, found)


@router.get(
    "/inbox/conversations/{conversation_id}/messages",
    summary="Read the messages of a conversation",
    operation_id="list_messages",
    response_model=wire.MessagesBody,
    openapi_extra=needs("inbox:read", parameters=[_ACCOUNT]),
)
async def list_messages(
    request: Request,
    conversation_id: str,
    call: CurrentCall,
    limit: Limit = 50,
    token: Token = None,
    order: Annotated[Literal["oldest", "newest"], Query(description="What comes first.")] = "oldest",
) -> wire.MessagesBody:
    """Oldest first, unless `order` says otherwise. Messages that come in while you read on are at the end, or not
    shown: none is shown twice."""
    account = request.query_params.get("accountId")
    if not account:
        message = "Missing accountId parameter"
        raise InvalidRequest(message, details=[Detail("accountId", "is required")])
    found = await reading.messages(
        call.connection,
        call.workspace_id,
        reading.known_account(account),
        ids.bare(ids.Prefix.CONVERSATION, conversation_id),
        token=token,
        limit=limit,
        newest_first=order == "newest",
    )
    return wire.messages_body(call.workspace_id, found, limit)


@router.post(
    "/inbox/conversations/{conversation_id}/read",
    summary="Mark a conversation read",
    operation_id="mark_conversation_read",
    response_model=wire.MarkedBody,
    openapi_extra=needs("inbox:read"),
)
async def mark_conversation_read(
    conversation_id: str,
    call: CurrentCall,
    body: Annotated[wire.ReadBody | None, Body(examples=[wire.READ_EXAMPLE])] = None,
) -> wire.MarkedBody:
    """Marks all that was received, or all up to a message that you name, so that what has just come in stays unread."""
    marked = await reading.mark_read(
        call.connection,
        call.workspace_id,
        ids.bare(ids.Prefix.CONVERSATION, conversation_id),
        body.up_to_message_id if body else None,
        call.now,
    )
    return wire.marked_body(conversation_id, marked)
