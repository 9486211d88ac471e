"""The deliverer of one process: claims what is due, sends it, writes down what became of it."""

import asyncio
import random
import traceback
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
from leadwright.webhooks.delivery import Hopeless, Prepared, Preparer
from leadwright.webhooks.delivery_store import Leased
from leadwright.webhooks.posting import AT_FIRST, Posts
from leadwright.webhooks.recording import Recorder

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
        self._clock = clock
        self._lease = timedelta(seconds=4 * seconds + 5)
        self._patience = timedelta(seconds=seconds)
        self._preparer = Preparer(secrets)
        self._recorder = Recorder(schedule, random.Random().random)  # noqa: S311 -- spreads load, guards nothing
        self._posts = Posts(client, clock, slots=slots, ended=self.wake)
        self._empty: list[Leased] = []
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
        """Writes down what has come back and claims what is due, side by side; whether there was anything of both.

        Each is a handful of round trips, and one waits for the event loop at each: posts must not run out meanwhile.
        """
        wrote, claimed = await asyncio.gather(self._write_down(), self._claim(), return_exceptions=True)
        for each in (wrote, claimed):
            if isinstance(each, BaseException):
                raise each
        return bool(wrote or claimed)

    async def settle(self) -> None:
        """Waits for everything under way and writes it down."""
        await self._posts.settle()
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
            if not busy or not self._posts.outcomes:
                await self._rest()
        await self._finish()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _claim(self) -> bool:
        most, free = self._posts.room()
        if most <= 0:
            return False
        now = self._clock()
        async with self._database.transaction() as connection:
            await delivery_store.without_waiting_for_the_disk(connection)
            leased = await delivery_store.claim(
                connection, now, now + self._lease, free=free, of_others=AT_FIRST, most=most
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
            self._posts.unsent += leased
            raise

    async def _claim_probes(self, now: datetime) -> list[Leased]:
        """In a transaction of its own, since it locks endpoints before streams and a claim holds streams already."""
        if self._looked_for_probes is not None and timedelta(0) <= now - self._looked_for_probes < PROBE_LOOK:
            return []
        self._looked_for_probes = now
        async with self._database.transaction() as connection:
            await delivery_store.without_waiting_for_the_disk(connection)
            return await delivery_store.claim_probes(connection, now, now + self._lease)

    async def _begin(self, leased: Sequence[Leased]) -> None:
        """Prepares all before the first is posted, so that a fault finds none of them under way."""
        async with self._database.session() as connection:
            heads = await delivery_store.heads(connection, leased)
            addresses = await delivery_store.addresses(connection, sorted({lease.webhook_id for lease in leased}))
        now = self._clock()
        found = {head.place: head for head in heads}
        made, empty = list[Prepared | Hopeless](), list[Leased]()
        for place, lease in enumerate(leased, 1):
            head, address = found.get(place), addresses.get(lease.webhook_id)
            if head is None or address is None:
                empty.append(lease)
            else:
                made.append(self._preparer.prepare(lease, head, address, now))
        self._empty += empty
        for each in sorted(made, key=lambda each: each.delivery_id):
            if isinstance(each, Hopeless):
                self._posts.outcomes.append(each)
            else:
                self._posts.add(each, now + self._patience)

    async def _write_down(self) -> bool:
        """In one transaction for all. After a fault of the database they are kept for the next round."""
        posts = self._posts
        outcomes, unsent, empty = posts.outcomes, posts.unsent, self._empty
        if not outcomes and not unsent and not empty:
            return False
        posts.outcomes, posts.unsent, self._empty = [], [], []
        now = self._clock()
        try:
            async with self._database.transaction() as connection:
                await delivery_store.without_waiting_for_the_disk(connection)
                if outcomes:
                    await self._recorder.record(connection, outcomes, now)
                if unsent:
                    await delivery_store.release(connection, unsent, now)
                if empty:
                    await self._recorder.end_empty(connection, empty, now)
        except BaseException:
            posts.outcomes = outcomes + posts.outcomes
            posts.unsent = unsent + posts.unsent
            self._empty = empty + self._empty
            raise
        return True

    async def _finish(self) -> None:
        await self._posts.finish(FINISH_WITHIN_SECONDS)
        try:
            await self._write_down()
        except Exception as error:  # noqa: BLE001 -- leases end by themselves, and what was sent is sent again
            _log.warning("outcomes of deliveries are lost: they are sent again", fault=type(error).__name__)


def _place(error: BaseException) -> str:
    """Where it happened. Not the message, which may repeat what a row holds."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
