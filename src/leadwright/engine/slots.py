"""How many deeds are under way at a time, so that a channel that answers late does not hold up the others."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

SLOW_AFTER_SECONDS = 1.0
SLOW_FOR_EACH_SLOT = 8
"""A slow deed holds a socket and some kilobytes and no processor; with so many of them, what is slow is waited for."""


class Slots:
    """``most`` deeds at a time; one that takes long leaves its slot to another, and ``left`` is called.

    At most SLOW_FOR_EACH_SLOT times as many are beside their slots.
    """

    def __init__(self, most: int, *, slow_after: float, left: Callable[[], None]) -> None:
        self._free = asyncio.Semaphore(most)
        self._most_slow = SLOW_FOR_EACH_SLOT * most
        self._slow_after = slow_after
        self._left = left
        self._slow: set[object] = set()

    @property
    def slow(self) -> int:
        """How many deeds are under way beside their slots."""
        return len(self._slow)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """Waits for a slot and holds it, for as long as the deed is not slow."""
        await self._free.acquire()
        held = object()
        timer = asyncio.get_running_loop().call_later(self._slow_after, self._leave, held)
        try:
            yield
        finally:
            timer.cancel()
            if held in self._slow:
                self._slow.discard(held)
            else:
                self._free.release()

    def _leave(self, held: object) -> None:
        if len(self._slow) < self._most_slow:
            self._slow.add(held)
            self._free.release()
            self._left()
