"""Answers about conversations and messages."""

from datetime import datetime

from leadwright.client.answers.base import Answer, TokenPagination


class Participant(Answer):
    """The person on the other side."""

    id: str
    name: str
    profile_url: str
    profile_picture: str | None


class LastMessage(Answer):
    content: str
    sent_at: datetime
    direction: str


class Conversation(Answer):
    """What one account and one person wrote to each other."""

    id: str
    account_id: str
    participants: list[Participant]
    last_message: LastMessage
    last_activity_at: datetime
    unread_count: int
    connection: str
    lead_id: str | None
    created_at: datetime
    updated_at: datetime


class Conversations(Answer):
    conversations: list[Conversation]
    pagination: TokenPagination


class Party(Answer):
    """Who wrote a message, or to whom."""

    id: str
    name: str
    profile_url: str


class Message(Answer, kw_only=True):
    id: str
    content: str
    sender: Party
    recipient: Party
    direction: str
    sent_at: datetime
    read_status: str
    content_type: str = "TEXT"
    attachments: list[str]
    lead_id: str | None


class Messages(Answer):
    conversation_id: str
    messages: list[Message]
    pagination: TokenPagination


class Marked(Answer):
    success: bool
    conversation_id: str
    messages_read: int
    unread_count: int


class Sent(Answer):
    """A message: ``status`` is sent, queued when it goes out later, or uncertain when nobody knows yet."""

    success: bool
    message_id: str
    conversation_id: str | None
    lead_id: str | None
    recipient_linkedin_url: str
    status: str
    timestamp: datetime
    action_id: str


class Invited(Answer):
    """An invitation: ``status`` is sent, already_connected, queued or uncertain."""

    success: bool
    request_id: str
    recipient_linkedin_url: str
    status: str
    timestamp: datetime
    action_id: str | None
