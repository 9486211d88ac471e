"""The JSON of senders: what can be set on one, how it is shown, and what is left of its limits."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from leadwright.campaigns.fields import ScheduleBody
from leadwright.channels.registry import CONFIGS
from leadwright.clock import iso
from leadwright.engine.calendar import local_day
from leadwright.http.paging import Paged
from leadwright.http.problems import NOT_BLANK
from leadwright.ids import Prefix, public
from leadwright.senders.fields import LimitsBody, RampUpBody, default_limits, identity_of, profile
from leadwright.senders.model import ChannelName, Sender, SenderStatus, Settings
from leadwright.senders.service import Change, Made, shown_config

LONGEST_NAME = 200

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "sender_0199c0ffee0070008000000000000001"

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK)
]
ProfileUrl = Annotated[str, AfterValidator(profile)]
Config = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "description": "What the channel wants to know: see the guide to channels.",
            "anyOf": [
                {"title": shape.__name__, **shape.model_json_schema(by_alias=True), "additionalProperties": True}
                for shape in CONFIGS.values()
            ],
        }
    ),
]


def _without_default(schema: JsonDict) -> None:
    """Generators of clients stumble over a default beside alternatives, and leave the whole route out."""
    del schema["default"]


class SenderFields(BaseModel):
    """What can be set on a sender. Unknown fields are ignored: clients send more than we know."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore")

    first_name: Name | None = Field(default=None, description="For templates; left out, from `name`.")
    last_name: Name | None = None
    config: Config = Field(
        default={},
        examples=[{"seed": 7, "acceptRate": 1}],
        json_schema_extra=_without_default,
    )
    limits: LimitsBody = Field(default_factory=LimitsBody, description="Those that are left out stay as they are.")
    ramp_up: RampUpBody | None = Field(default=None, description="Null: the caps count from the first day.")
    schedule: ScheduleBody | None = Field(default=None, description="When it works. Null: always.")

    def apply(self, settings: Settings, now: datetime) -> Settings:
        """The settings with the fields that were sent; not the configuration, which is merged elsewhere."""
        sent = self.model_fields_set
        changed: dict[str, Any] = {name: getattr(self, name) for name in ("first_name", "last_name") if name in sent}
        if "limits" in sent:
            changed["limits"] = self.limits.apply(settings.limits)
        if "schedule" in sent:
            changed["schedule"] = None if self.schedule is None else self.schedule.to_schedule()
        settings = replace(settings, **changed)
        if "ramp_up" in sent:
            settings = replace(settings, ramp_up=self._ramp_up(settings, now))
        return settings

    def _ramp_up(self, settings: Settings, now: datetime) -> Any:
        if self.ramp_up is None:
            return None
        return self.ramp_up.to_ramp_up(local_day(settings.zone, now), settings.ramp_up)


class CreateSender(SenderFields):
    """A new sender: one account on one channel."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Ada Lovelace",
                    "linkedinUrl": "https://www.linkedin.com/in/ada-lovelace",
                    "channel": "simulator",
                    "config": {"seed": 7, "acceptRate": 1, "acceptAfter": {"hours": 2}},
                    "limits": {"connectionsPerDay": 15, "messagesPerWeek": None},
                    "rampUp": {"start": 5, "addPerWeek": 5},
                }
            ]
        }
    )

    name: Name = Field(examples=["Ada Lovelace"])
    linkedin_url: ProfileUrl = Field(examples=["https://www.linkedin.com/in/ada-lovelace"])
    channel: ChannelName = Field(
        strict=False,
        description="`email` and `unipile` are known and refused: they have no adapter yet.",
    )

    def settings(self, now: datetime) -> Settings:
        plain = Settings(
            self.name, self.linkedin_url, identity_of(self.linkedin_url), self.channel, default_limits(self.channel)
        )
        return replace(self.apply(plain, now), config=self.config)


def _only_what_changes(schema: dict[str, Any]) -> None:
    """Nothing is set by default: what is left out stays as it is."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"limits": {"messagesPerDay": 20}}, {"status": "disconnected"}]


class ChangeSender(SenderFields):
    """Only what is sent changes, within `limits` and `config` too."""

    model_config = ConfigDict(json_schema_extra=_only_what_changes)

    name: Name = Field(default="", examples=["Ada Lovelace"])
    linkedin_url: ProfileUrl = Field(default="", examples=["https://www.linkedin.com/in/ada-lovelace"])
    channel: ChannelName = Field(default=ChannelName.SIMULATOR, strict=False, description="Cannot be changed.")
    status: Literal["active", "disconnected"] = Field(
        default="active", description="`disconnected` stops it until somebody sets it `active` again."
    )

    def change(self, now: datetime) -> Change:
        sent = self.model_fields_set
        status = SenderStatus(self.status) if "status" in sent else None
        config = self.config if "config" in sent else {}
        return Change(lambda settings: self._changed(settings, now), config, status)

    def _changed(self, settings: Settings, now: datetime) -> Settings:
        sent = self.model_fields_set
        own: dict[str, Any] = {
            name: getattr(self, name) for name in ("name", "linkedin_url", "channel") if name in sent
        }
        if "linkedin_url" in sent:
            own["identity"] = identity_of(self.linkedin_url)
        return self.apply(replace(settings, **own), now)


ShownSchedule = Annotated[dict[str, Any], WithJsonSchema(ScheduleBody.model_json_schema())]


class SenderBody(BaseModel):
    """A sender and how it is doing."""

    model_config = _CAMEL

    id: str = Field(examples=[_ID])
    name: str
    first_name: str | None
    last_name: str | None
    linkedin_url: str
    channel: ChannelName
    simulated: bool = Field(description="Nothing that it does is real.")
    config: dict[str, Any] = Field(description="With `••••` in the place of each secret.")
    limits: LimitsBody
    ramp_up: RampUpBody | None
    schedule: ShownSchedule | None = Field(description="Null: always.")
    status: SenderStatus
    status_reason: str | None = Field(description="Why it is not active.")
    status_until: str | None = Field(description="When it is tried again by itself; null: when somebody says so.")
    created_at: str = Field(examples=["2026-03-01T09:00:00.000Z"])
    updated_at: str = Field(examples=["2026-03-01T09:00:00.000Z"])


class SenderMade(SenderBody):
    secret: str | None = Field(description="One that was made for the configuration just now; shown only this once.")


class SenderList(Paged):
    senders: list[SenderBody]


class SenderRemoved(BaseModel):
    success: Literal[True] = True
    id: str = Field(examples=[_ID])


def sender_body(sender: Sender) -> SenderBody:
    return SenderBody(**_shown(sender))


def sender_made(made: Made) -> SenderMade:
    return SenderMade(**_shown(made.sender), secret=made.secret)


def _shown(sender: Sender) -> dict[str, Any]:
    fields = sender.fields
    return {
        "id": public(Prefix.SENDER, sender.id),
        "name": sender.name,
        "first_name": fields["firstName"],
        "last_name": fields["lastName"],
        "linkedin_url": sender.linkedin_url,
        "channel": sender.channel,
        "simulated": sender.is_simulated,
        "config": shown_config(sender),
        "limits": LimitsBody.of(sender.limits),
        "ramp_up": None if sender.ramp_up is None else RampUpBody.of(sender.ramp_up),
        "schedule": None if sender.schedule is None else dict(sender.schedule.to_json()),
        "status": sender.status,
        "status_reason": sender.status_reason,
        "status_until": None if sender.status_until is None else iso(sender.status_until),
        "created_at": iso(sender.created_at),
        "updated_at": iso(sender.updated_at),
    }
