"""Plans the next deeds of one lane's leads: claim, load, decide, record, in one short transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from leadwright.campaigns.schedule import Schedule
from leadwright.crypto import SecretBox
from leadwright.engine import action_store, calendar, lane_store, lanes, store
from leadwright.engine.allotment import Allotment
from leadwright.engine.batch import Batch, Decided
from leadwright.engine.courses import Route, Sequences
from leadwright.engine.lanes import Lane
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Act, Enrolment
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

UNUSABLE_RECHECK = timedelta(hours=1)
"""How soon a lane is looked at again whose campaign or sender cannot work, though nobody said that they can."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A claimed lane and what is known of its campaign and senders at one moment."""

    lane: Lane
    course: Course
    senders: Mapping[str, Sender]
    now: datetime

    @property
    def workspace_id(self) -> str:
        return self.lane.workspace_id


class Planner:
    """Plans for any workspace; ``batch`` is the most leads of one transaction."""

    def __init__(self, database: Database, secrets: SecretBox, sequences: Sequences, *, batch: int) -> None:
        self._database = database
        self._secrets = secrets
        self._batch = batch
        self._sequences = sequences

    async def plan(self, now: datetime) -> bool:
        """Plans for one lane; False when no lane has anything to plan."""
        async with self._database.transaction() as connection:
            lane = await lane_store.claim(connection, now)
            if lane is None:
                return False
            again = await self._plan_lane(connection, lane, now)
            await lane_store.look_again(connection, lane, again)
            return True

    async def _plan_lane(self, connection: Connection, lane: Lane, now: datetime) -> datetime | None:
        """When the lane is to be looked at next."""
        course = (await store.courses(connection, lane.workspace_id, [lane.campaign_id])).get(lane.campaign_id)
        if course is None:
            return None
        await people.hold(connection, lane.workspace_id)
        wanted = [lane.sender_id] if lane.sender_id else list(course.sender_ids)
        scene = Scene(lane, course, await senders.load(connection, self._secrets, lane.workspace_id, wanted), now)
        if lane.kind == lanes.ENTER:
            return await self._enter(connection, scene)
        return await self._continue(connection, scene)

    async def _continue(self, connection: Connection, scene: Scene) -> datetime | None:
        """Leads that have their sender."""
        lane, now = scene.lane, scene.now
        sender = scene.senders.get(lane.sender_id or "")
        if sender is None or sender.removed_at is not None:
            return await self._free_leads(connection, scene)
        if lane.kind != lanes.JUDGE:
            opens_at = _opens_at(scene, sender)
            if opens_at is None or opens_at > now:
                return opens_at
        rows = await store.due(connection, scene.workspace_id, lane.id, now, self._batch)
        allotment = Allotment(scene.workspace_id, now)
        kind = _quota_kind(lane)
        if kind is not None and rows:
            await allotment.hold(connection, [(sender, kind, len(rows))])
            rows = rows[: allotment.left(sender.id, kind)]
        await self._record(connection, scene, [(row, sender) for row in rows], allotment)
        return (allotment.next_at(sender.id, kind) if kind else None) or now

    async def _enter(self, connection: Connection, scene: Scene) -> datetime | None:
        """Leads without a sender: as many begin as the senders are free to act for, and the campaign lets begin."""
        start = await self._start(connection, scene)
        ready = _ready_senders(scene)
        if start is None:
            return scene.now + UNUSABLE_RECHECK
        if isinstance(ready, datetime):
            return ready
        day = NewLeads.of(scene)
        room = await day.room(connection, self._batch)
        if room <= 0:
            return day.ends_at
        rows = await self._newcomers(connection, scene, room)
        allotment = Allotment(scene.workspace_id, scene.now)
        kind = kind_of(start.type) if start.type.is_performed and not start.after else None
        if kind is not None and rows:
            await allotment.hold(connection, [(sender, kind, len(rows)) for sender in ready])
        assigned = allotment.spread(rows, ready, kind)
        await self._record(connection, scene, assigned, allotment)
        await day.count(connection, sum(row.step_id is None for row, _ in assigned))
        if kind is None or len(assigned) == len(rows):
            return scene.now
        return min((allotment.next_at(sender.id, kind) or scene.now for sender in ready), default=scene.now)

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
    ) -> None:
        """Decides for each lead and writes it down."""
        if assigned:
            rows = [row for row, _ in assigned]
            route = await self._sequences.route(connection, scene.workspace_id, scene.course, rows)
            known = await situation(connection, scene.workspace_id, scene.course, assigned)
            decided = [_decide(route, known, row, sender, scene.now) for row, sender in assigned]
            await _write(connection, scene, route, decided, allotment)
            await allotment.write(connection)

    async def _free_leads(self, connection: Connection, scene: Scene) -> datetime | None:
        """Leads of a removed sender that it has not contacted get another; the others wait."""
        freed = await store.free(
            connection, scene.workspace_id, scene.lane.id, scene.course.entry_lane_id, scene.now, self._batch
        )
        return scene.now if freed else None


async def _write(
    connection: Connection, scene: Scene, route: Route, decided: Sequence[Decided], allotment: Allotment
) -> None:
    ledger = Ledger(scene.workspace_id)
    batch = Batch(scene.course.id, route.course.version, scene.now, ledger)
    batch.lane_ids.update(
        await lane_store.ensure(connection, scene.workspace_id, scene.course.id, [each.lane for each in decided])
    )
    for each in decided:
        batch.add(each, _quota_for(scene.lane, each, allotment))
    if batch.actions:
        await action_store.plan(connection, scene.workspace_id, scene.course.id, batch.actions, scene.now)
    await store.place(connection, scene.workspace_id, scene.course.id, batch.places, scene.now)
    await ledger.write(connection, scene.now)


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
    own_zone = known.own_zone(row)
    enrolment = Enrolment(row.lead_id, row.step_since or now)
    decision, enrolment, passed = walk(
        route.sequence, route.step_of(row), enrolment, known.facts(row, sender, route.policy, now), now
    )
    return Decided(row, sender, own_zone is not None, decision, enrolment, passed)


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
