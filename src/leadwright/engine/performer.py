"""Performs what is planned, many deeds at once, in the background of a process."""

import asyncio
from collections.abc import Callable, Iterable

from leadwright.background import PAUSE_AFTER_FAULT_SECONDS
from leadwright.channels.channel import Unknown
from leadwright.clock import Clock
from leadwright.engine.performing import Adapters, Beginner, Begun, perform
from leadwright.engine.settlement import NOT_STARTED, Settled
from leadwright.engine.settler import Settler
from leadwright.engine.slots import SLOW_AFTER_SECONDS, Slots
from leadwright.errors import Unavailable
from leadwright.postgres.pool import passing_fault
from leadwright.telemetry.logs import logger
from leadwright.telemetry.metrics import DEEDS_UNDER_WAY

_log = logger("leadwright.engine")
POLL_SECONDS = 0.25
FINISH_WITHIN_SECONDS = 7.0


class Performer:
    """Start it, ``wake`` it when something may be planned, stop it; several processes may run one each.

    ``slots`` deeds are under way at a time, and beside them slow ones (``Slots``); some more have begun and wait for a
    slot, so that none stands idle.
    """

    def __init__(
        self,
        beginner: Beginner,
        settler: Settler,
        channels: Adapters,
        clock: Clock,
        *,
        slots: int,
        settled: Callable[[], None],
        slow_after: float = SLOW_AFTER_SECONDS,
    ) -> None:
        self._beginner = beginner
        self._settler = settler
        self._channels = channels
        self._clock = clock
        self._most = 2 * slots
        self._slots = Slots(slots, slow_after=slow_after, left=self.wake)
        self._told = settled
        self._booked = 0
        self._tasks: dict[asyncio.Task[None], Begun] = {}
        self._outcomes: list[Settled] = []
        self._woken = asyncio.Event()
        self._stopping = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run(), name="perform_deeds")

    def wake(self) -> None:
        self._woken.set()

    def book(self) -> int:
        """Room for deeds that somebody else is about to begin, until ``take``."""
        self._booked = 0
        self._booked = max(0, self._room)
        return self._booked

    def take(self, begun: Iterable[Begun]) -> None:
        """Performs deeds that have begun, and frees what was booked for them."""
        self._booked = 0
        self._start(begun)

    @property
    def _room(self) -> int:
        return self._most - self._booked - (len(self._tasks) - self._slots.slow)

    async def stop(self) -> None:
        """Deeds under way may end, for 7 seconds; what has not started is given back, and the rest is uncertain."""
        self._stopping = True
        self.wake()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                busy = await self._step()
            except Exception as error:  # noqa: BLE001 -- it outlives any fault of one round
                passing = isinstance(error, Unavailable) or passing_fault(error) is not None
                (_log.warning if passing else _log.error)("performing failed", fault=type(error).__name__)
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)
                continue
            if not busy:
                await self._rest()
        await self._finish()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _step(self) -> bool:
        """Writes down what has come back and begins what is planned; whether there was anything of both."""
        wrote = await self._write_down()
        if self._room <= 0:
            return wrote
        found, begun = await self._beginner.begin(self._clock(), self._room)
        self._start(begun)
        return wrote or found

    def _start(self, begun: Iterable[Begun]) -> None:
        for each in begun:
            task = asyncio.get_running_loop().create_task(self._perform(each))
            self._tasks[task] = each
            task.add_done_callback(self._ended)
        DEEDS_UNDER_WAY.set(len(self._tasks))

    async def _perform(self, begun: Begun) -> None:
        async with self._slots.one():
            if self._stopping or not begun.may_start(self._clock()):
                self._outcomes.append(Settled(begun.deed.workspace_id, begun.action, begun.token, NOT_STARTED))
            else:
                settled = await perform(self._channels, begun)
                self._outcomes.append(settled)  # not in one line: the list is another one by the time of the answer

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        DEEDS_UNDER_WAY.set(len(self._tasks))
        if not task.cancelled() and task.exception() is not None:
            _log.error("a deed broke", fault=type(task.exception()).__name__)
        self.wake()

    async def _write_down(self) -> bool:
        """After a fault of the database they are kept for the next round; tokens keep them from counting twice."""
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return False
        try:
            await self._settler.settle(outcomes, self._clock())
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        self._told()
        return True

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=FINISH_WITHIN_SECONDS)
        for task, begun in list(self._tasks.items()):
            task.cancel()
            lost = Unknown("the server stopped before the channel answered", is_ours=True)
            self._outcomes.append(Settled(begun.deed.workspace_id, begun.action, begun.token, lost))
        try:
            await self._write_down()
        except Exception as error:  # noqa: BLE001 -- their leases end by themselves, and the channel is asked
            _log.warning("outcomes of deeds are lost: their channels will be asked", fault=type(error).__name__)
