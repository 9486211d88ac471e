"""What a sender's deeds count as, and how many of each it may do; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from leadwright.engine.sequence import StepType


class QuotaKind(StrEnum):
    """What is capped together: a sender's quotas are kept by these words."""

    CONNECTIONS = "connections"
    MESSAGES = "messages"
    VISITS = "visits"
    LIKES = "likes"
    EMAILS = "emails"


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"


_KINDS: Mapping[StepType, QuotaKind] = {
    StepType.CONNECT: QuotaKind.CONNECTIONS,
    StepType.MESSAGE: QuotaKind.MESSAGES,
    StepType.VISIT_PROFILE: QuotaKind.VISITS,
    StepType.FOLLOW: QuotaKind.LIKES,
    StepType.LIKE_POST: QuotaKind.LIKES,
    StepType.EMAIL: QuotaKind.EMAILS,
}


def kind_of(step_type: StepType) -> QuotaKind | None:
    """What a deed counts as; None for one that no cap counts."""
    return _KINDS.get(step_type)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most deeds of a kind in a day and in a week (a kind without an entry has no cap), and the least time between
    two deeds of the sender, to which up to a quarter is added by chance."""

    per_day: Mapping[QuotaKind, int]
    per_week: Mapping[QuotaKind, int]
    min_gap: timedelta

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {
            "perDay": {kind.value: most for kind, most in self.per_day.items()},
            "perWeek": {kind.value: most for kind, most in self.per_week.items()},
            "minGapSeconds": self.min_gap.total_seconds(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Limits":
        return cls(
            {QuotaKind(kind): most for kind, most in stored["perDay"].items()},
            {QuotaKind(kind): most for kind, most in stored["perWeek"].items()},
            timedelta(seconds=stored["minGapSeconds"]),
        )


DEFAULT_PER_DAY: Mapping[QuotaKind, int] = {
    QuotaKind.CONNECTIONS: 20,
    QuotaKind.MESSAGES: 50,
    QuotaKind.VISITS: 80,
    QuotaKind.LIKES: 30,
    QuotaKind.EMAILS: 50,
}
DEFAULT_PER_WEEK: Mapping[QuotaKind, int] = {QuotaKind.CONNECTIONS: 100}
DEFAULT_GAP = timedelta(seconds=90)
"""But none for the simulator, which nobody watches."""


@dataclass(frozen=True, slots=True)
class RampUp:
    """A new account begins with ``start`` deeds of a kind a day, ``add_per_week`` more each week, up to its caps."""

    start: int
    add_per_week: int
    begins_on: date

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {"start": self.start, "addPerWeek": self.add_per_week, "beginsOn": self.begins_on.isoformat()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RampUp":
        return cls(stored["start"], stored["addPerWeek"], date.fromisoformat(stored["beginsOn"]))
