"""A campaign played on a virtual clock: the engine's own rule book, virtual quotas, people of whom one must say how
they behave. Leads that are alike walk together, as a cohort; pure."""

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Protocol

import msgspec

from leadwright.campaigns.schedule import Schedule
from leadwright.engine import calendar
from leadwright.engine.forecast_quota import Block, VirtualSender
from leadwright.engine.forecast_shares import shares
from leadwright.engine.model import Act, Enrolment, Facts, Finish, Hold, Passed, Rule, Wait
from leadwright.engine.plan import walk
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import Step, StepType
from leadwright.senders.caps import is_paced
from leadwright.senders.limits import QuotaKind, kind_of


@dataclass(slots=True)
class Cohort:
    """Leads that are alike in all that the rules ask. ``name`` is a lead's id: of one of them when they are many.

    ``zone``: the time zone of their own, where it binds them. ``accepts_at`` and ``replies_at`` lie ahead. ``asked``:
    whether it is settled if they ever reply. ``over``: their sequence has ended.
    """

    name: str
    size: int
    steps: Steps
    facts: Facts
    step: Step | None
    since: datetime
    sender: VirtualSender | None = None
    zone: str | None = None
    accepts_at: datetime | None = None
    replies_at: datetime | None = None
    asked: bool = False
    over: bool = False

    def split(self, size: int) -> "Cohort":
        """Takes so many of them out."""
        self.size -= size
        return replace(self, size=size)


@dataclass(frozen=True, slots=True)
class Course:
    """What binds all leads of a campaign. ``begun_today``: new leads of the first day, before the run."""

    schedule: Schedule | None
    max_new_leads_per_day: int | None = None
    begun_today: int = 0

    @property
    def zone(self) -> str | None:
        return self.schedule.time_zone if self.schedule else None


Parts = Sequence[tuple[int, timedelta | None]]
"""How many of a cohort do something, and how long after; None: never."""


class People(Protocol):
    """How those behave who are invited and written to. The parts add up to the cohort."""

    def accepting(self, cohort: Cohort) -> Parts: ...
    def answering(self, cohort: Cohort) -> Parts: ...


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def began(self, at: datetime, cohort: Cohort, /) -> None: ...
    def did(self, at: datetime, cohort: Cohort, act: Act, /) -> None: ...
    def passed(self, at: datetime, cohort: Cohort, passed: Passed, /) -> None: ...
    def accepted(self, at: datetime, cohort: Cohort, /) -> None: ...
    def replied(self, at: datetime, cohort: Cohort, /) -> None: ...
    def held(self, at: datetime, cohort: Cohort, hold: Hold, /) -> None: ...
    def finished(self, at: datetime, cohort: Cohort, finish: Finish, /) -> None: ...
    def blocked(self, at: datetime, block: Block, waiting: int, /) -> None: ...


@dataclass(slots=True)
class _Lane:
    """What one sender has to do of one kind, the longest waiting first: each as it was decided, and when."""

    kind: QuotaKind | None
    own_zone: bool
    paced: bool
    queue: deque[tuple[Cohort, Act, datetime]]
    waiting: int = 0


_LaneKey = tuple[QuotaKind | None, bool, bool]


class Run:
    """Plays until ``end``, or until nothing more will happen."""

    def __init__(
        self,
        course: Course,
        senders: Sequence[VirtualSender],
        people: People,
        watcher: Watcher,
        start: datetime,
        end: datetime,
    ) -> None:
        self._course = course
        self._senders = senders
        self._people = people
        self._watcher = watcher
        self._start = start
        self._end = end
        self._order = count()
        self._ahead: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._newcomers: deque[Cohort] = deque()
        self._begun: dict[date, int] = {calendar.local_day(course.zone, start): course.begun_today}
        self._lanes: defaultdict[str, dict[_LaneKey, _Lane]] = defaultdict(dict)
        self._serves_at: dict[str, datetime] = {}

    def play(self, cohorts: Sequence[Cohort], due: Mapping[str, datetime] | None = None) -> None:
        """Those without a sender begin in their order; the others go on where they stand, when they are ``due``."""
        for cohort in cohorts:
            if cohort.sender is None:
                self._newcomers.append(cohort)
            else:
                self._later((due or {}).get(cohort.name, self._start), self._advancing(cohort))
        if self._newcomers:
            self._later(self._start, self._enter)
        while self._ahead and self._ahead[0][0] < self._end:
            at, _, action = heapq.heappop(self._ahead)
            action(at)

    def _later(self, at: datetime, action: Callable[[datetime], None]) -> None:
        heapq.heappush(self._ahead, (max(at, self._start), next(self._order), action))

    # New leads

    def _enter(self, at: datetime) -> None:
        """As many begin as the senders are free to act for, and the campaign lets begin."""
        while self._newcomers:
            block = self._let_in(at)
            if block is not None:
                self._watcher.blocked(at, block, sum(cohort.size for cohort in self._newcomers))
                if block.until is not None:
                    self._later(block.until, self._enter)
                return

    def _let_in(self, at: datetime) -> Block | None:
        ready, shut = self._ready(at)
        if not ready:
            return shut
        day = calendar.local_day(self._course.zone, at)
        most = self._course.max_new_leads_per_day
        room = None if most is None else most - self._begun.get(day, 0)
        if room is not None and room <= 0:
            return Block("new_leads_per_day", calendar.day_ends(self._course.zone, at))
        return self._spread(self._newcomers[0], ready, day, room, at)

    def _spread(
        self, cohort: Cohort, ready: Sequence[VirtualSender], day: date, room: int | None, at: datetime
    ) -> Block | None:
        """Gives them to the senders, always to the one that may do most, as far as that goes."""
        kind = _first_kind(cohort)
        found = [sender.room(kind, at) for sender in ready]
        left = [
            None if free is None else max(0, free - self._waiting(sender, kind))
            for sender, (free, _) in zip(ready, found, strict=True)
        ]
        given = shares(left, cohort.size if room is None else min(cohort.size, room))
        if not any(given):
            assert kind is not None, "without a cap there is room"
            blocks = [block or sender.spent(kind, at) for sender, (_, block) in zip(ready, found, strict=True)]
            return min(blocks, key=_until)
        for sender, size in zip(ready, given, strict=True):
            if size:
                self._begin(cohort, sender, size, at)
        self._begun[day] = self._begun.get(day, 0) + sum(given)
        if not cohort.size:
            self._newcomers.popleft()
        return None

    def _ready(self, at: datetime) -> tuple[list[VirtualSender], Block]:
        """The senders that may act, and what holds the one that will be first when none may."""
        ready: list[VirtualSender] = []
        shut: Block | None = None
        for sender in self._senders:
            block = sender.closed(self._course.schedule, own_zone=False, at=at)
            if block is None:
                ready.append(sender)
            elif shut is None or _until(block) < _until(shut):
                shut = block
        return ready, shut or Block(Rule.SENDER_UNAVAILABLE, None)

    def _begin(self, cohort: Cohort, sender: VirtualSender, size: int, at: datetime) -> None:
        begun = cohort.split(size)
        begun.sender, begun.since = sender, at
        begun.facts = msgspec.structs.replace(begun.facts, sender=sender.sender.fields)
        self._watcher.began(at, begun)
        self._advance(begun, at)

    def _waiting(self, sender: VirtualSender, kind: QuotaKind | None) -> int:
        return sum(lane.waiting for lane in self._lanes[sender.id].values() if lane.kind is kind)

    # Leads on their way

    def _advancing(self, cohort: Cohort) -> Callable[[datetime], None]:
        return lambda at: self._advance(cohort, at)

    def _advance(self, cohort: Cohort, at: datetime) -> None:
        act = self._decide(cohort, at)
        if act is not None:
            self._queue(cohort, act, at)

    def _decide(self, cohort: Cohort, at: datetime) -> Act | None:
        """What the cohort does now; None when it is seen to: it waits, is held or over."""
        if cohort.replies_at is not None and cohort.replies_at <= at:
            self._watcher.replied(cohort.replies_at, cohort)
            return None
        self._learn(cohort, at)
        place = Enrolment(cohort.name, cohort.since)
        decision, place, passed = walk(cohort.steps, cohort.step, place, cohort.facts, at)
        cohort.since = place.step_since
        for each in passed:
            self._watcher.passed(at, cohort, each)
        match decision:
            case Act():
                cohort.step = decision.step
                return decision
            case Wait():
                self._sleep(cohort, decision.step, decision.until)
            case Hold(rule=Rule.WAITING_FOR_ACCEPTANCE, until=datetime() as until):
                self._sleep(cohort, decision.step, until)
            case Hold():
                self._watcher.held(at, cohort, decision)
                self._await_reply(cohort)
            case Finish():
                self._watcher.finished(at, cohort, decision)
                cohort.over = True
                self._await_reply(cohort)
        return None

    def _learn(self, cohort: Cohort, at: datetime) -> None:
        if cohort.accepts_at is not None and cohort.accepts_at <= at:
            cohort.facts = msgspec.structs.replace(cohort.facts, connected_at=cohort.accepts_at)
            self._watcher.accepted(cohort.accepts_at, cohort)
            cohort.accepts_at = None
        if cohort.zone is not None:
            opens_at = calendar.next_open(self._course.schedule, at, cohort.zone)
            cohort.facts = msgspec.structs.replace(cohort.facts, opens_at=opens_at)

    def _sleep(self, cohort: Cohort, step: Step, until: datetime) -> None:
        cohort.step = step
        ahead = [moment for moment in (until, cohort.accepts_at, cohort.replies_at) if moment is not None]
        self._later(min(ahead), self._advancing(cohort))

    def _await_reply(self, cohort: Cohort) -> None:
        """A lead that is through, or held, can still answer."""
        if cohort.replies_at is not None:
            self._later(cohort.replies_at, lambda at: self._watcher.replied(at, cohort))

    # Deeds

    def _queue(self, cohort: Cohort, act: Act, at: datetime) -> None:
        assert cohort.sender is not None
        lane = self._lane(cohort, act)
        lane.queue.append((cohort, act, at))
        lane.waiting += cohort.size
        self._serve_at(cohort.sender, at)

    def _lane(self, cohort: Cohort, act: Act) -> _Lane:
        assert cohort.sender is not None
        key = (kind_of(act.kind), cohort.zone is not None, is_paced(act.kind))
        lanes = self._lanes[cohort.sender.id]
        if key not in lanes:
            lanes[key] = _Lane(*key, deque())
        return lanes[key]

    def _serve_at(self, sender: VirtualSender, at: datetime) -> None:
        planned = self._serves_at.get(sender.id)
        if planned is None or at < planned:
            self._serves_at[sender.id] = at
            self._later(at, lambda moment: self._serve(sender, moment))

    def _serve(self, sender: VirtualSender, at: datetime) -> None:
        """Lets a sender do what it may, for those first who have waited longest."""
        if self._serves_at.get(sender.id) != at:
            return
        del self._serves_at[sender.id]
        lanes = [lane for lane in self._lanes[sender.id].values() if lane.queue]
        for lane in sorted(lanes, key=lambda lane: lane.queue[0][2]):
            block = self._serve_lane(sender, lane, at)
            if block is not None:
                self._watcher.blocked(at, block, lane.waiting)
                if block.until is not None:
                    self._serve_at(sender, block.until)

    def _serve_lane(self, sender: VirtualSender, lane: _Lane, at: datetime) -> Block | None:
        block = sender.closed(self._course.schedule, own_zone=lane.own_zone, at=at)
        while block is None and lane.queue:
            size, block = self._allowed(sender, lane, at)
            if block is None:
                self._perform_first(sender, lane, size, at)
        return block

    def _allowed(self, sender: VirtualSender, lane: _Lane, at: datetime) -> tuple[int, Block | None]:
        """How many of those who wait longest may be served."""
        allowed, block = sender.room(lane.kind, at)
        if block is None and lane.paced:
            spaced, block = sender.pace(at, own_zone=lane.own_zone)
            allowed = spaced if allowed is None else allowed if spaced is None else min(allowed, spaced)
        size = lane.queue[0][0].size
        return size if allowed is None else min(size, allowed), block

    def _perform_first(self, sender: VirtualSender, lane: _Lane, size: int, at: datetime) -> None:
        cohort, act, since = lane.queue.popleft()
        lane.waiting -= cohort.size
        if since < at:
            found = self._decide(cohort, at)
            if found is None:
                return
            if self._lane(cohort, found) is not lane:
                self._queue(cohort, found, at)
                return
            act = found
        if size < cohort.size:
            lane.queue.appendleft((cohort, act, since))
            cohort = cohort.split(size)
            lane.waiting += lane.queue[0][0].size
        sender.do(lane.kind, size, at, paced=lane.paced)
        self._watcher.did(at, cohort, act)
        for part in self._reactions(cohort, act, at):
            part.since = at
            part.step = None if act.step.next is None else part.steps.steps[act.step.next]
            self._later(at, self._advancing(part))

    def _reactions(self, cohort: Cohort, act: Act, at: datetime) -> list[Cohort]:
        """The cohort after the deed, in parts that behave differently."""
        if act.kind is StepType.WITHDRAW_CONNECTION:
            cohort.accepts_at = None
            cohort.facts = msgspec.structs.replace(cohort.facts, invited_at=None)
        if act.kind is StepType.CONNECT:
            cohort.facts = msgspec.structs.replace(cohort.facts, invited_at=at)
            parts = [(cohort.split(size), lag) for size, lag in self._people.accepting(cohort) if size]
            for part, lag in parts:
                part.accepts_at = None if lag is None else at + lag
            return [part for part, _ in parts]
        if act.kind is StepType.MESSAGE and not cohort.asked:
            parts = [(cohort.split(size), lag) for size, lag in self._people.answering(cohort) if size]
            for part, lag in parts:
                part.asked = True
                part.replies_at = None if lag is None else at + lag
            return [part for part, _ in parts]
        return [cohort]


def _first_kind(cohort: Cohort) -> QuotaKind | None:
    """What a new lead's first deed counts as, None when it needs no quota or is not done at once."""
    start = cohort.step
    if start is None or start.after or not start.type.is_performed:
        return None
    return kind_of(start.type)


def _until(block: Block) -> datetime:
    return block.until or datetime.max.replace(tzinfo=calendar.UTC)
