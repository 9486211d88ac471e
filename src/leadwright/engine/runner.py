"""Plans the next deeds of one lane's leads, and begins them: claim, load, decide, record, in one short transaction."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from leadwright import ids
from leadwright.campaigns.schedule import Schedule
from leadwright.crypto import SecretBox
from leadwright.engine import action_store, calendar, invitation_store, lane_store, lanes, store
from leadwright.engine.action_store import Action
from leadwright.engine.allotment import Allotment
from leadwright.engine.batch import Batch, Decided
from leadwright.engine.courses import Route, Sequences
from leadwright.engine.lanes import Lane
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Act, Enrolment
from leadwright.engine.performing import LEASE, Begun, deed_of
from leadwright.engine.plan import walk
from leadwright.engine.sequence import Step
from leadwright.engine.situation import Situation, situation
from leadwright.engine.store import Course, Row
from leadwright.people import service as people
from leadwright.postgres.pool import Connection, Database
from leadwright.senders import service as senders
from leadwright.senders.health import is_usable
from leadwright.senders.limits import QuotaKind, kind_of
from leadwright.senders.model import Sender
from leadwright.senders.quotas import Taken
from leadwright.suppression import service as suppression

UNUSABLE_RECHECK = timedelta(hours=1)
"""How soon a lane is looked at again whose campaign or sender cannot work, though nobody said that they can."""

SLICE_SECONDS = 0.01
"""The longest that deciding keeps the process from everything else, beyond a single lead's rendering."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A claimed lane and what is known of its campaign and senders at one moment."""

    lane: Lane
    course: Course
    senders: Mapping[str, Sender]
    now: datetime
    room: int

    @property
    def workspace_id(self) -> str:
        return self.lane.workspace_id


class Planned(NamedTuple):
    """Whether there was a lane to plan for, and what has begun with its plan: its worker's to perform now."""

    found: bool
    begun: Sequence[Begun] = ()


class Look(NamedTuple):
    """When a lane is to be looked at next, and what has begun in it."""

    again: datetime | None
    begun: Sequence[Begun] = ()


class Planner:
    """Plans for any workspace; ``batch`` is the most leads of one transaction.

    It holds what makes stopping exact (the campaign, aliases, do-not-contact list, enrolments), so a deed may begin in
    the transaction of its plan.
    """

    def __init__(self, database: Database, secrets: SecretBox, sequences: Sequences, *, batch: int) -> None:
        self._database = database
        self._secrets = secrets
        self._batch = batch
        self._sequences = sequences

    async def plan(self, now: datetime, room: int = 0) -> Planned:
        """Plans for one lane; at most ``room`` deeds begin with their plan, the others wait to be begun."""
        async with self._database.transaction() as connection:
            lane = await lane_store.claim(connection, now)
            if lane is None:
                return Planned(found=False)
            look = await self._plan_lane(connection, lane, now, room)
            await lane_store.look_again(connection, lane, look.again)
        return Planned(True, look.begun)

    async def _plan_lane(self, connection: Connection, lane: Lane, now: datetime, room: int) -> Look:
        course = (await store.courses(connection, lane.workspace_id, [lane.campaign_id])).get(lane.campaign_id)
        if course is None:
            return Look(None)
        await people.hold(connection, lane.workspace_id)
        await suppression.hold(connection, lane.workspace_id)
        wanted = [lane.sender_id] if lane.sender_id else list(course.sender_ids)
        known = await senders.load(connection, self._secrets, lane.workspace_id, wanted)
        scene = Scene(lane, course, known, now, room)
        if lane.kind == lanes.ENTER:
            return await self._enter(connection, scene)
        return await self._continue(connection, scene)

    async def _continue(self, connection: Connection, scene: Scene) -> Look:
        """Leads that have their sender."""
        lane, now = scene.lane, scene.now
        sender = scene.senders.get(lane.sender_id or "")
        if sender is None or sender.removed_at is not None:
            return await self._free_leads(connection, scene)
        if lane.kind != lanes.JUDGE:
            opens_at = _opens_at(scene, sender)
            if opens_at is None or opens_at > now:
                return Look(opens_at)
        kind = _quota_kind(lane)
        if kind is QuotaKind.CONNECTIONS:
            await invitation_store.hold(connection, [sender.id])
        most = self._batch if lane.kind == lanes.JUDGE else self._most(scene)
        rows = await store.due(connection, scene.workspace_id, lane.id, now, most)
        allotment = Allotment(scene.workspace_id, now)
        if kind is not None and rows:
            await allotment.hold(connection, [(sender, kind, len(rows))])
            rows = rows[: allotment.left(sender.id, kind)]
        assigned = [(row, sender) for row in rows]
        begun = await self._record(connection, scene, assigned, allotment, invites=kind is QuotaKind.CONNECTIONS)
        return Look((allotment.next_at(sender.id, kind) if kind else None) or now, begun)

    async def _enter(self, connection: Connection, scene: Scene) -> Look:
        """Leads without a sender: as many begin as the senders are free to act for, and the campaign lets begin."""
        start = await self._start(connection, scene)
        ready = _ready_senders(scene)
        if start is None:
            return Look(scene.now + UNUSABLE_RECHECK)
        if isinstance(ready, datetime):
            return Look(ready)
        day = NewLeads.of(scene)
        room = await day.room(connection, self._most(scene))
        if room <= 0:
            return Look(day.ends_at)
        kind = kind_of(start.type) if start.type.is_performed and not start.after else None
        if kind is QuotaKind.CONNECTIONS:
            await invitation_store.hold(connection, [sender.id for sender in ready])
        rows = await self._newcomers(connection, scene, room)
        allotment = Allotment(scene.workspace_id, scene.now)
        if kind is not None and rows:
            await allotment.hold(connection, [(sender, kind, len(rows)) for sender in ready])
        assigned = allotment.spread(rows, ready, kind)
        begun = await self._record(connection, scene, assigned, allotment, invites=kind is QuotaKind.CONNECTIONS)
        await day.count(connection, sum(row.step_id is None for row, _ in assigned))
        if kind is None or len(assigned) == len(rows):
            return Look(scene.now, begun)
        again = min((allotment.next_at(sender.id, kind) or scene.now for sender in ready), default=scene.now)
        return Look(again, begun)

    def _most(self, scene: Scene) -> int:
        """No more deeds are planned than can begin, unless none can: then all that is due may as well be known."""
        return min(self._batch, scene.room) if scene.room else self._batch

    async def _newcomers(self, connection: Connection, scene: Scene, limit: int) -> list[Row]:
        rows = await store.due(connection, scene.workspace_id, scene.lane.id, scene.now, limit)
        if len(rows) < limit:
            rows += await store.entering(connection, scene.workspace_id, scene.course.id, limit - len(rows))
        return rows

    async def _start(self, connection: Connection, scene: Scene) -> Step | None:
        """Where new leads begin; None: the sequence has no steps yet, and they wait for some."""
        course = scene.course
        sequence = await self._sequences.version(connection, scene.workspace_id, course.id, course.version)
        return sequence.start

    async def _record(
        self,
        connection: Connection,
        scene: Scene,
        assigned: Sequence[tuple[Row, Sender]],
        allotment: Allotment,
        *,
        invites: bool,
    ) -> Sequence[Begun]:
        """Decides for each lead, writes it down, and answers what has begun."""
        if not assigned:
            return ()
        rows = [row for row, _ in assigned]
        route = await self._sequences.route(connection, scene.workspace_id, scene.course, rows)
        known = await situation(connection, scene.workspace_id, scene.course, assigned, invites=invites)
        decided = await _decide_all(route, known, assigned, scene.now)
        begun = await _write(connection, scene, decided, allotment)
        await allotment.write(connection)
        return begun

    async def _free_leads(self, connection: Connection, scene: Scene) -> Look:
        """Leads of a removed sender that it has not contacted get another; the others wait."""
        freed = await store.free(
            connection, scene.workspace_id, scene.lane.id, scene.course.entry_lane_id, scene.now, self._batch
        )
        return Look(scene.now if freed else None)


async def _decide_all(
    route: Route, known: Situation, assigned: Sequence[tuple[Row, Sender]], now: datetime
) -> list[Decided]:
    """Rendering a batch of long templates takes a while: requests are answered in between."""
    decided: list[Decided] = []
    slice_ends = time.monotonic() + SLICE_SECONDS
    for row, sender in assigned:
        decided.append(_decide(route, known, row, sender, now))
        if time.monotonic() > slice_ends:
            await asyncio.sleep(0)
            slice_ends = time.monotonic() + SLICE_SECONDS
    return decided


async def _write(
    connection: Connection, scene: Scene, decided: Sequence[Decided], allotment: Allotment
) -> Sequence[Begun]:
    course, ledger = scene.course, Ledger(scene.workspace_id)
    new_ids = iter(ids.new_ids(len(decided)))
    batch = Batch(course.id, course.version, course.schedule, scene.now, scene.room, new_ids, ledger)
    batch.lane_ids.update(
        await lane_store.ensure(connection, scene.workspace_id, course.id, [each.lane for each in decided])
    )
    for each in decided:
        batch.add(each, _quota_for(scene.lane, each, allotment))
    begun = await _plan_deeds(connection, scene, batch)
    await store.place(connection, scene.workspace_id, course.id, batch.places, scene.now)
    await ledger.write(connection, scene.now)
    return begun


async def _plan_deeds(connection: Connection, scene: Scene, batch: Batch) -> Sequence[Begun]:
    """What is new begins; a lead whose deed is open or over already waits for that one's end."""
    if not batch.actions:
        return ()
    now, course_id = scene.now, scene.course.id
    plans = await action_store.plan(connection, scene.workspace_id, course_id, batch.actions, now + LEASE, now)
    return [
        _begun(scene, new.begun(plan, course_id, now), decided)
        for new, decided in batch.begun
        if (plan := plans.get(new.lead_id)) is not None
    ]


def _begun(scene: Scene, action: Action, decided: Decided) -> Begun:
    deed = deed_of(
        scene.workspace_id,
        action,
        decided.sender,
        scene.now,
        attempt=action.attempt,
        first_name=decided.row.first_name,
        last_name=decided.row.last_name,
    )
    return Begun(action, action.token, deed)


def _quota_kind(lane: Lane) -> QuotaKind | None:
    return None if lane.deed in (lanes.JUDGE, lanes.FREE) else QuotaKind(lane.deed)


def _quota_for(lane: Lane, decided: Decided, allotment: Allotment) -> Sequence[Taken] | None:
    """What is reserved for this deed; None when it has to wait for its turn in another lane."""
    if not isinstance(decided.decision, Act):
        return None
    kind = kind_of(decided.decision.kind)
    if kind is None:
        return [] if lane.deed == lanes.FREE and decided.lane[1] == lane.kind else None
    return allotment.use(decided.sender_id, kind)


def _decide(route: Route, known: Situation, row: Row, sender: Sender, now: datetime) -> Decided:
    zone = known.own_zone(row)
    enrolment = Enrolment(row.lead_id, row.step_since or now)
    decision, enrolment, passed = walk(
        route.sequence, route.step_of(row), enrolment, known.facts(row, sender, route.policy, now), now
    )
    return Decided(row, sender, zone, decision, enrolment, passed)


def _opens_at(scene: Scene, sender: Sender) -> datetime | None:
    """When both the campaign and the sender work: the campaign's hours do not bind leads that have their own."""
    if not is_usable(sender, scene.now):
        return sender.status_until or scene.now + UNUSABLE_RECHECK
    campaign: Schedule | None = None if scene.lane.is_own_zone else scene.course.schedule
    return calendar.next_open_of_all([(campaign, None), (sender.schedule, None)], scene.now)


def _ready_senders(scene: Scene) -> Sequence[Sender] | datetime:
    """The campaign's senders that work now; when there is none, when to look again."""
    usable = [sender for sender in scene.senders.values() if is_usable(sender, scene.now)]
    opens = [(_opens_at(scene, sender), sender) for sender in usable]
    ready = sorted((sender for at, sender in opens if at == scene.now), key=lambda sender: sender.id)
    return ready or min((at for at, _ in opens if at is not None), default=scene.now + UNUSABLE_RECHECK)


@dataclass(frozen=True, slots=True)
class NewLeads:
    """How many leads of a campaign may still begin on a day; ``most`` None: any number."""

    workspace_id: str
    campaign_id: str
    day: date
    ends_at: datetime
    most: int | None

    @classmethod
    def of(cls, scene: Scene) -> "NewLeads":
        course = scene.course
        zone = course.schedule.time_zone if course.schedule else None
        day, ends_at = calendar.local_day(zone, scene.now), calendar.day_ends(zone, scene.now)
        return cls(scene.workspace_id, course.id, day, ends_at, course.max_new_leads_per_day)

    async def room(self, connection: Connection, wanted: int) -> int:
        if self.most is None:
            return wanted
        return min(wanted, self.most - await store.new_leads_of_day(connection, *self._key))

    async def count(self, connection: Connection, begun: int) -> None:
        if begun and self.most is not None:
            await store.count_new_leads(connection, *self._key, begun)

    @property
    def _key(self) -> tuple[str, str, date]:
        return self.workspace_id, self.campaign_id, self.day
