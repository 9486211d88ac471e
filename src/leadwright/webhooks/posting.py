"""Posting what was claimed: a few at a time to each endpoint, so that one that hangs holds up nobody else."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from leadwright.clock import Clock
from leadwright.outbound.client import OutboundClient
from leadwright.telemetry.logs import logger
from leadwright.webhooks.delivery import Outcome, Prepared, send
from leadwright.webhooks.delivery_store import Leased

MOST_AT_ONCE = 500
"""Deliveries that one process has claimed and not done with."""
AHEAD = 8
"""The most that are claimed for each slot, so that the next post begins while outcomes are written down."""

AT_FIRST = 2
"""What an endpoint is given that nothing is known of: many that turn out to hang must not take all the room at once."""

_log = logger("leadwright.webhooks")


@dataclass(slots=True)
class _Line:
    """What one endpoint has in this process: deliveries that wait, each until a time, and those who post them.

    ``ended`` counts those that it was done with since the last look.
    """

    waiting: deque[tuple[Prepared, datetime]] = field(default_factory=deque[tuple[Prepared, datetime]])
    posters: int = 0
    ended: int = 0

    @property
    def held(self) -> int:
        return len(self.waiting) + self.posters


class Posts:
    """At most ``slots`` posts are under way to one endpoint; the rest of what was claimed for it waits in its line.

    A poster is a task that takes one delivery after the other: a task for each would cost as much as signing it.
    ``outcomes``, and ``unsent`` for leases that were not worked on, are the owner's to take away; ``ended`` is called
    whenever there is one more.
    """

    def __init__(self, client: OutboundClient, clock: Clock, *, slots: int, ended: Callable[[], None]) -> None:
        self._client = client
        self._clock = clock
        self._slots = slots
        self._ended = ended
        self._lines: dict[str, _Line] = {}
        self._posters: set[asyncio.Task[None]] = set()
        self._ending = False
        self.outcomes: list[Outcome] = []
        self.unsent: list[Leased] = []

    def room(self) -> tuple[int, dict[str, int]]:
        """How many more deliveries there is room for in all, and of which endpoint how many; of others ``AT_FIRST``.

        Ahead of its slots an endpoint is given twice what it was done with since the last look, and never more than an
        even share: so those that are quick never run dry, and those that hang or have much to get leave room.
        """
        self._lines = {webhook: line for webhook, line in self._lines.items() if line.held or line.ended}
        share = max(1, min(self._slots * AHEAD, MOST_AT_ONCE // (len(self._lines) + 1)))
        by_webhook: dict[str, int] = {}
        for webhook, line in self._lines.items():
            by_webhook[webhook] = max(0, min(share, self._slots + 2 * line.ended) - line.held)
            line.ended = 0
        return MOST_AT_ONCE - sum(line.held for line in self._lines.values()), by_webhook

    def add(self, prepared: Prepared, until: datetime) -> None:
        """Puts it in its endpoint's line. When its turn has not come by ``until``, the lease is given back instead."""
        line = self._lines.setdefault(prepared.lease.webhook_id, _Line())
        line.waiting.append((prepared, until))
        if line.posters < self._slots:
            line.posters += 1
            task = asyncio.get_running_loop().create_task(self._work(line))
            self._posters.add(task)
            task.add_done_callback(self._posters.discard)

    async def settle(self) -> None:
        """Waits for all that was added."""
        while self._posters:
            await asyncio.wait(self._posters)

    async def finish(self, seconds: float) -> None:
        """What waits is given back at once, what is under way when it has not ended in time."""
        self._ending = True
        for line in self._lines.values():
            self.unsent += [prepared.lease for prepared, _ in line.waiting]
            line.waiting.clear()
        if self._posters:
            await asyncio.wait(self._posters, timeout=seconds)
        late = list(self._posters)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, line: _Line) -> None:
        try:
            while line.waiting:
                await self._post(*line.waiting.popleft())
                line.ended += 1
                self._ended()
        finally:
            line.posters -= 1

    async def _post(self, prepared: Prepared, until: datetime) -> None:
        if self._ending or self._clock() > until:
            self.unsent.append(prepared.lease)
            return
        try:
            sent = await send(prepared, self._client, self._clock)
            self.outcomes.append(sent)  # not in one line: the list is another one by the time of the answer
        except asyncio.CancelledError:
            self.unsent.append(prepared.lease)
            raise
        except Exception as error:  # noqa: BLE001 -- its lease ends by itself, and others wait behind it
            _log.error("a delivery broke", fault=type(error).__name__)
