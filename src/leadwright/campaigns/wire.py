"""The JSON of campaigns: bodies that are checked field by field, and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from leadwright.campaigns.fields import SEQUENCE_SCHEMA, DurationField, ScheduleBody, SequenceField
from leadwright.campaigns.model import Action, MissingVariable, Overview, SequenceVersion, Settings, Status
from leadwright.campaigns.readiness import invalid_action
from leadwright.campaigns.service import sender_not_found
from leadwright.clock import iso
from leadwright.durations import duration_to_json
from leadwright.http.paging import Paged
from leadwright.http.problems import NOT_BLANK
from leadwright.ids import Prefix, bare, public

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 5_000
MOST_SENDERS = 100
MOST_NEW_LEADS_PER_DAY = 1_000_000

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK)
]


class CampaignFields(BaseModel):
    """What can be set on a campaign. Unknown fields are ignored: clients send more than we know."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore")

    description: str | None = Field(default=None, max_length=LONGEST_DESCRIPTION)
    sender_ids: list[str] = Field(
        default=[], max_length=MOST_SENDERS, description="Senders that its deeds are spread over."
    )
    schedule: ScheduleBody | None = Field(default=None, description="Null: always open.")
    sequence: SequenceField = Field(default={"steps": []})
    missing_variable: Literal["hold", "skip_step"] = Field(
        default="hold",
        description="What becomes of a lead that lacks a field of its next text without a fallback.",
    )
    acceptance_timeout: DurationField = Field(
        default=timedelta(days=14),
        description="How long a message waits for the connection it needs.",
        json_schema_extra={"default": {"days": 14}},
    )
    max_new_leads_per_day: int | None = Field(
        default=None, ge=1, le=MOST_NEW_LEADS_PER_DAY, description="Null: as many as the senders can."
    )
    approach_despite_other_conversation: bool = Field(
        default=False, description="Whether to approach people who are in conversation in another campaign."
    )

    def apply(self, settings: Settings) -> Settings:
        """The settings with the fields that were sent. Raises InvalidRequest for what is no sender's id."""
        return replace(settings, **{name: self._value(name) for name in self.model_fields_set & _SETTINGS})

    def _value(self, name: str) -> object:
        match name:
            case "sender_ids":
                return _bare_senders(self.sender_ids)
            case "schedule":
                return None if self.schedule is None else self.schedule.to_schedule()
            case "missing_variable":
                return MissingVariable(self.missing_variable)
            case _:
                return getattr(self, name)


_SETTINGS = frozenset(Settings.__dataclass_fields__)


def _bare_senders(sender_ids: Sequence[str]) -> tuple[str, ...]:
    found = [bare(Prefix.SENDER, sender_id) for sender_id in dict.fromkeys(sender_ids)]
    known = tuple(sender_id for sender_id in found if sender_id is not None)
    if len(known) < len(found):
        raise sender_not_found()
    return known


class CreateCampaign(CampaignFields):
    """A new campaign; only its name is required."""

    name: Name = Field(description="White space at its ends is dropped.", examples=["Founders in Berlin"])

    def settings(self) -> Settings:
        return self.apply(Settings(self.name))


def _only_what_changes(schema: dict[str, Any]) -> None:
    """Nothing is set by default: what is left out stays as it is."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"action": "pause"}, {"name": "Founders in Berlin", "maxNewLeadsPerDay": 20}]


class ChangeCampaign(CampaignFields):
    """Either an action or the fields to set, not both."""

    model_config = ConfigDict(json_schema_extra=_only_what_changes)

    name: Name = Field(default="", examples=["Founders in Berlin"])
    action: Annotated[Any, WithJsonSchema({"type": "string", "enum": [a.value for a in Action]})] = Field(
        default=None, examples=["pause"]
    )

    def wanted_action(self) -> Action | None:
        """The action, None when fields are to be set. Raises InvalidRequest for a body that is neither."""
        sent = self.model_fields_set
        choices = ", ".join(Action)
        if "action" not in sent:
            if not sent:
                raise invalid_action(f"expected one of {choices}, or a field to change")
            return None
        if len(sent) > 1:
            raise invalid_action("expected either an action or fields to change, not both")
        if self.action not in list(Action):
            raise invalid_action(f"expected one of {choices}")
        return Action(self.action)


class SequenceBody(RootModel[SequenceField]):
    """The whole new sequence of a campaign. Null is refused: it would take every step away by mistake."""

    @model_validator(mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError('expected {"steps": […]}')
        return value


ShownSchedule = Annotated[dict[str, Any], WithJsonSchema(ScheduleBody.model_json_schema())]
ShownSequence = Annotated[Mapping[str, object], WithJsonSchema(SEQUENCE_SCHEMA)]


class CampaignBody(BaseModel):
    """A campaign and what it has come to."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    id: str = Field(examples=["camp_0199c0ffee0070008000000000000001"])
    name: str
    status: Status
    type: Literal["outreach"]
    total_leads: int
    leads_contacted: int = Field(description="Leads that got a first invitation, message or e-mail.")
    connections_sent: int
    messages_sent: int
    replies_received: int
    linked_in_sender_ids: list[str]
    created_at: str = Field(examples=["2026-03-01T09:00:00.000Z"])
    updated_at: str = Field(examples=["2026-03-01T09:00:00.000Z"])
    description: str | None
    connections_accepted: int
    sender_ids: list[str] = Field(description="The same as `linkedInSenderIds`.")
    schedule: ShownSchedule | None = Field(description="Null: always open.")
    sequence: ShownSequence
    sequence_version: int = Field(description="Rises by one with every sequence that differs.")
    missing_variable: MissingVariable
    acceptance_timeout: dict[str, float | int] = Field(examples=[{"days": 14}])
    max_new_leads_per_day: int | None
    approach_despite_other_conversation: bool
    started_at: str | None
    finished_by: str | None = Field(description="`api`, `user` or `system`; null while it is not finished.")
    pause_reason: str | None = Field(
        description="Why it paused by itself; null when a person paused it, and otherwise."
    )


def campaign_body(overview: Overview) -> CampaignBody:
    campaign, totals, settings = overview.campaign, overview.totals, overview.campaign.settings
    senders = [public(Prefix.SENDER, sender_id) for sender_id in settings.sender_ids]
    return CampaignBody(
        id=public(Prefix.CAMPAIGN, campaign.id),
        name=settings.name,
        status=campaign.status,
        type="outreach",
        total_leads=totals.leads,
        leads_contacted=totals.leads_contacted,
        connections_sent=totals.connections_sent,
        messages_sent=totals.messages_sent,
        replies_received=totals.replies_received,
        linked_in_sender_ids=senders,
        created_at=iso(campaign.created_at),
        updated_at=iso(campaign.updated_at),
        description=settings.description,
        connections_accepted=totals.connections_accepted,
        sender_ids=senders,
        schedule=None if settings.schedule is None else dict(settings.schedule.to_json()),
        sequence=settings.sequence,
        sequence_version=campaign.sequence_version,
        missing_variable=settings.missing_variable,
        acceptance_timeout=duration_to_json(settings.acceptance_timeout),
        max_new_leads_per_day=settings.max_new_leads_per_day,
        approach_despite_other_conversation=settings.approach_despite_other_conversation,
        started_at=None if campaign.started_at is None else iso(campaign.started_at),
        finished_by=campaign.finished_by,
        pause_reason=campaign.pause_reason,
    )


class SequenceVersionBody(BaseModel):
    """A campaign's sequence as it was saved once."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    campaign_id: str = Field(examples=["camp_0199c0ffee0070008000000000000001"])
    version: int
    is_current: bool = Field(description="Whether leads are planned by it now.")
    created_at: str = Field(examples=["2026-03-01T09:00:00.000Z"])
    sequence: ShownSequence

    @classmethod
    def of(cls, campaign_id: str, found: SequenceVersion) -> "SequenceVersionBody":
        return cls(
            campaign_id=public(Prefix.CAMPAIGN, campaign_id),
            version=found.version,
            is_current=found.is_current,
            created_at=iso(found.created_at),
            sequence=found.sequence,
        )


class CampaignList(Paged):
    campaigns: list[CampaignBody]


class ActionDone(BaseModel):
    """The answer to an action."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    success: Literal[True] = True
    campaign_id: str
    action: Action
    new_status: Status
    message: str = Field(examples=["Campaign paused successfully"])

    @classmethod
    def of(cls, campaign_id: str, action: Action, new_status: Status) -> "ActionDone":
        message = f"Campaign {_DONE[action]} successfully"
        return cls(campaign_id=campaign_id, action=action, new_status=new_status, message=message)


_DONE = {
    Action.START: "started",
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.FINISH: "finished",
}


class Deleted(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    success: Literal[True] = True
    campaign_id: str
    message: Literal["Campaign deleted successfully"] = "Campaign deleted successfully"
