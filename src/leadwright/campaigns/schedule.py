"""When a campaign may act: working days and hours in a time zone, without holidays; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TypedDict


class Weekday(StrEnum):
    """In the order of ``date.weekday()``."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


ScheduleJSON = TypedDict(
    "ScheduleJSON",
    {"timeZone": str, "days": Sequence[str], "from": str, "to": str, "holidays": Sequence[str]},
)
"""A schedule as the wire shows it and the database keeps it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """``opens`` and ``closes`` are minutes from local midnight, 0 <= opens < closes <= 1440.

    Days and holidays keep the order in which they were given. A holiday is closed from midnight to midnight.
    """

    time_zone: str
    days: tuple[Weekday, ...]
    opens: int
    closes: int
    holidays: tuple[date, ...] = ()

    def to_json(self) -> ScheduleJSON:
        return {
            "timeZone": self.time_zone,
            "days": [day.value for day in self.days],
            "from": time_text(self.opens),
            "to": time_text(self.closes),
            "holidays": [day.isoformat() for day in self.holidays],
        }


def from_json(stored: ScheduleJSON) -> Schedule:
    """The schedule that ``to_json`` wrote, or one that was checked to look the same."""
    return Schedule(
        time_zone=stored["timeZone"],
        days=tuple(Weekday(day) for day in stored["days"]),
        opens=minutes(stored["from"]),
        closes=minutes(stored["to"]),
        holidays=tuple(date.fromisoformat(day) for day in stored["holidays"]),
    )


def minutes(text: str) -> int:
    """``"09:30"`` as minutes after midnight; ``"24:00"`` is the end of the day. Well-formed text only."""
    return int(text[:2]) * 60 + int(text[3:])


def time_text(after_midnight: int) -> str:
    hour, minute = divmod(after_midnight, 60)
    return f"{hour:02}:{minute:02}"


@cache
def time_zones() -> frozenset[str]:
    """The IANA names of the installed tzdata package: the same on every machine."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())
