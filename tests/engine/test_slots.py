"""Slots for deeds: slow ones leave theirs, as far as there is room beside them."""

import asyncio

from leadwright.engine.slots import SLOW_FOR_EACH_SLOT, Slots


class Holder:
    """A deed that holds a slot until it is let go."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.entered = asyncio.Event()
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        async with self._slots.one():
            self.entered.set()
            await self._over.wait()

    async def let_go(self) -> None:
        self._over.set()
        await self._task


async def others_have_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_waits_for_a_quick_one() -> None:
    slots = Slots(1, slow_after=3600, left=lambda: None)
    first = Holder(slots)
    await first.entered.wait()
    second = Holder(slots)
    await others_have_run()
    assert not second.entered.is_set()
    await first.let_go()
    await second.entered.wait()
    await second.let_go()
    assert slots.slow == 0


async def test_slow_ones_leave_their_slots_up_to_a_number_and_give_nothing_back_twice() -> None:
    left = asyncio.Semaphore(0)
    slots = Slots(1, slow_after=0, left=left.release)
    for _ in range(2):
        holders = [Holder(slots) for _ in range(SLOW_FOR_EACH_SLOT + 1)]
        for _ in range(SLOW_FOR_EACH_SLOT):
            await left.acquire()
        await holders[-1].entered.wait()
        one_too_many = Holder(slots)
        await others_have_run()
        assert slots.slow == SLOW_FOR_EACH_SLOT
        assert not one_too_many.entered.is_set()
        for holder in holders:
            await holder.let_go()
        await one_too_many.let_go()
        while not left.locked():  # the one that came last may have left its slot too
            await left.acquire()
        assert slots.slow == 0
