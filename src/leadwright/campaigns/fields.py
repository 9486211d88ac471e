"""Body fields with rules of their own: a schedule, a sequence, a duration; every fault names its place."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from leadwright.campaigns import schedule
from leadwright.campaigns.schedule import Schedule
from leadwright.durations import DurationError, parse_duration
from leadwright.engine.sequence import SequenceError, parse_sequence

MOST_HOLIDAYS = 1_000

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_END = re.compile(f"{_TIME.pattern}|24:00")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _problems(found: Sequence[tuple[tuple[str | int, ...], str]]) -> ValidationError:
    """Faults within one field, each with its place below it; the framework joins them with all others."""
    lines = [
        InitErrorDetails(type=PydanticCustomError("invalid", "{text}", {"text": text}), loc=place, input=None)
        for place, text in found
    ]
    return ValidationError.from_exception_data("field", lines)


def _below(path: str, root: str) -> tuple[str, ...]:
    rest = path.removeprefix(root).removeprefix(".")
    return (rest,) if rest else ()


def _sequence(value: object) -> dict[str, object]:
    """The sequence with an id on every step, as it is stored."""
    try:
        return parse_sequence(value).to_json()
    except SequenceError as error:
        raise _problems([(_below(p.path, "sequence"), p.message) for p in error.problems]) from error


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(value, "duration")
    except DurationError as error:
        raise _problems([(_below(error.path, "duration"), error.message)]) from error


def _time_zone(value: str) -> str:
    if value not in schedule.time_zones():
        raise ValueError("expected an IANA time zone such as 'Europe/Berlin'")
    return value


def _opening(value: str) -> str:
    if not _TIME.fullmatch(value):
        raise ValueError("expected a time such as '09:00'")
    return value


def _closing(value: str) -> str:
    if not _END.fullmatch(value):
        raise ValueError("expected a time such as '17:30', at the latest '24:00'")
    return value


def _holiday(value: str) -> str:
    try:
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("expected a date such as '2026-12-25'") from error
    return value


def _each_once(value: list[str]) -> list[str]:
    first = {item: at for at, item in reversed(list(enumerate(value)))}
    again = [((at,), f"'{item}' stands there already") for at, item in enumerate(value) if first[item] < at]
    if again:
        raise _problems(again)
    return value


_DURATION_SCHEMA = {
    "type": "object",
    "description": "Any of `days`, `hours`, `minutes` and `seconds`, added up; at most ten years.",
    "properties": {unit: {"type": "number", "minimum": 0} for unit in ("days", "hours", "minutes", "seconds")},
    "additionalProperties": False,
    "examples": [{"days": 14}],
}
SEQUENCE_SCHEMA = {
    "type": "object",
    "description": "The steps that every lead of the campaign walks through.",
    "properties": {"steps": {"type": "array", "items": {"type": "object"}}},
    "required": ["steps"],
    "examples": [
        {
            "steps": [
                {"id": "invite", "type": "connect", "note": "Hi {{firstName | default: 'there'}}"},
                {"id": "hello", "type": "message", "after": {"days": 1}, "text": "Thanks {{firstName}}"},
            ]
        }
    ],
}

DurationField = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
SequenceField = Annotated[dict[str, object], BeforeValidator(_sequence), WithJsonSchema(SEQUENCE_SCHEMA)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _shape(pattern: re.Pattern[str]) -> dict[str, Any]:
    """What the documents say of a text that a validator checks, in words of ours."""
    return {"pattern": f"^({pattern.pattern})$"}


Holiday = Annotated[str, AfterValidator(_holiday), WithJsonSchema({"type": "string", "format": "date"})]


class ScheduleBody(BaseModel):
    """When a campaign may act. A holiday is closed all day."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore")

    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        description="An IANA name.", examples=["Europe/Berlin"]
    )
    days: Annotated[list[Day], AfterValidator(_each_once)] = Field(
        min_length=1, description="Working days, each once.", examples=[["mon", "tue", "wed", "thu", "fri"]]
    )
    opens: Annotated[str, AfterValidator(_opening)] = Field(
        alias="from",
        description="`HH:MM` in the time zone.",
        examples=["09:00"],
        json_schema_extra=_shape(_TIME),
    )
    closes: Annotated[str, AfterValidator(_closing)] = Field(
        alias="to",
        description="`HH:MM`, later than `from`, at the latest `24:00`.",
        examples=["17:30"],
        json_schema_extra=_shape(_END),
    )
    holidays: Annotated[list[Holiday], AfterValidator(_each_once)] = Field(
        default=[], max_length=MOST_HOLIDAYS, description="Dates, each once.", examples=[["2026-12-25"]]
    )

    @field_validator("closes")
    @classmethod
    def _later(cls, value: str, info: ValidationInfo) -> str:
        opens = info.data.get("opens")
        if opens is not None and value <= opens:
            raise ValueError(f"expected a time later than from ('{opens}')")
        return value

    def to_schedule(self) -> Schedule:
        return schedule.from_json(
            {
                "timeZone": self.time_zone,
                "days": self.days,
                "from": self.opens,
                "to": self.closes,
                "holidays": self.holidays,
            }
        )
