"""The engine of one process: each duty as a piece of work at a moment that is given, so that any clock can drive it."""

from collections.abc import Sequence
from datetime import datetime

from leadwright.campaigns import service as campaigns
from leadwright.channels import simulator
from leadwright.crypto import SecretBox
from leadwright.engine import action_store, lane_store, service, store, waking, weeding
from leadwright.engine.courses import Sequences
from leadwright.engine.performing import Adapters, Beginner, Begun, perform
from leadwright.engine.reconciling import Reconciler
from leadwright.engine.runner import Planner
from leadwright.engine.settler import Settler
from leadwright.errors import InvalidRequest
from leadwright.postgres.pool import Database
from leadwright.senders import health, quotas
from leadwright.telemetry.logs import logger

_log = logger("leadwright.engine")

BATCH = 500
"""The most leads of one transaction."""


class Engine:
    """Plans, performs, settles, asks, finishes. Several processes may have one each on one database."""

    def __init__(self, database: Database, secrets: SecretBox, channels: Adapters, *, batch: int = BATCH) -> None:
        self._database = database
        self._channels = channels
        sequences = Sequences()
        self._batch = batch
        self.planner = Planner(database, secrets, sequences, batch=batch)
        self.beginner = Beginner(database, secrets, sequences, batch=batch)
        self.settler = Settler(database, sequences)
        self._reconciler = Reconciler(database, secrets, channels)

    async def plan(self, now: datetime) -> bool:
        """Plans for one lane, and begins nothing; whether there was one."""
        return (await self.planner.plan(now)).found

    async def advance(self, now: datetime) -> bool:
        """Plans for one lane, and performs what begins with its plan; whether there was a lane."""
        found, begun = await self.planner.plan(now, self._batch)
        await self._perform(begun, now)
        return found

    async def perform(self, now: datetime) -> bool:
        """Performs planned steps of one workspace, one after another, and writes down their outcomes."""
        found, begun = await self.beginner.begin(now)
        await self._perform(begun, now)
        return found

    async def _perform(self, begun: Sequence[Begun], now: datetime) -> None:
        if begun:
            await self.settler.settle([await perform(self._channels, each) for each in begun], now)

    async def reconcile(self, now: datetime) -> bool:
        """Gives up what lost workers had, and asks about what is uncertain; whether there was any."""
        lost = await self._reconciler.give_up_lost(now)
        settled = await self._reconciler.ask(now)
        if settled:
            await self.settler.settle(settled, now)
        return lost or bool(settled)

    async def listen(self, now: datetime) -> bool:
        """Hears one thing that a simulated person did; whether there was any."""
        async with self._database.transaction() as connection:
            for workspace_id, sender_id, fact in await simulator.due_facts(connection, now, 1):
                try:
                    async with connection.transaction():
                        await service.receive(connection, workspace_id, sender_id, fact, now)
                except InvalidRequest:  # its sender is gone
                    _log.warning("a simulated fact was left aside", sender=sender_id)
                return True
        return False

    async def weed(self, now: datetime) -> bool:
        """Looks for leads that the do-not-contact list names since it has grown; whether there were any to look at."""
        return await weeding.weed(self._database, now)

    async def restore_senders(self, now: datetime) -> bool:
        """Brings back senders whose rest is over, and looks again where one got quota back; whether there was any."""
        async with self._database.transaction() as connection:
            returned = await quotas.returned(connection)
            restored = await health.restore(connection, now)
            for workspace_id in sorted(restored.keys() | returned.keys()):
                sender_ids = returned.get(workspace_id, frozenset()).union(restored.get(workspace_id, ()))
                await waking.sender_changed(connection, workspace_id, sender_ids, now)
        return bool(restored or returned)

    async def finish_campaigns(self, now: datetime) -> bool:
        """Finishes the campaigns of whose leads none is on its way."""
        async with self._database.session() as connection:
            found = await store.through(connection)
        finished = False
        for workspace_id, campaign_id in found:
            async with self._database.transaction() as connection:
                finished |= await campaigns.finish_if_through(connection, workspace_id, campaign_id, now)
        return finished

    async def next_due(self, now: datetime) -> datetime | None:
        """When there is next something to plan, perform or ask about: for clocks that jump."""
        async with self._database.session() as connection:
            moments = [
                await lane_store.next_look(connection, now),
                await action_store.next_due(connection),
                await simulator.next_due(connection),
            ]
        return min((moment for moment in moments if moment is not None), default=None)
