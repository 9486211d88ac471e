"""The deliverer of one process: claims what is due, sends it, writes down what became of it."""

import asyncio
import random
import traceback
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from leadwright.background import PAUSE_AFTER_FAULT_SECONDS
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.errors import Unavailable
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database, passing_fault
from leadwright.telemetry.logs import logger
from leadwright.webhooks import delivery_store
from leadwright.webhooks.delivery import Hopeless, Outcome, Prepared, Preparer, send
from leadwright.webhooks.delivery_store import Leased
from leadwright.webhooks.recording import Recorder

MOST_AT_ONCE = 500
AHEAD = 3
"""Streams that are claimed for each slot, so that the next post begins while outcomes are written down."""
POLL_SECONDS = 0.5
PROBE_LOOK = timedelta(seconds=POLL_SECONDS)
FINISH_WITHIN_SECONDS = 7.0

_log = logger("leadwright.webhooks")


class Deliverer:
    """Start it, ``wake`` it when there may be something to deliver, stop it; several processes may run one each.

    ``slots`` posts are under way to one endpoint at a time, so one that hangs holds its own and nobody else's.
    ``seconds`` is how long one post may take; a lease is long enough for what was claimed ahead.
    """

    def __init__(
        self,
        database: Database,
        client: OutboundClient,
        secrets: SecretBox,
        clock: Clock,
        *,
        schedule: Sequence[float],
        slots: int = 10,
        seconds: float = 30.0,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._slots = slots
        self._lease = timedelta(seconds=4 * seconds + 5)
        self._patience = timedelta(seconds=seconds)
        self._preparer = Preparer(secrets)
        self._recorder = Recorder(schedule, random.Random().random)  # noqa: S311 -- spreads load, guards nothing
        self._posting: dict[str, asyncio.Semaphore] = {}
        self._claimed: Counter[str] = Counter()
        self._outcomes: list[Outcome] = []
        self._unsent: list[Leased] = []
        self._empty: list[Leased] = []
        self._tasks: dict[asyncio.Task[None], Leased] = {}
        self._woken = asyncio.Event()
        self._looked_for_probes: datetime | None = None
        self._stopping = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run(), name="deliver_webhooks")

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        """Nothing more is claimed. Posts under way may end, for 7 seconds; what is not done then is given back."""
        self._stopping = True
        self.wake()

    async def stop(self) -> None:
        """Returns when all that ``end`` speaks of is done."""
        self.end()
        if self._running is not None:
            await self._running

    async def step(self) -> bool:
        """Writes down what has come back and claims what is due; whether there was anything of both."""
        wrote = await self._write_down()
        return await self._claim() or wrote

    async def settle(self) -> None:
        """Waits for everything under way and writes it down."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._write_down()

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                busy = await self.step()
            except Exception as error:  # noqa: BLE001 -- it outlives any fault of one round
                passing = isinstance(error, Unavailable) or passing_fault(error) is not None
                tell = _log.warning if passing else _log.error
                tell("delivering failed", fault=type(error).__name__, where=_place(error))
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)
                continue
            if not busy or not self._outcomes:
                await self._rest()
        await self._finish()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _claim(self) -> bool:
        if len(self._tasks) >= MOST_AT_ONCE:
            return False
        now = self._clock()
        free = {webhook: max(0, self._slots * AHEAD - count) for webhook, count in self._claimed.items()}
        async with self._database.transaction() as connection:
            leased = await delivery_store.claim(
                connection,
                now,
                now + self._lease,
                free=free,
                slots=self._slots * AHEAD,
                most=MOST_AT_ONCE - len(self._tasks),
            )
        leased += await self._claim_probes(now)
        if leased:
            await self._begin_or_give_back(leased)
        return bool(leased)

    async def _begin_or_give_back(self, leased: Sequence[Leased]) -> None:
        """After a fault between claiming and sending nobody need wait for the leases to end."""
        try:
            await self._begin(leased)
        except BaseException:
            under_way = set(self._tasks.values())
            self._unsent += [lease for lease in leased if lease not in under_way]
            raise

    async def _claim_probes(self, now: datetime) -> list[Leased]:
        """In a transaction of its own, since it locks endpoints before streams and a claim holds streams already."""
        if self._looked_for_probes is not None and timedelta(0) <= now - self._looked_for_probes < PROBE_LOOK:
            return []
        self._looked_for_probes = now
        async with self._database.transaction() as connection:
            return await delivery_store.claim_probes(connection, now, now + self._lease)

    async def _begin(self, leased: Sequence[Leased]) -> None:
        async with self._database.session() as connection:
            heads = await delivery_store.heads(connection, leased)
        now = self._clock()
        for head in sorted(heads, key=lambda each: each.delivery_id):
            prepared = self._preparer.prepare(head, now)
            if isinstance(prepared, Hopeless):
                self._outcomes.append(prepared)
                continue
            self._claimed[head.webhook_id] += 1
            task = asyncio.get_running_loop().create_task(self._deliver(prepared, now + self._patience))
            self._tasks[task] = prepared.lease
            task.add_done_callback(self._ended)
        found = {(head.webhook_id, head.stream) for head in heads}
        self._empty += [lease for lease in leased if (lease.webhook_id, lease.stream) not in found]

    async def _deliver(self, prepared: Prepared, until: datetime) -> None:
        """Waits for a slot of the endpoint; when that took too long, the lease is given back instead."""
        webhook = prepared.lease.webhook_id
        async with self._posting.setdefault(webhook, asyncio.Semaphore(self._slots)):
            if self._stopping or self._clock() > until:
                self._unsent.append(prepared.lease)
            else:
                sent = await send(prepared, self._client, self._clock)
                self._outcomes.append(sent)  # not in one line: the list is another one by the time of the answer

    def _ended(self, task: asyncio.Task[None]) -> None:
        lease = self._tasks.pop(task)
        self._claimed[lease.webhook_id] -= 1
        if self._claimed[lease.webhook_id] <= 0:
            del self._claimed[lease.webhook_id]
            self._posting.pop(lease.webhook_id, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a delivery broke", fault=type(task.exception()).__name__)
        self.wake()

    async def _write_down(self) -> bool:
        """In one transaction for all. After a fault of the database they are kept for the next round."""
        outcomes, unsent, empty = self._outcomes, self._unsent, self._empty
        if not outcomes and not unsent and not empty:
            return False
        self._outcomes, self._unsent, self._empty = [], [], []
        now = self._clock()
        try:
            async with self._database.transaction() as connection:
                if outcomes:
                    await self._recorder.record(connection, outcomes, now)
                if unsent:
                    await delivery_store.release(connection, unsent, now)
                if empty:
                    await self._recorder.end_empty(connection, empty, now)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self._unsent = unsent + self._unsent
            self._empty = empty + self._empty
            raise
        return True

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_WITHIN_SECONDS)
        for task, lease in list(self._tasks.items()):
            task.cancel()
            self._unsent.append(lease)
        try:
            await self._write_down()
        except Exception as error:  # noqa: BLE001 -- leases end by themselves, and what was sent is sent again
            _log.warning("outcomes of deliveries are lost: they are sent again", fault=type(error).__name__)


def _place(error: BaseException) -> str:
    """Where it happened. Not the message, which may repeat what a row holds."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
