"""Whether the hours of a campaign and of a sender ever meet, holidays aside; pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from leadwright.campaigns.schedule import Schedule
from leadwright.engine.calendar import next_open_of_all

_DAY = 24 * 60
_WEEK = 7 * _DAY
_EAST, _WEST = 14 * 60, 12 * 60
"""How far the clocks of the world are ahead of UTC and behind it, in minutes."""
_SEASONS = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC))
"""Mondays with the two offsets that a zone can have in a year."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=512)  # that two never meet takes 7 ms to find out
def ever_meet(campaign: Schedule | None, sender: Schedule | None) -> bool:
    """For leads without a time zone of their own."""
    if campaign is None or sender is None:
        return True
    windows = ((replace(campaign, holidays=()), None), (replace(sender, holidays=()), None))
    return next_open_of_all(windows, _SEASONS[0]) is not None


def may_meet(campaign: Schedule | None, sender: Schedule | None) -> bool:
    """For some lead at least, wherever it lives: its own time zone can replace the campaign's."""
    if campaign is None or sender is None:
        return True
    anywhere = [(opens - _EAST, closes + _WEST) for opens, closes in _spans(campaign)]
    there = [(opens - ahead, closes - ahead) for opens, closes in _spans(sender) for ahead in _ahead(sender)]
    return any(_overlap(one, other) for one in anywhere for other in there)


def _spans(schedule: Schedule) -> Iterator[tuple[int, int]]:
    """Minutes from Monday's midnight on the schedule's own clock."""
    for number, weekday in enumerate(_WEEKDAYS):
        if weekday in schedule.days:
            yield number * _DAY + schedule.opens, number * _DAY + schedule.closes


def _ahead(schedule: Schedule) -> list[int]:
    offsets = [season.astimezone(ZoneInfo(schedule.time_zone)).utcoffset() or timedelta() for season in _SEASONS]
    return [int(offset.total_seconds()) // 60 for offset in dict.fromkeys(offsets)]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return any(one[0] < other[1] + shift and other[0] + shift < one[1] for shift in (-_WEEK, 0, _WEEK))
