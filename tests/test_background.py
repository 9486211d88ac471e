"""A duty: woken, resting, stopped in good order, and not to be ended by a fault."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from leadwright import background
from leadwright.background import Duty
from leadwright.errors import Unavailable

HOURS = 3600.0 * 24
PATIENCE = 30.0


class Work:
    """Counts its rounds; ``answers`` says what each gives (True: there is more), and False afterwards."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)
        self.rounds = 0
        self._changed = asyncio.Condition()

    async def __call__(self) -> bool:
        async with self._changed:
            self.rounds += 1
            self._changed.notify_all()
        answer = self._answers.pop(0) if self._answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def reached(self, rounds: int) -> None:
        async with self._changed, asyncio.timeout(PATIENCE):
            await self._changed.wait_for(lambda: self.rounds >= rounds)


@asynccontextmanager
async def running(work: Callable[[], Awaitable[bool]], *, pause: float = HOURS) -> AsyncIterator[Duty]:
    duty = Duty("a duty", work, pause=pause)
    duty.start()
    yield duty
    async with asyncio.timeout(PATIENCE):
        await duty.stop()


async def test_it_works_until_nothing_is_left_then_rests() -> None:
    work = Work(True, True, True)
    async with running(work):
        await work.reached(4)
    assert work.rounds == 4


async def test_a_wake_ends_the_rest() -> None:
    work = Work()
    async with running(work) as duty:
        for rounds in range(1, 4):
            await work.reached(rounds)
            duty.wake()
        await work.reached(4)


async def test_the_pause_ends_the_rest_too() -> None:
    work = Work()
    async with running(work, pause=0.001):
        await work.reached(3)


async def test_a_wake_during_the_work_is_not_lost() -> None:
    work = Work()
    duty: Duty

    async def woken_while_at_it() -> bool:
        if work.rounds == 0:
            duty.wake()
        return await work()

    async with running(woken_while_at_it) as duty:
        await work.reached(2)
    assert work.rounds == 2


async def test_many_wakes_make_few_rounds() -> None:
    """A breath lies between two rounds, however often it is woken."""
    work = Work()
    duty: Duty

    async def woken_all_the_time() -> bool:
        duty.wake()
        return await work()

    started = asyncio.get_running_loop().time()
    async with running(woken_all_the_time) as duty:
        await work.reached(6)
    assert asyncio.get_running_loop().time() - started >= 5 * background.BREATH_SECONDS


async def test_stopping_waits_for_the_work_under_way() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    ended = False

    async def long_work() -> bool:
        nonlocal ended
        begun.set()
        await may_end.wait()
        ended = True
        return True

    async with running(long_work) as duty:
        await begun.wait()
        stopping = asyncio.create_task(duty.stop())
        done, _ = await asyncio.wait([stopping], timeout=0.01)
        assert not done
        may_end.set()
        await stopping
        assert ended


async def test_stopping_ends_a_rest() -> None:
    work = Work()
    async with running(work):
        await work.reached(1)


async def test_stopping_ends_work_that_has_always_more() -> None:
    work = Work()

    async def always_more() -> bool:
        return not await work()

    async with running(always_more):
        await work.reached(3)


async def test_stopping_what_never_started_or_twice_is_harmless() -> None:
    duty = Duty("a duty", Work(), pause=HOURS)
    await duty.stop()
    duty.start()
    await duty.stop()
    await duty.stop()


@pytest.mark.parametrize(
    ("fault", "level"),
    [
        (Unavailable("away", retry_after=1), "warning"),
        (psycopg.OperationalError("the connection is closed"), "warning"),
        (ValueError("jane@example.com"), "error"),
    ],
)
async def test_a_fault_is_told_and_does_not_end_it(
    fault: Exception, level: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(background, "PAUSE_AFTER_FAULT_SECONDS", 0.001)
    work = Work(fault, True)
    async with running(work, pause=0.001):
        await work.reached(3)
    told = capsys.readouterr()
    assert "jane" not in told.out + told.err
    assert level in told.out + told.err


async def test_a_fault_does_not_hold_up_stopping() -> None:
    work = Work(*[ValueError()] * 100)
    async with running(work):
        await work.reached(1)


async def test_it_can_be_cancelled() -> None:
    """A fault of the duty is caught, the end of its task is not."""
    begun = asyncio.Event()
    task: asyncio.Task[None] | None = None

    async def hang() -> bool:
        nonlocal task
        task = asyncio.current_task()
        begun.set()
        await asyncio.Event().wait()
        return False

    duty = Duty("a duty", hang, pause=HOURS)
    duty.start()
    await begun.wait()
    assert task is not None
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
