"""The JSON of deeds, of what is said of them, and of what people did."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from leadwright import ids
from leadwright.channels.channel import Done, InboundFact, Later, Outcome
from leadwright.channels.http_answers import LONGEST_EXTERNAL_ID, LONGEST_MESSAGE, MOST_ALIASES, Body, Word, outcome_of
from leadwright.clock import iso
from leadwright.durations import MAX_DURATION
from leadwright.engine.service import Received
from leadwright.engine.settlement import NOT_DONE
from leadwright.engine.showing_store import Shown
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.moments import PastMoment

LONGEST_REPLY = 20_000
LONGEST_URL = 2_048
_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_INBOUND: JsonDict = {
    "senderId": "sender_0199b2a4c3d17e5f8a6b4c2d1e0f9a8b",
    "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
    "type": "reply",
    "text": "Sounds good, tell me more",
    "externalId": "message-4711",
    "occurredAt": "2026-03-02T09:00:00.000Z",
}
_ACTION_ID = "act_0199c0ffee0070008000000000000001"
Text = Annotated[str, StringConstraints(max_length=LONGEST_MESSAGE)]


class ActionBody(BaseModel):
    """One intended deed, and what became of it."""

    model_config = _CAMEL

    id: str = Field(examples=[_ACTION_ID])
    state: Literal["planned", "performing", "done", "failed", "uncertain", "cancelled"]
    kind: str = Field(description="A step type.", examples=["message"])
    lead_id: str | None
    campaign_id: str | None
    sender_id: str
    linkedin_url: str
    step_id: str | None
    sequence_version: int | None = Field(
        description="The version of the campaign's sequence that it was planned by; null of a one-off."
    )
    variant: int | None = Field(
        description="Its place among the step's variants, from 0; null of a step without a text."
    )
    content: dict[str, Any] = Field(description="As it was rendered for this person.")
    attempt: int = Field(description="How often it has been tried.")
    planned_at: str
    performing_at: str | None = Field(description="When its last attempt began.")
    finished_at: str | None = Field(description="When it was done, had failed or was cancelled.")
    code: str | None = Field(
        description="Why it failed, or was cancelled; of a planned one, why its last attempt came to nothing.",
        examples=["profile_unreachable"],
    )
    message: str | None = Field(description="What was said of that, or of why nobody knows whether it happened.")
    external_id: str | None = Field(description="The channel's own name of it.")
    asked_again_at: str | None = Field(
        description="When the channel of an uncertain one is asked; null when a person is to resolve it."
    )


class ActionList(BaseModel):
    model_config = _CAMEL

    actions: list[ActionBody]
    next_cursor: str | None = Field(description="Where to go on; null on the last page.")


def action_body(action: Shown) -> ActionBody:
    code, message = action.fault
    return ActionBody(
        id=ids.public(ids.Prefix.ACTION, action.id),
        state=cast(Any, action.state),
        kind=action.kind,
        lead_id=_public(ids.Prefix.LEAD, action.lead_id),
        campaign_id=_public(ids.Prefix.CAMPAIGN, action.campaign_id),
        sender_id=ids.public(ids.Prefix.SENDER, action.sender_id),
        linkedin_url=action.linkedin_url,
        step_id=action.step_id,
        sequence_version=action.sequence_version,
        variant=action.variant,
        content=dict(action.content),
        attempt=action.attempt,
        planned_at=iso(action.planned_at),
        performing_at=_moment(action.performing_at),
        finished_at=_moment(action.finished_at),
        code=code,
        message=message,
        external_id=action.external_id,
        asked_again_at=_moment(action.asked_again_at),
    )


def action_list(fetched: Sequence[Shown], limit: int) -> ActionList:
    """``fetched`` holds one more than the page shows, when there is one."""
    shown = fetched[:limit]
    more = len(fetched) > limit
    return ActionList(actions=[action_body(each) for each in shown], next_cursor=shown[-1].id if more else None)


def _public(prefix: ids.Prefix, bare: str | None) -> str | None:
    return None if bare is None else ids.public(prefix, bare)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


class ResolveAction(BaseModel):
    """What a person found out about a deed of which nobody knew whether it happened."""

    model_config = _CAMEL | ConfigDict(json_schema_extra={"examples": [{"outcome": "done"}]})

    outcome: Literal["done", "not_done"] = Field(description="`not_done`: it is tried again.")

    def read(self) -> Outcome:
        return Done() if self.outcome == "done" else NOT_DONE


class ReportOutcome(BaseModel):
    """What became of a deed, in the words in which an endpoint of the http channel answers."""

    model_config = _CAMEL | ConfigDict(json_schema_extra={"examples": [{"status": "done", "externalId": "m-17"}]})

    status: Word
    external_id: Annotated[str, StringConstraints(max_length=LONGEST_EXTERNAL_ID)] | None = Field(
        default=None, description="Your own name of the deed."
    )
    known_as: list[Annotated[str, StringConstraints(max_length=LONGEST_URL)]] = Field(
        default=[], max_length=MOST_ALIASES, description="Other addresses of the same person."
    )
    code: Text | None = Field(default=None, description="Of a deed that failed.", examples=["profile_unreachable"])
    message: Text | None = None
    retry_after: Annotated[float, Field(ge=0, le=MAX_DURATION.total_seconds())] | None = Field(
        default=None, description="Seconds until it can be tried again."
    )

    def read(self) -> Outcome:
        """Raises InvalidRequest for a word that is no outcome: the deed is known to be on its way."""
        told = Body(**self.model_dump(exclude={"retry_after"}))
        outcome = outcome_of(told, _seconds(self.retry_after))
        if isinstance(outcome, Later):
            raise InvalidRequest.of([Detail("status", "expected what became of the deed, not that it was accepted")])
        return outcome


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


class InboundBody(BaseModel):
    """Something that a person did."""

    model_config = _CAMEL | ConfigDict(json_schema_extra={"examples": [_INBOUND]})

    sender_id: str = Field(description="The sender to whom it was done.")
    linkedin_url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        examples=["https://www.linkedin.com/in/jane-smith"]
    )
    type: Literal["connection_accepted", "reply"]
    text: Annotated[str, StringConstraints(max_length=LONGEST_REPLY)] | None = Field(
        default=None, description="What was written; needed for a reply."
    )
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_EXTERNAL_ID)] | None = Field(
        default=None, description="Your name of the fact: told again under it, it changes nothing."
    )
    occurred_at: PastMoment | None = Field(default=None, description="When it happened; now, when left out.")

    def fact(self, now: datetime) -> InboundFact:
        """Raises InvalidRequest for a reply that says nothing."""
        if self.type == "reply" and not (self.text or "").strip():
            raise InvalidRequest.of([Detail("text", "is required for a reply")])
        return InboundFact(self.type, self.linkedin_url, self.occurred_at or now, self.text, self.external_id)


class InboundDone(BaseModel):
    model_config = _CAMEL

    success: Literal[True] = True
    duplicate: bool = Field(description="It was known already, and changed nothing.")
    lead_id: str | None = Field(description="The lead it was about, null when the person is nobody's lead.")

    @classmethod
    def of(cls, received: Received) -> "InboundDone":
        return cls(duplicate=received.duplicate, lead_id=_public(ids.Prefix.LEAD, received.lead_id))
