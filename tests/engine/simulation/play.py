"""Plays a script: a world of its own on a virtual clock, several engines, and moves between them in any order."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from tests.engine.conftest import START, Recorder, World, identity, url
from tests.engine.simulation.faults import FragileDatabase, Killed
from tests.engine.simulation.network import SOUND, Behaviour, Network
from tests.engine.simulation.script import ENGINES, PERSONS, Move, Script

from leadwright.campaigns.model import MissingVariable
from leadwright.campaigns.schedule import Schedule
from leadwright.channels.channel import InboundFact, Outcome
from leadwright.crypto import SecretBox
from leadwright.engine import service
from leadwright.engine.performing import DEED_SECONDS, Begun, perform
from leadwright.engine.settlement import Settled
from leadwright.engine.worker import Engine
from leadwright.errors import InvalidRequest
from leadwright.postgres.pool import Database
from leadwright.senders.limits import Limits
from leadwright.suppression import service as suppression

ROUNDS = 60
"""Of work at one moment, before a run is called restless."""
ROOM = 3
"""Deeds that begin with their plan, in one transaction; the others of a batch of 7 are begun in another."""


@dataclass(frozen=True, slots=True)
class Start:
    """A deed that went from planned to performing, and the move in which it did."""

    move: int
    begun: Begun


@dataclass
class Chronicle:
    """What the judge reads beside the database: each thing with the number of the move in which it was committed."""

    starts: list[Start] = field(default_factory=list[Start])
    stopped_leads: dict[str, int] = field(default_factory=dict[str, int])
    stopped_persons: dict[str, int] = field(default_factory=dict[str, int])
    closed: list[tuple[str, int, int | None]] = field(default_factory=list[tuple[str, int, int | None]])
    """Campaigns that were not started, from a move to a move."""
    limits: dict[str, list[tuple[datetime, Limits]]] = field(default_factory=dict[str, list[tuple[datetime, Limits]]])
    hours: dict[str, list[tuple[int, Schedule | None]]] = field(
        default_factory=dict[str, list[tuple[int, Schedule | None]]]
    )
    """Of campaigns, from a move on."""
    sender_hours: dict[str, Schedule | None] = field(default_factory=dict[str, Schedule | None])
    most_new: dict[str, int | None] = field(default_factory=dict[str, int | None])
    entered: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    """Campaign of each lead, and when it took its first step."""
    zones: dict[str, str] = field(default_factory=dict[str, str])
    """Of leads that have one of their own."""
    added: dict[str, str] = field(default_factory=dict[str, str])
    """The address of each lead."""


@dataclass
class Process:
    """One engine with what only its memory holds."""

    database: FragileDatabase
    engine: Engine
    begun: list[tuple[datetime, Begun]] = field(default_factory=list[tuple[datetime, Begun]])
    outcomes: list[Settled] = field(default_factory=list[Settled])


class Play:
    """One run. ``moves`` counts what was played."""

    def __init__(self, database: Database, workspace_id: str, script: Script) -> None:
        self.script = script
        self.network = Network()
        self.chronicle = Chronicle()
        self.move = 0
        self._database = database
        self._tempers = iter(script.tempers)
        self._secrets = SecretBox("a key for tests only")
        self.processes = [self._process() for _ in range(ENGINES)]
        self.world = World(database, workspace_id, self._secrets, Recorder(), self.processes[0].engine, START)
        self.senders: list[str] = []
        self.campaigns: list[str] = []

    def _process(self) -> Process:
        fragile = FragileDatabase(self._database)
        return Process(fragile, Engine(cast(Database, fragile), self._secrets, self.network, batch=7))

    @property
    def now(self) -> datetime:
        return self.world.now

    async def run(self) -> None:
        await self._prepare()
        for move in self.script.moves:
            await self._make(move)
        await self._come_to_an_end()

    async def _make(self, move: Move) -> None:
        name, *given = move
        self.move += 1
        await getattr(self, f"move_{name}")(*given)
        await self._see_who_entered()

    async def _prepare(self) -> None:
        script = self.script
        for n, limits in enumerate(script.limits):
            schedule = script.hours[n % len(script.hours)]
            sender_id = await self.world.sender(limits=limits, schedule=schedule)
            self.senders.append(sender_id)
            self.chronicle.limits[sender_id] = [(self.now, limits)]
            self.chronicle.sender_hours[sender_id] = schedule
        for n, steps in enumerate(script.sequences[:2]):
            await self._campaign(n, steps)
        for person in range(PERSONS - 1):
            await self.move_add(0, person, has_zone=False)

    async def _campaign(self, n: int, steps: Sequence[Mapping[str, Any]]) -> None:
        script = self.script
        schedule, most_new = script.hours[n % len(script.hours)], script.most_new[n % len(script.most_new)]
        made = await self.world.campaign(
            steps,
            senders=self.senders[n:] or self.senders,
            schedule=schedule,
            max_new_leads_per_day=most_new,
            missing_variable=MissingVariable.SKIP_STEP if script.skips_missing else MissingVariable.HOLD,
            approach_despite_other_conversation=script.despite_conversation,
        )
        self.campaigns.append(made)
        self.chronicle.hours[made] = [(0, schedule)]
        self.chronicle.most_new[made] = most_new

    # -- engines ---------------------------------------------------------------------------------------------------

    async def move_plan(self, n: int) -> None:
        for _ in range(4):
            if not await self.processes[n].engine.plan(self.now):
                return

    async def move_plan_and_begin(self, n: int) -> None:
        """In one transaction, as far as there is room."""
        for _ in range(ROUNDS):
            found, begun = await self.processes[n].engine.planner.plan(self.now, ROOM)
            self._note_begun(n, begun)
            if not found:
                return

    async def move_begin(self, n: int) -> None:
        _, begun = await self.processes[n].engine.beginner.begin(self.now)
        self._note_begun(n, begun)

    def _note_begun(self, n: int, begun: Sequence[Begun]) -> None:
        self.processes[n].begun += [(self.now, each) for each in begun]
        self.chronicle.starts += [Start(self.move, each) for each in begun]

    async def move_perform(self, n: int, behaviours: Sequence[Behaviour]) -> None:
        """What has begun too long ago is given up unperformed, as the engine's own time limit does."""
        process = self.processes[n]
        for place, (at, each) in enumerate(process.begun):
            self.network.temper = behaviours[place % len(behaviours)]
            if self.now - at < timedelta(seconds=DEED_SECONDS):
                process.outcomes.append(await perform(self.network, each))
        process.begun = []

    async def move_settle(self, n: int) -> None:
        process = self.processes[n]
        await process.engine.settler.settle(process.outcomes, self.now)
        process.outcomes = []

    async def move_round(self, n: int, behaviours: Sequence[Behaviour]) -> None:
        """Everything that there is to do, by one engine."""
        for _ in range(ROUNDS):
            before = len(self.chronicle.starts)
            busy = await self.processes[n].engine.restore_senders(self.now)
            await self.move_plan_and_begin(n)
            await self.move_begin(n)
            await self.move_perform(n, behaviours)
            await self.move_settle(n)
            busy |= len(self.chronicle.starts) > before
            if not busy:
                return

    async def move_half_round(self, n: int, behaviours: Sequence[Behaviour], is_performed: bool) -> None:
        """As far as the deeds, or as far as their outcomes, which are yet to be written down."""
        await self.move_plan(n)
        await self.move_begin(n)
        if is_performed:
            await self.move_perform(n, behaviours)

    async def move_overtaken(self, n: int, other: Move) -> None:
        """Something happens between the plan and the deed."""
        await self.move_plan(n)
        await self._see_who_entered()
        await self._make(other)
        self.move += 1
        await self.move_begin(n)

    async def move_reconcile(self, n: int, silent: bool) -> None:
        self.network.is_silent = silent
        await self.processes[n].engine.reconcile(self.now)
        self.network.is_silent = False

    async def move_restore(self, n: int) -> None:
        await self.processes[n].engine.restore_senders(self.now)

    async def move_finish(self) -> None:
        await self.processes[0].engine.finish_campaigns(self.now)
        for campaign_id in self.campaigns:
            await self._note_status(campaign_id)

    async def move_crash(self, n: int) -> None:
        """Killed: what it had begun and what it had heard is lost."""
        self.processes[n] = self._process()

    async def move_crash_within(self, n: int, duty: str, statements: int) -> None:
        """Killed at a statement of a duty, or after it when it has fewer."""
        process = self.processes[n]
        process.database.die_at(statements)
        duties: Mapping[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "plan": lambda: process.engine.planner.plan(self.now, ROOM),
            "begin": lambda: process.engine.beginner.begin(self.now),
            "settle": lambda: self.move_settle(n),
            "reconcile": lambda: process.engine.reconcile(self.now),
        }
        with contextlib.suppress(Killed):
            await duties[duty]()
        await self.move_crash(n)

    # -- the world -------------------------------------------------------------------------------------------------

    async def move_advance(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    async def move_add(self, campaign: int, person: int, has_zone: bool) -> None:
        fields = {"timeZone": "Asia/Tokyo"} if has_zone else {"icebreaker": "nice"}
        campaign_id = self._campaign_at(campaign)
        (lead_id,) = await self.world.add(
            campaign_id, f"p{person}", company=f"Firm {person}", email=f"p{person}@firm{person}.example", **fields
        )
        if lead_id and lead_id.split("_")[-1] not in self.chronicle.added:
            bare = lead_id.split("_")[-1]
            self.chronicle.added[bare] = url(f"p{person}")
            if has_zone:
                self.chronicle.zones[bare] = "Asia/Tokyo"
        await self._note_status(campaign_id)

    async def move_accepted(self, person: int, sender: int, hours_ago: int) -> None:
        await self._told("connection_accepted", person, sender, hours_ago)

    async def move_all_accepted(self, sender: int) -> None:
        for person in range(PERSONS):
            await self.move_accepted(person, sender, 0)

    async def move_replied(self, person: int, sender: int, hours_ago: int) -> None:
        leads = await self._leads_of(person)
        if not await self._told("reply", person, sender, hours_ago):
            self._stop(leads)

    async def _told(self, kind: Any, person: int, sender: int, hours_ago: int) -> bool:
        """Late, and again whenever the same is drawn twice: whether it was known already, and so stops nobody new."""
        fact = InboundFact(
            kind,
            url(f"p{person}"),
            self.now - timedelta(hours=hours_ago),
            text="Hello" if kind == "reply" else None,
            external_id=f"{kind}-{person}-{hours_ago}" if hours_ago else None,
        )
        async with self._database.transaction() as connection:
            sender_id = self.senders[sender % len(self.senders)]
            return (await service.receive(connection, self.world.workspace_id, sender_id, fact, self.now)).duplicate

    async def move_opted_out(self, person: int) -> None:
        leads = await self._leads_of(person)
        async with self._database.transaction() as connection:
            await service.stop_person(
                connection, self.world.workspace_id, identity(f"p{person}"), "opted_out", self.now
            )
        self._stop(leads)

    async def move_suppressed(self, person: int, by: str) -> None:
        values = {"linkedinUrl": url(f"p{person}"), "company": f"Firm {person}", "emailDomain": f"firm{person}.example"}
        async with self._database.transaction() as connection:
            added = await suppression.add(
                connection, self.world.workspace_id, [{by: values[by]}], reason=None, now=self.now
            )
            assert added.rejected == []
        self.chronicle.stopped_persons.setdefault(url(f"p{person}"), self.move)

    async def move_pause(self, campaign: int) -> None:
        await self._act(campaign, "pause")

    async def move_resume(self, campaign: int) -> None:
        await self._act(campaign, "resume")

    async def _act(self, campaign: int, action: str) -> None:
        campaign_id = self._campaign_at(campaign)
        try:
            await self.world.act(campaign_id, action)
        except InvalidRequest:  # it is so already
            return
        await self._note_status(campaign_id)

    async def move_edit(self, campaign: int, sequence: int) -> None:
        steps = self.script.sequences[sequence % len(self.script.sequences)]
        await self.world.edit(self._campaign_at(campaign), sequence={"steps": list(steps)})

    async def move_reschedule(self, campaign: int, hours: int) -> None:
        schedule = self.script.hours[hours % len(self.script.hours)]
        campaign_id = self._campaign_at(campaign)
        await self.world.edit(campaign_id, schedule=schedule)
        self.chronicle.hours[campaign_id].append((self.move, schedule))

    async def move_limit(self, sender: int, limits: int) -> None:
        sender_id, wanted = (
            self.senders[sender % len(self.senders)],
            self.script.limits[limits % len(self.script.limits)],
        )
        await self.world.limit(sender_id, wanted)
        self.chronicle.limits[sender_id].append((self.now, wanted))

    async def move_conclude(self, place: int, done: bool) -> None:
        """A person ends a task, or the channel reports; a task that was taken back nobody does any more."""
        opened = sorted(self.network.open)
        if not opened:
            return
        deed_id = opened[place % len(opened)]
        rows = await self.world.rows("SELECT state::text FROM action WHERE id = %s", deed_id)
        is_open = rows[0][0] in ("performing", "uncertain")
        self.network.conclude(deed_id, done=done and is_open)
        if is_open:
            await self._resolve(deed_id, self.network.truth(deed_id))

    async def _resolve(self, deed_id: str, outcome: Outcome) -> None:
        async with self._database.transaction() as connection:
            await service.resolve(connection, self.world.workspace_id, deed_id, outcome, self.now)

    async def move_race(self, rivals: Sequence[str], person: int) -> None:
        """All at once, on connections of their own: what was stopped in this move may have begun in it."""
        moves: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "replied": lambda: self.move_replied(person, 0, 0),
            "suppressed": lambda: self.move_suppressed(person, "linkedinUrl"),
            "pause": lambda: self.move_pause(0),
        }

        async def work(n: int) -> None:
            await (self.move_plan(n) if n % 2 else self.move_plan_and_begin(n))
            await self.move_begin(n)

        running = [moves[rival]() if rival in moves else work(n % ENGINES) for n, rival in enumerate(rivals)]
        await asyncio.gather(*running)

    # -- what the judge is told ------------------------------------------------------------------------------------

    def _campaign_at(self, place: int) -> str:
        return self.campaigns[place % len(self.campaigns)]

    async def _leads_of(self, person: int) -> list[str]:
        rows = await self.world.rows("SELECT id FROM lead WHERE linkedin_url = %s", url(f"p{person}"))
        return [lead_id for (lead_id,) in rows]

    def _stop(self, lead_ids: Sequence[str]) -> None:
        for lead_id in lead_ids:
            self.chronicle.stopped_leads.setdefault(lead_id, self.move)

    async def _note_status(self, campaign_id: str) -> None:
        ((status,),) = await self.world.rows("SELECT status::text FROM campaign WHERE id = %s", campaign_id)
        closed = self.chronicle.closed
        last = next((n for n in range(len(closed)) if closed[n][0] == campaign_id and closed[n][2] is None), None)
        if status != "started" and last is None:
            closed.append((campaign_id, self.move, None))
        elif status == "started" and last is not None:
            closed[last] = (campaign_id, closed[last][1], self.move)

    async def _see_who_entered(self) -> None:
        rows = await self.world.rows("SELECT lead_id, campaign_id FROM enrolment WHERE step_id IS NOT NULL")
        for lead_id, campaign_id in rows:
            self.chronicle.entered.setdefault(lead_id, (campaign_id, self.now))

    # -- the end ---------------------------------------------------------------------------------------------------

    async def _come_to_an_end(self) -> None:
        """Everything goes on, the world is good, and weeks pass: whoever is lost stays where they are."""
        for n in range(ENGINES):
            await self.move_crash(n)
        until = self.now + timedelta(days=90)
        last_rounds = 3
        for _ in range(400):
            self.move += 1
            await self._good_day()
            moment = await self.processes[0].engine.next_due(self.now)
            if moment is None or moment > until:
                self._tempers, last_rounds = iter(()), last_rounds - 1
                if not last_rounds:
                    return
                moment = self.now
            self.world.now = max(moment, self.now + timedelta(milliseconds=1))
        raise AssertionError("the run came to no end")

    async def _good_day(self) -> None:
        """Whoever is paused goes on: failures, which do not end with the script, pause campaigns too."""
        for campaign in range(len(self.campaigns)):
            await self._note_status(self._campaign_at(campaign))
            await self.move_resume(campaign)
        self.move += 1
        while self.network.open:
            await self.move_conclude(0, done=True)
        await self.move_reconcile(0, silent=False)
        await self._ask_persons()
        temper = next(self._tempers, SOUND)
        await self.move_round(0, [temper])
        await self._see_who_entered()

    async def _ask_persons(self) -> None:
        """What no channel is asked about any more, a person resolves; tasks of processes that are gone too."""
        rows = await self.world.rows(
            "SELECT id FROM action WHERE state = 'uncertain' AND due_at > '9999-01-01' OR awaiting IS NOT NULL"
            " ORDER BY id"
        )
        for (deed_id,) in rows:
            await self._resolve(deed_id, self.network.truth(deed_id))
