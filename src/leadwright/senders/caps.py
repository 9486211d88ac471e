"""How many deeds of a kind a sender may do on a day or in a week, and how far apart; pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from leadwright.engine import calendar
from leadwright.engine.sequence import StepType
from leadwright.senders.limits import Period, QuotaKind, RampUp
from leadwright.senders.model import Sender
from leadwright.templates import seed_of

JITTER = 0.25
"""Up to this share of the gap is added to it."""
_WEEK = timedelta(days=7)
_UNSEEN = frozenset({StepType.WEBHOOK, StepType.MANUAL_TASK})


def is_paced(step_type: StepType) -> bool:
    """Whether the platform sees the deed, so that the sender's gap must lie between it and the next."""
    return step_type not in _UNSEEN


def keeps_gap(sender: Sender, step_type: StepType) -> bool:
    """Whether a gap lies between this deed of the sender and its next."""
    return sender.limits.min_gap > timedelta() and is_paced(step_type)


def cap(sender: Sender, kind: QuotaKind, period: Period, day: date) -> int | None:
    """The most deeds in the period that ``day`` lies in; None: no cap."""
    if period is Period.WEEK:
        return sender.limits.per_week.get(kind)
    most = sender.limits.per_day.get(kind)
    if sender.ramp_up is None:
        return most
    grown = _grown(sender.ramp_up, day)
    return grown if most is None else min(most, grown)


def _grown(ramp_up: RampUp, day: date) -> int:
    weeks = max(0, (day - ramp_up.begins_on) // _WEEK)
    return ramp_up.start + weeks * ramp_up.add_per_week


def periods(sender: Sender, at: datetime) -> Iterator[tuple[Period, date]]:
    """The day and the week that a deed at this moment counts in, each with its first day in the sender's zone."""
    day = calendar.local_day(sender.zone, at)
    yield Period.DAY, day
    yield Period.WEEK, day - timedelta(days=day.weekday())


def ends(sender: Sender, period: Period, starts_on: date) -> datetime:
    """The first moment after the period, in UTC."""
    after = starts_on + (_WEEK if period is Period.WEEK else timedelta(days=1))
    zone = ZoneInfo(sender.zone) if sender.zone else UTC
    return datetime.combine(after, time(), zone).astimezone(UTC)


def next_after(sender: Sender, at: datetime) -> datetime:
    """When the next deed may follow one at ``at``: the gap, and up to a quarter of it by a chance that is fixed by
    sender and time."""
    chance = seed_of(sender.id, at.isoformat()) / 2**64
    return at + sender.limits.min_gap * (1 + JITTER * chance)
