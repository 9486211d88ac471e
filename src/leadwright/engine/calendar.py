"""When somebody's working hours are next open: time zones, daylight saving, holidays; pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from leadwright.templates import Fields, look_up

if TYPE_CHECKING:
    from leadwright.campaigns.schedule import Schedule

LOOK_AHEAD_DAYS = 1_500
"""Longer than any schedule's holidays can reach when they stand in a row, weekends between them."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")
_DAY = timedelta(days=1)


def is_open(schedule: "Schedule | None", at: datetime, zone: str | None = None) -> bool:
    """Whether the clock on the wall stands within the hours of a working day; ``zone`` replaces the schedule's."""
    if schedule is None:
        return True
    local = at.astimezone(ZoneInfo(zone or schedule.time_zone))
    return (
        _works_on(schedule, local.date())
        and schedule.opens * 60 <= local.hour * 3600 + local.minute * 60 + local.second < schedule.closes * 60
    )


def are_open(campaign: "Schedule | None", zone: str | None, sender: "Schedule | None", at: datetime) -> bool:
    """Whether a campaign, in the zone of the lead where it has one, and a sender both work."""
    return is_open(campaign, at, zone) and is_open(sender, at)


def next_open(schedule: "Schedule | None", at: datetime, zone: str | None = None) -> datetime | None:
    """The first moment from ``at`` on that is open, in UTC: ``at`` itself when it is; None within four years."""
    if is_open(schedule, at, zone):
        return at
    assert schedule is not None
    where = ZoneInfo(zone or schedule.time_zone)
    today = at.astimezone(where).date()
    for ahead in range(LOOK_AHEAD_DAYS):
        day = today + ahead * _DAY
        if not _works_on(schedule, day):
            continue
        found = [moment for moment in _openings(schedule, day, where) if moment >= at]
        opened = [moment for moment in found if is_open(schedule, moment, where.key)]
        if opened:
            return min(opened)
    return None


def next_open_of_all(windows: "Sequence[tuple[Schedule | None, str | None]]", at: datetime) -> datetime | None:
    """The first moment at which all are open together; None when there is none within four years."""
    moment, last = at, at + LOOK_AHEAD_DAYS * _DAY
    while moment <= last:
        opened = [next_open(schedule, moment, zone) for schedule, zone in windows]
        latest = max((each for each in opened if each is not None), default=moment)
        if None in opened:
            return None
        if latest == moment:
            return moment
        moment = latest
    return None


def local_day(zone: str | None, at: datetime) -> date:
    """The date in the zone, UTC when there is none."""
    return at.astimezone(ZoneInfo(zone) if zone else UTC).date()


def day_ends(zone: str | None, at: datetime) -> datetime:
    """The first moment of the next day in the zone, in UTC."""
    where = ZoneInfo(zone) if zone else UTC
    tomorrow = at.astimezone(where).date() + _DAY
    midnight = datetime.combine(tomorrow, time(), where)
    return midnight.astimezone(UTC)


def own_zone(fields: Fields) -> str | None:
    """The time zone that a lead's field ``timeZone`` names (however it is written), None without a valid one."""
    name = look_up(fields, "timeZone")
    return name if isinstance(name, str) and _is_zone(name) else None


@lru_cache(maxsize=2048)
def _is_zone(name: str) -> bool:
    if not _ZONE_NAME.fullmatch(name) or len(name) > 64:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _works_on(schedule: "Schedule", day: date) -> bool:
    return _WEEKDAYS[day.weekday()] in schedule.days and day not in schedule.holidays


def _openings(schedule: "Schedule", day: date, where: ZoneInfo) -> Iterator[datetime]:
    """The moments at which the hours can begin on a day: as the clock shows the hour, once or twice, or jumps past it.

    When clocks go back an hour can be shown twice, and a window that had closed opens once more.
    """
    opening = datetime.combine(day, time(schedule.opens // 60, schedule.opens % 60))
    for fold in (0, 1):
        yield opening.replace(tzinfo=where, fold=fold).astimezone(UTC)
    starts = datetime.combine(day, time(), where).astimezone(UTC) - _DAY / 2  # Midnight itself may be jumped over.
    ends = datetime.combine(day + _DAY, time(), where).astimezone(UTC)
    if starts.astimezone(where).utcoffset() != ends.astimezone(where).utcoffset():
        yield _clock_change(where, starts, ends)


def _clock_change(where: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset between two moments whose offsets differ."""
    old = before.astimezone(where).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, where).utcoffset() == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
