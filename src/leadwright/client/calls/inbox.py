"""Calls about conversations and messages."""

from typing import Literal

from msgspec import UNSET

from leadwright.client.answers import inbox as answers
from leadwright.client.request import Request, Walk, by_token, request

ALL = "/v1/inbox/conversations"
ONE = ALL + "/{conversation_id}"
Order = Literal["newest", "oldest"]


def conversations_page(
    sender_id: str | None = None,
    *,
    unread: bool | None = None,
    limit: int = 20,
    continuation_token: str | None = None,
) -> Request[answers.Conversations]:
    """One page of conversations, newest activity first."""
    query = {"accountId": sender_id, "unread": unread, "limit": limit, "continuationToken": continuation_token}
    return request("GET", ALL, answers.Conversations, query=query)


def conversations(sender_id: str | None = None, *, unread: bool | None = None) -> Walk[answers.Conversation]:
    """All conversations, newest activity first."""
    return by_token(conversations_page(sender_id, unread=unread, limit=100), lambda found: found.conversations)


def read_conversation(conversation_id: str) -> Request[answers.Conversation]:
    return request("GET", ONE, answers.Conversation, conversation_id)


def messages_page(
    conversation_id: str,
    sender_id: str,
    *,
    order: Order | None = None,
    limit: int = 50,
    continuation_token: str | None = None,
) -> Request[answers.Messages]:
    """One page of a conversation's messages."""
    query = {"accountId": sender_id, "order": order, "limit": limit, "continuationToken": continuation_token}
    return request("GET", ONE + "/messages", answers.Messages, conversation_id, query=query)


def messages(conversation_id: str, sender_id: str, *, order: Order | None = None) -> Walk[answers.Message]:
    """All messages of a conversation."""
    return by_token(messages_page(conversation_id, sender_id, order=order, limit=100), lambda found: found.messages)


def mark_read(conversation_id: str, up_to_message_id: str | None = None) -> Request[answers.Marked]:
    """Marks what was received as read, all of it or up to a message."""
    body = {"upToMessageId": UNSET if up_to_message_id is None else up_to_message_id}
    return request("POST", ONE + "/read", answers.Marked, conversation_id, body=body)


def send(
    message: str,
    *,
    sender_id: str | None = None,
    recipient_linkedin_url: str | None = None,
    lead_id: str | None = None,
    campaign_id: str | None = None,
    idempotency_key: str | None = None,
) -> Request[answers.Sent]:
    """Sends a message to somebody who is connected: to an address, or to a lead.

    With a key of your own a retry after a restart never sends it twice.
    """
    told = {"senderId": sender_id, "recipientLinkedinUrl": recipient_linkedin_url, "leadId": lead_id}
    given = {name: value for name, value in {**told, "campaignId": campaign_id}.items() if value is not None}
    made = request("POST", "/v1/inbox/send", answers.Sent, body={"message": message, **given})
    return made if idempotency_key is None else made.keyed(idempotency_key)


def send_to_lead(
    lead_id: str, sender_id: str, message: str, *, idempotency_key: str | None = None
) -> Request[answers.Sent]:
    """The same to a lead, with the variables of the message rendered from it."""
    body = {"senderId": sender_id, "message": message}
    made = request("POST", "/v1/inbox/send/lead/{lead_id}", answers.Sent, lead_id, body=body)
    return made if idempotency_key is None else made.keyed(idempotency_key)


def connect(
    sender_id: str, recipient_linkedin_url: str, message: str | None = None, *, idempotency_key: str | None = None
) -> Request[answers.Invited]:
    """Invites somebody, with a note of at most 300 characters."""
    note = UNSET if message is None else message
    body = {"senderId": sender_id, "recipientLinkedinUrl": recipient_linkedin_url, "message": note}
    made = request("POST", "/v1/inbox/connect", answers.Invited, body=body)
    return made if idempotency_key is None else made.keyed(idempotency_key)
