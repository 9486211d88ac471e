"""When a campaign will do what: its leads walk through the rules of the engine on a virtual clock; pure.

Invitations and messages are answered by assumed rates. Everything else, hours, caps, gaps, delays, missing fields, is
what the campaign and its senders have.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from leadwright.engine import calendar
from leadwright.engine.forecast_groups import Group, Likenesses
from leadwright.engine.forecast_quota import Block, Used, VirtualSender
from leadwright.engine.forecast_run import Cohort, Course, Parts, Run
from leadwright.engine.model import Act, Finish, Hold, Passed, Policy, Rule
from leadwright.engine.sequence import Sequence as Steps
from leadwright.senders.limits import Period, QuotaKind, kind_of
from leadwright.senders.model import Sender

GRAIN = timedelta(minutes=30)
"""Deeds that a sender's gap spaces are put together by so much."""
_WEAK = {"min_gap": 1, Rule.OUTSIDE_WINDOW.value: 2}
"""Rules that pass by themselves within the day."""
_DAY = timedelta(days=1)
_Key = tuple[str, QuotaKind | None]
"""A limit: its rule, and what is capped, if a cap is it."""
OTHER_DEEDS = "other"
"""Withdrawals, tasks and webhooks, which no cap counts."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How the people who are approached behave, as shares of 1 and the time they take.

    ``connected_rate``: those who are connected when they are invited; ``accept_rate`` is a share of the others.
    """

    accept_rate: float = 0.35
    accept_after: timedelta = timedelta(days=1)
    reply_rate: float = 0.1
    reply_after: timedelta = timedelta(hours=4)
    connected_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a forecast is made of: the campaign as it stands. ``senders`` with what each has done already.

    ``others`` have leads of it, and get no new ones.
    """

    course: Course
    policy: Policy
    steps: Steps
    groups: Sequence[Group]
    senders: Sequence[tuple[Sender, Used]]
    assumptions: Assumptions
    start: datetime
    days: int
    others: Sequence[tuple[Sender, Used]] = ()

    @property
    def end(self) -> datetime:
        """The first moment that the last day does not reach; days are the campaign's."""
        zone = self.course.zone
        last = calendar.local_day(zone, self.start) + timedelta(days=self.days)
        return datetime.combine(last, time(), ZoneInfo(zone) if zone else UTC).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Limit:
    """What held the most leads back on a day. ``kind``: what is capped, if a cap is it."""

    rule: str
    kind: QuotaKind | None
    waiting: int


@dataclass(slots=True)
class Day:
    """``touches`` are deeds by the words of quotas, ``other`` for those that none counts."""

    on: date
    touches: Tally[str] = field(default_factory=Tally[str])
    new_leads: int = 0
    waiting: dict[_Key, int] = field(default_factory=dict[_Key, int])

    @property
    def limited_by(self) -> Limit | None:
        if not self.waiting:
            return None
        # The hours are over every evening, and a gap holds back all day whom a cap holds back in the end: each is what
        # limits a day only when nothing stronger did.
        strongest = min(_WEAK.get(rule, 0) for rule, _ in self.waiting)
        found = {key: n for key, n in self.waiting.items() if _WEAK.get(key[0], 0) == strongest}
        (rule, kind), waiting = max(found.items(), key=lambda each: each[1])
        return Limit(rule, kind, waiting)


@dataclass(slots=True)
class Forecast:
    """``through``: leads whose sequence is over by the end, ``replied`` among them; ``held``: those that go no further,
    by rule. ``days`` has every day, also those on which nothing happens."""

    leads: int
    days: list[Day]
    first_touch_at: datetime | None = None
    last_touch_at: datetime | None = None
    last_end_at: datetime | None = None
    through: int = 0
    replied: int = 0
    held: Tally[str] = field(default_factory=Tally[str])

    @property
    def finishes_at(self) -> datetime | None:
        """When the last lead is through; None when that is not before the end."""
        return self.last_end_at if self.leads and self.through == self.leads else None

    @property
    def limits(self) -> Tally[_Key]:
        """On how many days each limit held most leads back."""
        found = (day.limited_by for day in self.days)
        return Tally((limit.rule, limit.kind) for limit in found if limit is not None)

    @property
    def touches(self) -> Tally[str]:
        return sum((day.touches for day in self.days), Tally[str]())


def forecast(outlook: Outlook) -> Forecast:
    return _Forecaster(outlook).run()


def with_one_more(outlook: Outlook) -> Outlook | None:
    """The same with a second sender like the first that can act; None when there is none to copy."""
    usable = [sender for sender, _ in outlook.senders if sender.removed_at is None and sender.status == "active"]
    if not usable:
        return None
    another = replace(usable[0], id="one-more")
    return replace(outlook, senders=[*outlook.senders, (another, cast(Used, {}))])


class _Forecaster:
    """Plays one forecast, and writes down what happens."""

    def __init__(self, outlook: Outlook) -> None:
        self._outlook = outlook
        first = calendar.local_day(outlook.course.zone, outlook.start)
        days = [Day(first + timedelta(days=ahead)) for ahead in range(outlook.days)]
        self._days = {day.on: day for day in days}
        self._found = Forecast(sum(group.size for group in outlook.groups), days)
        self._carried: dict[str, float] = {"accept": 0.0, "reply": 0.0, "connected": 0.0}
        self._lasting: dict[tuple[_Key, date, date], int] = {}
        self._day_ends = outlook.start
        self._today = days[0]

    def run(self) -> Forecast:
        outlook = self._outlook
        entering = _merged(outlook.senders, outlook.start)
        others = _merged(outlook.others, outlook.start)
        run = Run(outlook.course, list(dict.fromkeys(entering.values())), self, self, outlook.start, outlook.end)
        run.play(*self._cohorts({**others, **entering}))
        self._spread_blocks()
        return self._found

    def _cohorts(self, senders: Mapping[str, VirtualSender]) -> tuple[list[Cohort], dict[str, datetime]]:
        likenesses = Likenesses(self._outlook.steps, self._outlook.policy)
        cohorts: list[Cohort] = []
        due: dict[str, datetime] = {}
        for number, group in enumerate(self._outlook.groups):
            sender = senders.get(group.sender_id or "")
            held_by = group.held_by
            if group.sender_id is not None and sender is None:
                held_by = "sender_unavailable"
            if held_by is not None:
                self._found.held[held_by] += group.size
                continue
            cohorts.append(_cohort(f"group-{number}", group, likenesses, sender, self._outlook.start))
            if group.due_at is not None:
                due[cohorts[-1].name] = group.due_at
        return cohorts, due

    # People

    def accepting(self, cohort: Cohort) -> Parts:
        assumed = self._outlook.assumptions
        connected = self._some("connected", cohort.size, assumed.connected_rate)
        others = self._parts("accept", cohort.size - connected, assumed.accept_rate, assumed.accept_after)
        return [(connected, timedelta()), *others]

    def answering(self, cohort: Cohort) -> Parts:
        assumed = self._outlook.assumptions
        return self._parts("reply", cohort.size, assumed.reply_rate, assumed.reply_after)

    def _parts(self, what: str, size: int, rate: float, after: timedelta) -> Parts:
        some = self._some(what, size, rate)
        return [(some, after), (size - some, None)]

    def _some(self, what: str, size: int, rate: float) -> int:
        """The share of them, in whole people; what is left of one counts for the next."""
        share = self._carried[what] + size * rate
        # A sum of tenths falls short of a whole by the last bit.
        some = min(size, int(share + 1e-9))
        self._carried[what] = share - some
        return some

    # What happens

    def _day(self, at: datetime) -> Day:
        if at >= self._day_ends or at < self._outlook.start:
            self._today = self._days[calendar.local_day(self._outlook.course.zone, at)]
            self._day_ends = calendar.day_ends(self._outlook.course.zone, at)
        return self._today

    def began(self, at: datetime, cohort: Cohort) -> None:
        self._day(at).new_leads += cohort.size

    def did(self, at: datetime, cohort: Cohort, act: Act) -> None:
        kind = kind_of(act.kind)
        self._day(at).touches[OTHER_DEEDS if kind is None else kind.value] += cohort.size
        self._found.first_touch_at = self._found.first_touch_at or at
        self._found.last_touch_at = at

    def passed(self, at: datetime, cohort: Cohort, passed: Passed) -> None:
        pass

    def accepted(self, at: datetime, cohort: Cohort) -> None:
        pass

    def replied(self, at: datetime, cohort: Cohort) -> None:
        self._found.replied += cohort.size
        if not cohort.over:
            self._end(at, cohort)

    def held(self, _at: datetime, cohort: Cohort, hold: Hold) -> None:
        self._found.held[hold.rule.value] += cohort.size

    def finished(self, at: datetime, cohort: Cohort, _finish: Finish) -> None:
        self._end(at, cohort)

    def _end(self, at: datetime, cohort: Cohort) -> None:
        self._found.through += cohort.size
        self._found.last_end_at = max(self._found.last_end_at or at, at)

    def blocked(self, at: datetime, block: Block, waiting: int) -> None:
        """Also on the whole days up to the end of the block, on which nothing need happen that tells of it again."""
        key, zone, on = (block.rule, block.kind), self._outlook.course.zone, self._day(at).on
        self._wait(self._today, key, waiting)
        until = self._outlook.end if block.until is None else min(block.until, self._outlook.end)
        ends_on = calendar.local_day(zone, until)
        if ends_on > on + _DAY:
            lasting = (key, on + _DAY, ends_on)
            self._lasting[lasting] = max(self._lasting.get(lasting, 0), waiting)

    def _spread_blocks(self) -> None:
        for (key, day, ends_on), waiting in self._lasting.items():
            for ahead in range((ends_on - day).days):
                self._wait(self._days[day + ahead * _DAY], key, waiting)

    @staticmethod
    def _wait(day: Day, key: _Key, waiting: int) -> None:
        day.waiting[key] = max(day.waiting.get(key, 0), waiting)


def _merged(senders: Sequence[tuple[Sender, Used]], start: datetime) -> dict[str, VirtualSender]:
    """By id: senders that are alike act as one that may do what they may together, which costs no more than one."""
    kinds: list[list[tuple[Sender, Used]]] = []
    for sender, used in senders:
        alike = next((kind for kind in kinds if _traits(kind[0][0]) == _traits(sender)), None)
        if alike is None:
            kinds.append([(sender, used)])
        else:
            alike.append((sender, used))
    found: dict[str, VirtualSender] = {}
    for kind in kinds:
        used = sum((Tally(dict(each)) for _, each in kind), Tally[tuple[QuotaKind, Period, date]]())
        one = VirtualSender(kind[0][0], start, used, grain=GRAIN, copies=len(kind))
        found.update((sender.id, one) for sender, _ in kind)
    return found


def _traits(sender: Sender) -> tuple[object, ...]:
    away = (sender.status, sender.status_until, sender.removed_at is None)
    return (sender.limits, sender.ramp_up, sender.schedule, *away)


def _cohort(name: str, group: Group, likenesses: Likenesses, sender: VirtualSender | None, start: datetime) -> Cohort:
    steps, facts = likenesses.of(group)
    step = steps.start if sender is None else None
    if group.step_index is not None:
        step = steps.steps[group.step_index]
    return Cohort(name, group.size, steps, facts, step, group.since or start, sender, group.zone)
