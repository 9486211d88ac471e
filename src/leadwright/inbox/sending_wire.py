"""The JSON of sending messages and invitations one by one."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.clock import iso
from leadwright.engine import one_off_faults as faults
from leadwright.engine.one_off import LONGEST_MESSAGE, Told, Wanted
from leadwright.engine.sequence import StepType
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.idempotency import REPLAYED_HEADER
from leadwright.http.problems import NOT_BLANK, json_answer
from leadwright.identity import Identity, linkedin_identity
from leadwright.ids import Prefix, public
from leadwright.inbox.model import Relationship
from leadwright.leads import service as leads

LONGEST_NOTE = 300
"""Characters of the note of an invitation."""

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "0199c0ffee0070008000000000000001"
_URL = "https://www.linkedin.com/in/jane-smith"
_AT = "2026-03-01T09:30:00.000Z"
_STATUS_OF = {"done": "sent", "uncertain": "uncertain"}

Message = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_MESSAGE, pattern=NOT_BLANK)]
SenderId = Field(description="Who writes.", examples=[f"sender_{_ID}"])


class SendBody(BaseModel):
    """To somebody who is connected to the sender: by address, or in the older form by lead."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        json_schema_extra={
            "anyOf": [{"required": ["senderId", "recipientLinkedinUrl"]}, {"required": ["leadId"]}],
            "examples": [
                {
                    "senderId": f"sender_{_ID}",
                    "recipientLinkedinUrl": _URL,
                    "message": "Thanks for connecting, Jane!",
                },
                {"leadId": f"lead_{_ID}", "message": "Thanks for connecting, Jane!"},
            ],
        },
    )

    message: Message = Field(description="Sent as it is: variables are rendered by the route of a lead.")
    sender_id: str | None = Field(
        default=None,
        description="Who writes. Without it: the lead's own sender, else one that is connected to the person.",
    )
    recipient_linkedin_url: str | None = Field(default=None, description="Without it: the lead's.")
    campaign_id: str | None = Field(default=None, description="Whose lead the person is, for counting.")
    lead_id: str | None = Field(default=None, description="As which lead. Without it: the one contacted last, if any.")

    def wanted(self) -> Wanted:
        """Raises InvalidRequest and NotFound for what names nobody."""
        if self.recipient_linkedin_url is None and self.lead_id is None:
            raise InvalidRequest.of([Detail("recipientLinkedinUrl", "is required, or a leadId")])
        if self.recipient_linkedin_url is not None and self.sender_id is None and self.lead_id is None:
            raise InvalidRequest.of([Detail("senderId", "is required")])
        url = self.recipient_linkedin_url
        return Wanted(
            kind=StepType.MESSAGE,
            text=self.message,
            sender_id=None if self.sender_id is None else _sender(self.sender_id),
            recipient=None if url is None else _recipient(url),
            linkedin_url=url,
            lead_id=None if self.lead_id is None else _lead(self.lead_id),
            campaign_id=None if self.campaign_id is None else campaigns.known_id(self.campaign_id),
        )


class SendToLeadBody(BaseModel):
    model_config = _CAMEL

    sender_id: str = SenderId
    message: Message = Field(
        description="A template: its variables are rendered from the lead, `sender.…` from the sender.",
        examples=["Hi {{firstName | default: 'there'}}, thanks for connecting!"],
    )

    def wanted(self, lead_id: str) -> Wanted:
        """Raises InvalidRequest and NotFound for what names nobody."""
        return Wanted(StepType.MESSAGE, self.message, _sender(self.sender_id), lead_id=_lead(lead_id), is_template=True)


class ConnectBody(BaseModel):
    model_config = _CAMEL

    sender_id: str = SenderId
    recipient_linkedin_url: str = Field(description="Who is invited.", examples=[_URL])
    message: str | None = Field(
        default=None,
        max_length=LONGEST_NOTE,
        description="The note of the invitation, sent as it is.",
        examples=["Hi Jane, I liked your talk."],
    )

    def wanted(self) -> Wanted:
        """Raises InvalidRequest for what names nobody. A blank note is none."""
        note = self.message if self.message and self.message.strip() else None
        url = self.recipient_linkedin_url
        return Wanted(StepType.CONNECT, note, _sender(self.sender_id), _recipient(url), url)


class SentBody(BaseModel):
    """A message that was sent, or (202) that will be, or of which nobody knows yet whether it was."""

    model_config = _CAMEL

    success: bool
    message_id: str = Field(examples=[f"msg_{_ID}"])
    conversation_id: str | None = Field(examples=[f"conv_{_ID}"])
    lead_id: str | None = Field(description="Null for nobody's lead.", examples=[f"lead_{_ID}"])
    recipient_linkedin_url: str = Field(examples=[_URL])
    status: Literal["sent", "queued", "uncertain"] = Field(
        description="`uncertain`: the channel's answer was lost; it will be asked, and nothing is sent again before."
    )
    timestamp: str = Field(description="When it was sent, else when it was asked for.", examples=[_AT])
    action_id: str = Field(description="The deed, as `/v1/actions` tells it.", examples=[f"act_{_ID}"])


class InvitedBody(BaseModel):
    """An invitation that was sent, or (202) that will be, or of which nobody knows yet whether it was."""

    model_config = _CAMEL

    success: bool
    request_id: str = Field(examples=[f"conn_{_ID}"])
    recipient_linkedin_url: str = Field(examples=[_URL])
    status: Literal["sent", "already_connected", "queued", "uncertain"]
    timestamp: str = Field(examples=[_AT])
    action_id: str | None = Field(description="Null when there was nothing to do.", examples=[f"act_{_ID}"])


def _sender(text: str) -> str:
    sender_id = ids.bare(Prefix.SENDER, text)
    if sender_id is None:
        raise faults.sender_not_found()
    return sender_id


def _lead(text: str) -> str:
    lead_id = ids.bare(Prefix.LEAD, text)
    if lead_id is None:
        raise leads.not_found()
    return lead_id


def _recipient(url: str) -> Identity:
    found = linkedin_identity(url)
    if not isinstance(found, Identity):
        raise InvalidRequest.of([Detail("recipientLinkedinUrl", found.reason.removeprefix("linkedinUrl "))])
    return found


def answer(told: Told, *, replayed: bool = False) -> Response:
    """What the caller of a deed is told of it. Raises InvalidRequest for one that its channel refused."""
    if told.state == "failed":
        raise faults.refused(told)
    body = _sent(told) if told.kind == StepType.MESSAGE else _invited(told)
    headers = {REPLAYED_HEADER: "true"} if replayed else None
    return json_answer(body, 200 if told.state == "done" else 202, headers)


def _sent(told: Told) -> dict[str, Any]:
    return {
        "success": True,
        "messageId": public(Prefix.MESSAGE, told.promised_id),
        "conversationId": told.conversation_id and public(Prefix.CONVERSATION, told.conversation_id),
        "leadId": told.lead_id and public(Prefix.LEAD, told.lead_id),
        "recipientLinkedinUrl": told.linkedin_url,
        "status": _STATUS_OF.get(told.state, "queued"),
        "timestamp": iso(told.at),
        "actionId": public(Prefix.ACTION, told.id),
    }


def _invited(told: Told) -> dict[str, Any]:
    # An invitation that took no quota turned out to need none; an open one stands as it is, and counts as sent.
    needless = told.state == "done" and not told.quota and told.is_connected
    return {
        "success": True,
        "requestId": public(Prefix.CONNECTION, told.promised_id),
        "recipientLinkedinUrl": told.linkedin_url,
        "status": "already_connected" if needless else _STATUS_OF.get(told.state, "queued"),
        "timestamp": iso(told.at),
        "actionId": public(Prefix.ACTION, told.id),
    }


class _Stored(msgspec.Struct, rename="camel"):
    action_id: str | None = None


def not_invited(linkedin_url: str, found: Relationship, now: datetime) -> Response:
    """The answer to an invitation that needs no deed: the open one stands, and counts as sent when it was."""
    at = now if found.is_connected else found.invited_at or now
    return json_answer(
        {
            "success": True,
            "requestId": public(Prefix.CONNECTION, ids.new_id()),
            "recipientLinkedinUrl": linkedin_url,
            "status": "already_connected" if found.is_connected else "sent",
            "timestamp": iso(at),
            "actionId": None,
        }
    )


def action_in(earlier: Response) -> str | None:
    """The bare id of the deed that an earlier answer told of."""
    return ids.bare(Prefix.ACTION, msgspec.json.decode(bytes(earlier.body), type=_Stored).action_id)
