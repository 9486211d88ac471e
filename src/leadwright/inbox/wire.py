"""The JSON of conversations and messages."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from leadwright.clock import iso
from leadwright.identity import IdentityKind
from leadwright.ids import Prefix, public
from leadwright.inbox.model import Account, Conversation, Direction, Message
from leadwright.inbox.reading import Conversations, Marked, Messages

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "0199c0ffee0070008000000000000001"
_AT = "2026-03-01T09:30:00.000Z"
READ_EXAMPLE: JsonDict = {"upToMessageId": f"msg_{_ID}"}
_PAGES = {
    IdentityKind.SLUG: "in",
    IdentityKind.MEMBER_TOKEN: "in",
    IdentityKind.SALES_TOKEN: "sales/lead",
    IdentityKind.PUB: "pub",
}
_URL = "https://www.linkedin.com/in/jane-smith"


class TokenPagination(BaseModel):
    """Where a page stands in its list."""

    model_config = _CAMEL

    continuation_token: str | None = Field(
        description="Send it with the same parameters for the next page; null on the last.",
        examples=["Zm9yIGV4YW1wbGU"],
    )
    limit: int = Field(examples=[20])
    has_more: bool


class ParticipantBody(BaseModel):
    """The person on the other side. The id is the same in every conversation with them."""

    model_config = _CAMEL

    id: str = Field(examples=[f"person_{_ID}"])
    name: str = Field(
        description="As far as leads or channels told it, else the name in the address.", examples=["Jane Smith"]
    )
    profile_url: str = Field(examples=[_URL])
    profile_picture: str | None = Field(description="Null when no channel told it.", examples=[None])


class LastMessageBody(BaseModel):
    model_config = _CAMEL

    content: str = Field(
        description="The first 100 characters; empty once messages of that age are forgotten, `[erased]` of a person "
        "who was erased.",
        examples=["Thanks for connecting, Jane!"],
    )
    sent_at: str = Field(examples=[_AT])
    direction: Direction


class ConversationBody(BaseModel):
    """What one account and one person wrote to each other."""

    model_config = _CAMEL

    id: str = Field(examples=[f"conv_{_ID}"])
    account_id: str = Field(description="The sender whose conversation it is.", examples=[f"sender_{_ID}"])
    participants: list[ParticipantBody]
    last_message: LastMessageBody
    last_activity_at: str = Field(examples=[_AT])
    unread_count: int = Field(description="Received messages that were not marked read.", examples=[1])
    connection: Literal["none", "invited", "connected"] = Field(
        description="What account and person are to each other on LinkedIn, as far as we know."
    )
    lead_id: str | None = Field(
        description="The lead as which the account contacted the person last; null when that was deleted.",
        examples=[f"lead_{_ID}"],
    )
    created_at: str = Field(examples=[_AT])
    updated_at: str = Field(examples=[_AT])


class ConversationsBody(BaseModel):
    conversations: list[ConversationBody]
    pagination: TokenPagination


class PartyBody(BaseModel):
    """Who wrote a message, or to whom: the account or the person."""

    model_config = _CAMEL

    id: str = Field(examples=[f"sender_{_ID}"])
    name: str = Field(examples=["Alex Doe"])
    profile_url: str = Field(examples=["https://www.linkedin.com/in/alex-doe"])


class MessageBody(BaseModel):
    model_config = _CAMEL

    id: str = Field(examples=[f"msg_{_ID}"])
    content: str = Field(examples=["Thanks for connecting, Jane!"])
    sender: PartyBody
    recipient: PartyBody
    direction: Direction = Field(description="Seen from the account.")
    sent_at: str = Field(examples=[_AT])
    read_status: Literal["read", "unread", "unknown"] = Field(
        description="Of a received message; whether the person read a sent one is not known."
    )
    content_type: Literal["TEXT"] = "TEXT"
    attachments: list[str] = Field(description="Always empty: channels tell texts only.")
    lead_id: str | None = Field(description="The lead that it was about, while there is one.", examples=[f"lead_{_ID}"])


class MessagesBody(BaseModel):
    model_config = _CAMEL

    conversation_id: str = Field(examples=[f"conv_{_ID}"])
    messages: list[MessageBody]
    pagination: TokenPagination


class ReadBody(BaseModel):
    """May be left out: then everything is marked."""

    model_config = _CAMEL | ConfigDict(json_schema_extra={"examples": [READ_EXAMPLE]})

    up_to_message_id: str | None = Field(
        default=None,
        description="The last message that was seen, so that one that has just come in stays unread.",
        examples=[f"msg_{_ID}"],
    )


class MarkedBody(BaseModel):
    model_config = _CAMEL

    success: bool
    conversation_id: str = Field(examples=[f"conv_{_ID}"])
    messages_read: int = Field(description="How many were unread before.", examples=[2])
    unread_count: int = Field(description="How many still are.", examples=[0])


def conversations_body(workspace_id: str, found: Conversations, limit: int) -> ConversationsBody:
    return ConversationsBody(
        conversations=[conversation_body(workspace_id, each) for each in found.shown],
        pagination=_pagination(found.token, limit),
    )


def conversation_body(workspace_id: str, found: Conversation) -> ConversationBody:
    return ConversationBody.model_validate(
        {
            "id": public(Prefix.CONVERSATION, found.id),
            "account_id": public(Prefix.SENDER, found.sender_id),
            "participants": [
                ParticipantBody(
                    id=_person_id(workspace_id, found),
                    name=_name(found),
                    profile_url=_profile_url(found),
                    profile_picture=found.participant_picture,
                )
            ],
            "last_message": LastMessageBody(
                content=found.last_content or "",
                sent_at=iso(found.last_activity_at),
                direction=Direction(found.last_direction),
            ),
            "last_activity_at": iso(found.last_activity_at),
            "unread_count": found.unread_count,
            "connection": found.connection,
            "lead_id": _lead(found.lead_id),
            "created_at": iso(found.created_at),
            "updated_at": iso(found.updated_at),
        }
    )


def messages_body(workspace_id: str, found: Messages, limit: int) -> MessagesBody:
    account, person = _account(found.account), _person(workspace_id, found.conversation)
    return MessagesBody(
        conversation_id=public(Prefix.CONVERSATION, found.conversation.id),
        messages=[_message(each, account, person) for each in found.shown],
        pagination=_pagination(found.token, limit),
    )


def _message(found: Message, account: PartyBody, person: PartyBody) -> MessageBody:
    sent = found.direction == Direction.SENT
    return MessageBody(
        id=public(Prefix.MESSAGE, found.id),
        content=found.content,
        sender=account if sent else person,
        recipient=person if sent else account,
        direction=Direction(found.direction),
        sent_at=iso(found.sent_at),
        read_status="unknown" if sent else "read" if found.read_at else "unread",
        attachments=[],
        lead_id=_lead(found.lead_id),
    )


def marked_body(conversation_id: str, marked: Marked) -> MarkedBody:
    return MarkedBody(
        success=True, conversation_id=conversation_id, messages_read=marked.read, unread_count=marked.unread
    )


def _pagination(token: str | None, limit: int) -> TokenPagination:
    return TokenPagination(continuation_token=token, limit=limit, has_more=token is not None)


def _account(account: Account) -> PartyBody:
    return PartyBody(id=public(Prefix.SENDER, account.id), name=account.name, profile_url=account.linkedin_url)


def _person(workspace_id: str, found: Conversation) -> PartyBody:
    return PartyBody(id=_person_id(workspace_id, found), name=_name(found), profile_url=_profile_url(found))


def _person_id(workspace_id: str, found: Conversation) -> str:
    """A person is a key and no row: the id is made of the key, another one in each workspace."""
    text = f"{workspace_id} {found.identity_kind}:{found.identity_key}"
    return f"person_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def _profile_url(found: Conversation) -> str:
    """As it was told, when that can be followed; of somebody who was erased what stands in its place."""
    if _is_erased(found) or found.participant_url.lower().startswith(("https://", "http://")):
        return found.participant_url
    return f"https://www.linkedin.com/{_PAGES[IdentityKind(found.identity_kind)]}/{found.identity_key}"


def _name(found: Conversation) -> str:
    return found.participant_name or (found.participant_url if _is_erased(found) else found.identity_key)


def _is_erased(found: Conversation) -> bool:
    """A key with a space in it is what stands in place of theirs."""
    return " " in found.identity_key


def _lead(lead_id: str | None) -> str | None:
    return public(Prefix.LEAD, lead_id) if lead_id else None
