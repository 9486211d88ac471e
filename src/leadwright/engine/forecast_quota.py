"""A sender on the virtual clock: what it has done, and what holds it now; the arithmetic is the real sender's; pure."""

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from leadwright.campaigns.schedule import Schedule
from leadwright.engine import calendar
from leadwright.senders import caps
from leadwright.senders.limits import Period, QuotaKind
from leadwright.senders.model import Sender

MEAN_JITTER = 1 + caps.JITTER / 2
"""By how much chance lengthens a gap on average."""
_RULES = {Period.DAY: "daily_cap", Period.WEEK: "weekly_cap"}
_DAY = timedelta(days=1)

Used = Mapping[tuple[QuotaKind, Period, date], int]
"""Deeds that count in the period which starts on the date, in the sender's zone."""


@dataclass(frozen=True, slots=True)
class Block:
    """Why nothing more can be done before ``until``; None: not by itself. ``kind``: what is capped, if a cap is it."""

    rule: str
    until: datetime | None
    kind: QuotaKind | None = None


class VirtualSender:
    """``grain``: deeds that the gap would space within so much time are done together, at its beginning.

    ``copies``: it stands for so many senders that are alike, and may do what they may together.
    """

    def __init__(
        self,
        sender: Sender,
        now: datetime,
        used: Used | None = None,
        *,
        grain: timedelta = timedelta(),
        copies: int = 1,
    ) -> None:
        self.sender = sender
        self.id = sender.id
        self._zone = sender.zone
        self._available_from = _available_from(sender, now)
        self._copies = copies
        self._gap = sender.limits.min_gap * MEAN_JITTER / copies
        self._grain = grain
        self._used: Tally[tuple[QuotaKind, Period, date]] = Tally(dict(used or {}))
        self._paced_until = now
        self._day = calendar.local_day(self._zone, now)
        self._periods = tuple(caps.periods(sender, now))
        self._day_ends = calendar.day_ends(self._zone, now)
        self._open_until: dict[bool, datetime] = {}

    def closed(self, campaign: Schedule | None, *, own_zone: bool, at: datetime) -> Block | None:
        """What shuts the sender, whatever the deed: it is away, or the hours are over.

        The campaign's hours do not bind leads that have their own.
        """
        if self._available_from is None or self._available_from > at:
            return Block("sender_unavailable", self._available_from)
        if at < self._open_until.get(own_zone, at):
            return None
        windows = [(None if own_zone else campaign, None), (self.sender.schedule, None)]
        opens = calendar.next_open_of_all(windows, at)
        if opens != at:
            return Block("outside_window", opens)
        self._open_until[own_zone] = min(open_until(schedule, at) for schedule, _ in windows)
        return None

    def room(self, kind: QuotaKind | None, at: datetime) -> tuple[int | None, Block | None]:
        """How many more deeds of the kind the caps allow (None: any number), and what holds when it is none."""
        least: int | None = None
        if kind is None:
            return None, None
        self._turn_to(at)
        for period, starts_on in self._periods:
            left = self._left(kind, period, starts_on)
            if left is None:
                continue
            if left == 0:
                return 0, Block(_RULES[period], caps.ends(self.sender, period, starts_on), kind)
            least = left if least is None else min(least, left)
        return least, None

    def spent(self, kind: QuotaKind, at: datetime) -> Block:
        """What will hold when all that the caps allow is done: the day ends, where there is no cap."""
        self._turn_to(at)
        found = [(self._left(kind, period, starts_on), period, starts_on) for period, starts_on in self._periods]
        capped = [(left, period, starts_on) for left, period, starts_on in found if left is not None]
        if not capped:
            return Block(_RULES[Period.DAY], self._day_ends, kind)
        _, period, starts_on = min(capped, key=lambda each: each[0])
        return Block(_RULES[period], caps.ends(self.sender, period, starts_on), kind)

    def _left(self, kind: QuotaKind, period: Period, starts_on: date) -> int | None:
        cap = caps.cap(self.sender, kind, period, self._day)
        return None if cap is None else max(0, cap * self._copies - self._used[kind, period, starts_on])

    def pace(self, at: datetime, *, own_zone: bool) -> tuple[int | None, Block | None]:
        """How many deeds the gap allows now (None: any number), and what holds when it is none."""
        if not self._gap:
            return None, None
        free_from = max(self._paced_until, at)
        until = at + self._grain
        closes = self._open_until.get(own_zone, at)
        if at < closes < until:
            until = closes
        allowed = int((until - free_from) / self._gap) if until > free_from else 0
        if free_from <= at:
            return max(1, allowed), None
        return (allowed, None) if allowed > 0 else (0, Block("min_gap", free_from))

    def do(self, kind: QuotaKind | None, count: int, at: datetime, *, paced: bool) -> None:
        if kind is not None:
            self._turn_to(at)
            for period, starts_on in self._periods:
                self._used[kind, period, starts_on] += count
        if not paced or not self._gap:
            return
        if self._grain:
            self._paced_until = max(self._paced_until, at) + count * self._gap
        else:
            self._paced_until = caps.next_after(self.sender, at)

    def _turn_to(self, at: datetime) -> None:
        """Moments come in their order: a new day has new periods."""
        if at >= self._day_ends:
            self._day = calendar.local_day(self._zone, at)
            self._periods = tuple(caps.periods(self.sender, at))
            self._day_ends = calendar.day_ends(self._zone, at)


def _available_from(sender: Sender, now: datetime) -> datetime | None:
    """When one that is not active is tried again; None: not by itself."""
    if sender.removed_at is not None:
        return None
    return now if sender.status == "active" else sender.status_until


def open_until(schedule: Schedule | None, at: datetime) -> datetime:
    """Up to when hours that are open at ``at`` surely stay open; on a day of a clock change, ``at`` itself."""
    if schedule is None:
        return at + _DAY
    where = ZoneInfo(schedule.time_zone)
    day = at.astimezone(where).date()
    midnight = datetime.combine(day, time(), where)
    tomorrow = datetime.combine(day + _DAY, time(), where)
    if midnight.utcoffset() != tomorrow.utcoffset():
        return at
    return (midnight.astimezone(UTC) + timedelta(minutes=schedule.closes)).astimezone(UTC)
