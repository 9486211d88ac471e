"""The engine in the background of a process, on the process's own clock."""

import asyncio
import contextlib
from collections.abc import Callable

from leadwright.background import Duty
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.engine.performer import FINISH_WITHIN_SECONDS, Performer
from leadwright.engine.performing import Adapters
from leadwright.engine.runner import Planned
from leadwright.engine.worker import Engine
from leadwright.postgres.pool import Database

PLAN_EVERY_SECONDS = 0.25
PLAN_WITHIN_SECONDS = 2.0
"""A plan that takes longer when the process stops has met a database that is away."""
LISTEN_EVERY_SECONDS = 0.25
ASK_EVERY_SECONDS = 2.0
FINISH_EVERY_SECONDS = 1.0
RESTORE_EVERY_SECONDS = 1.0
WEED_EVERY_SECONDS = 1.0


class EngineDuties:
    """Start them, ``wake`` them when something was committed, stop them: in ten seconds at most."""

    def __init__(
        self,
        database: Database,
        secrets: SecretBox,
        channels: Adapters,
        clock: Clock,
        *,
        deeds_at_once: int,
        recorded: Callable[[], None],
    ) -> None:
        self._engine = Engine(database, secrets, channels)
        self._clock = clock
        self._recorded = recorded
        self._performer = Performer(
            self._engine.beginner,
            self._engine.settler,
            channels,
            clock,
            slots=deeds_at_once,
            settled=self._went_on,
        )
        self._planning = Duty("plan_leads", self._plan, pause=PLAN_EVERY_SECONDS)
        self._listening = Duty("hear_simulated_people", self._listen, pause=LISTEN_EVERY_SECONDS)
        self._rest = (
            Duty("ask_about_uncertain_deeds", self._reconcile, pause=ASK_EVERY_SECONDS),
            Duty("finish_campaigns", self._finish, pause=FINISH_EVERY_SECONDS),
            Duty("weed_leads", self._weed, pause=WEED_EVERY_SECONDS),
            Duty("restore_senders", self._restore, pause=RESTORE_EVERY_SECONDS),
        )

    def start(self) -> None:
        for duty in (self._planning, self._listening, *self._rest):
            duty.start()
        self._performer.start()

    def wake(self) -> None:
        """Something was committed that leads may have waited for."""
        self._planning.wake()

    async def stop(self) -> None:
        """Nothing new is planned; deeds under way may end, what has not started is given back."""
        others = [_stop(duty, FINISH_WITHIN_SECONDS) for duty in (self._listening, *self._rest)]
        await asyncio.gather(self._stop_performing(), *others)

    async def _stop_performing(self) -> None:
        """Planning first: what begins with a plan is the performer's to give back."""
        await _stop(self._planning, PLAN_WITHIN_SECONDS)
        await self._performer.stop()

    def _went_on(self) -> None:
        self._planning.wake()
        self._recorded()

    async def _plan(self) -> bool:
        room, planned = self._performer.book(), Planned(found=False)
        try:
            planned = await self._engine.planner.plan(self._clock(), room)
        finally:
            self._performer.take(planned.begun)
        if planned.found:
            self._performer.wake()
            self._recorded()
        return planned.found

    async def _listen(self) -> bool:
        heard = await self._engine.listen(self._clock())
        if heard:
            self._went_on()
        return heard

    async def _reconcile(self) -> bool:
        known = await self._engine.reconcile(self._clock())
        if known:
            self._went_on()
        return known

    async def _finish(self) -> bool:
        finished = await self._engine.finish_campaigns(self._clock())
        if finished:
            self._recorded()
        return False

    async def _weed(self) -> bool:
        weeded = await self._engine.weed(self._clock())
        if weeded:
            self._planning.wake()
        return weeded

    async def _restore(self) -> bool:
        if await self._engine.restore_senders(self._clock()):
            self._planning.wake()
        return False


async def _stop(duty: Duty, seconds: float) -> None:
    """A channel that does not answer, when it is asked about a deed, holds nobody up: it will be asked again."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await duty.stop()
