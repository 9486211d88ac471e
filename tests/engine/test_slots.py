"""Slots for deeds: slow ones leave theirs, as far as there is room beside them."""

import asyncio
from contextlib import AsyncExitStack

from leadwright.engine.slots import SLOW_FOR_EACH_SLOT, Slots


async def test_the_next_waits_for_a_quick_one() -> None:
    slots = Slots(1, slow_after=3600, left=lambda: None)
    async with slots.one():
        waiting = asyncio.create_task(slots.one().__aenter__())
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    assert slots.slow == 0


async def test_slow_ones_leave_their_slots_up_to_a_number_and_give_nothing_back_twice() -> None:
    left = asyncio.Semaphore(0)
    slots = Slots(1, slow_after=0, left=left.release)
    async with AsyncExitStack() as open_ones:
        for _ in range(SLOW_FOR_EACH_SLOT):
            await open_ones.enter_async_context(slots.one())
            await left.acquire()
        assert slots.slow == SLOW_FOR_EACH_SLOT
        await open_ones.enter_async_context(slots.one())
        waiting = asyncio.create_task(slots.one().__aenter__())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    assert slots.slow == 0
    another = asyncio.create_task(slots.one().__aenter__())
    await left.acquire()
    await another
