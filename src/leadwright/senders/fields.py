"""Body fields of a sender that have rules of their own: its limits, its ramp-up, its profile's address."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from leadwright.campaigns.fields import DurationField, Holiday
from leadwright.durations import duration_to_json
from leadwright.identity import Identity, Refusal, linkedin_identity
from leadwright.senders.limits import (
    DEFAULT_GAP,
    DEFAULT_PER_DAY,
    DEFAULT_PER_WEEK,
    Limits,
    Period,
    QuotaKind,
    RampUp,
)
from leadwright.senders.model import ChannelName

MOST_DEEDS = 1_000_000
LONGEST_GAP = timedelta(days=7)

Cap = Annotated[int | None, Field(ge=0, le=MOST_DEEDS)]


def profile(url: str) -> str:
    """The address as it was sent. Raises ValueError for one that names no person."""
    found = linkedin_identity(url)
    if isinstance(found, Refusal):
        raise ValueError(found.reason.removeprefix("linkedinUrl ").removeprefix("is "))
    return url


def identity_of(url: str) -> Identity:
    """Of an address that was checked."""
    found = linkedin_identity(url)
    assert isinstance(found, Identity)
    return found


def _gap(value: timedelta) -> timedelta:
    if value > LONGEST_GAP:
        raise ValueError(f"must be at most {LONGEST_GAP.days} days")
    return value


Gap = Annotated[DurationField, AfterValidator(_gap), PlainSerializer(duration_to_json)]


class LimitsBody(BaseModel):
    """The most deeds of a kind in a day and in a week, and the least time between two. 0: none at all. Null: no cap."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, strict=True, extra="forbid")

    connections_per_day: Cap = 20
    connections_per_week: Cap = 100
    messages_per_day: Cap = 50
    messages_per_week: Cap = None
    visits_per_day: Cap = 80
    visits_per_week: Cap = None
    likes_per_day: Cap = Field(default=30, description="Likes and follows.")
    likes_per_week: Cap = None
    emails_per_day: Cap = 50
    emails_per_week: Cap = None
    min_gap: Gap = Field(
        default=DEFAULT_GAP,
        description="At most a week; up to a quarter is added by chance. 90 seconds, none for the simulator.",
        json_schema_extra={"default": {"seconds": 90}},
    )

    def apply(self, limits: Limits) -> Limits:
        """The limits with those that were sent."""
        per_day, per_week = dict(limits.per_day), dict(limits.per_week)
        for kind in QuotaKind:
            self._set(kind, Period.DAY, per_day)
            self._set(kind, Period.WEEK, per_week)
        gap = self.min_gap if "min_gap" in self.model_fields_set else limits.min_gap
        return Limits(per_day, per_week, gap)

    def _set(self, kind: QuotaKind, period: Period, caps: dict[QuotaKind, int]) -> None:
        name = f"{kind}_per_{period}"
        if name not in self.model_fields_set:
            return
        cap: int | None = getattr(self, name)
        if cap is None:
            caps.pop(kind, None)
        else:
            caps[kind] = cap

    @classmethod
    def of(cls, limits: Limits) -> "LimitsBody":
        caps: dict[str, Any] = {f"{kind}_per_day": limits.per_day.get(kind) for kind in QuotaKind}
        caps |= {f"{kind}_per_week": limits.per_week.get(kind) for kind in QuotaKind}
        return cls.model_construct(**caps, min_gap=limits.min_gap)


def default_limits(channel: ChannelName) -> Limits:
    """What a sender may do when nobody says so: cautious, but for the simulator, which nobody watches."""
    gap = timedelta() if channel is ChannelName.SIMULATOR else DEFAULT_GAP
    return Limits(dict(DEFAULT_PER_DAY), dict(DEFAULT_PER_WEEK), gap)


class RampUpBody(BaseModel):
    """A new account begins with `start` deeds of a kind a day and does `addPerWeek` more each week, up to its caps."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, strict=True, extra="forbid")

    start: int = Field(ge=0, le=MOST_DEEDS, examples=[5])
    add_per_week: int = Field(ge=0, le=MOST_DEEDS, examples=[5])
    begins_on: Holiday | None = Field(
        default=None, description="The first day of it; left out, the day on which it is set.", examples=["2026-03-01"]
    )

    def to_ramp_up(self, today: date, present: RampUp | None) -> RampUp:
        """One that is only sent again goes on from where it began."""
        begins_on = date.fromisoformat(self.begins_on) if self.begins_on else today
        if present is not None and self.begins_on is None:
            same = replace(present, start=self.start, add_per_week=self.add_per_week) == present
            begins_on = present.begins_on if same else today
        return RampUp(self.start, self.add_per_week, begins_on)

    @classmethod
    def of(cls, ramp_up: RampUp) -> "RampUpBody":
        return cls(start=ramp_up.start, add_per_week=ramp_up.add_per_week, begins_on=ramp_up.begins_on.isoformat())
