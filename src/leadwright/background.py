"""A duty in the background of a process: woken by a signal or after a pause, stopped in good order."""

import asyncio
from collections.abc import Awaitable, Callable

from leadwright.errors import Unavailable
from leadwright.postgres.pool import passing_fault
from leadwright.telemetry.logs import logger

_log = logger("leadwright.background")
PAUSE_AFTER_FAULT_SECONDS = 1.0
BREATH_SECONDS = 0.1
"""The least time between two rounds: a thousand wakes a second make ten rounds, not a thousand."""


class Bell:
    """Wakes all who wait, at each ring; when it has ended, for good.

    Take ``next_ring`` before looking whether there is something to do, and wait for it after: no ring is missed then.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self.ended = False

    @property
    def next_ring(self) -> asyncio.Event:
        return self._next

    def ring(self) -> None:
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def end(self) -> None:
        self.ended = True
        self.ring()


class Duty:
    """Calls ``work`` until it answers False (nothing left), then waits for ``wake`` or ``pause`` seconds."""

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], *, pause: float) -> None:
        self._name = name
        self._work = work
        self._pause = pause
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    def wake(self) -> None:
        self._woken.set()

    async def stop(self) -> None:
        """Returns when the piece of work under way is done."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            more = await self._attempt()
            if not more:
                await self._rest(self._pause)
            await asyncio.sleep(0 if more or self._stopping else BREATH_SECONDS)

    async def _attempt(self) -> bool:
        try:
            return await self._work()
        except Exception as error:  # noqa: BLE001 -- a duty outlives any fault of one round
            passing = isinstance(error, Unavailable) or passing_fault(error) is not None
            tell = _log.warning if passing else _log.error
            tell("duty failed", duty=self._name, fault=type(error).__name__)
            await self._rest(PAUSE_AFTER_FAULT_SECONDS)
            return False

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return
