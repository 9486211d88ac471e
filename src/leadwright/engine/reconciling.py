"""Deeds of which nobody knows whether they happened: given up when their worker is lost, and asked about."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from leadwright import ids
from leadwright.crypto import SecretBox
from leadwright.engine import action_store
from leadwright.engine.action_store import Lost
from leadwright.engine.performing import Adapters, Begun, deed_of, reconcile
from leadwright.engine.settlement import Settled
from leadwright.leads import progress
from leadwright.leads.progress import NewEntry
from leadwright.postgres.pool import Database
from leadwright.senders import service as senders
from leadwright.telemetry.metrics import DEEDS_UNCERTAIN

ASKING = timedelta(minutes=5)
"""For so long nobody else asks about the same deed."""
ASKED_AT_ONCE = 50


class Reconciler:
    """Asks the channels what became of deeds."""

    def __init__(self, database: Database, secrets: SecretBox, channels: Adapters) -> None:
        self._database = database
        self._secrets = secrets
        self._channels = channels

    async def give_up_lost(self, now: datetime) -> bool:
        """Whether there were deeds whose worker is gone: they are uncertain now."""
        async with self._database.transaction() as connection:
            lost = await action_store.give_up_lost(connection, now)
            for workspace_id, deeds in sorted(lost.items()):
                entries = [_given_up(deed, deed.lead_id) for deed in deeds if deed.lead_id is not None]
                await progress.add_entries(connection, workspace_id, entries, now)
            DEEDS_UNCERTAIN.set(await action_store.count_uncertain(connection))
        return bool(lost)

    async def ask(self, now: datetime) -> Sequence[Settled]:
        """What the channels say of uncertain deeds; a sender that is gone cannot be asked, and a person must say.

        All are asked at once: one after the other, slow answers would outlast the time in which nobody else asks.
        """
        return await asyncio.gather(*(reconcile(self._channels, each) for each in await self._uncertain(now)))

    async def _uncertain(self, now: datetime) -> Sequence[Begun]:
        async with self._database.transaction() as connection:
            found = await action_store.ask_about(connection, now, now + ASKING, ASKED_AT_ONCE)
            begun: list[Begun] = []
            for workspace_id, actions in found.items():
                wanted = {action.sender_id for action in actions}
                known = await senders.load(connection, self._secrets, workspace_id, wanted)
                begun += [
                    Begun(
                        action,
                        action.token,
                        deed_of(workspace_id, action, known[action.sender_id], now, attempt=max(1, action.attempt)),
                    )
                    for action in actions
                    if action.sender_id in known
                ]
        return begun


def _given_up(deed: Lost, lead_id: str) -> NewEntry:
    """Written without the lead's lock, which comes before the deed's: nothing but the order of entries hangs on it."""
    detail: dict[str, object] = {
        "kind": deed.kind,
        "actionId": ids.public(ids.Prefix.ACTION, deed.id),
        "attempt": deed.attempt,
        "message": "its worker was lost before the outcome was known",
    }
    return NewEntry(lead_id, "uncertain", deed.step_id, detail | ({"simulated": True} if deed.simulated else {}))
