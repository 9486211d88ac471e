"""Writes outcomes down in transactions of their own, with what is to be done before and after them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from leadwright.campaigns import service as campaigns
from leadwright.engine.courses import Sequences
from leadwright.engine.outcomes import identity_of, known_as, settle
from leadwright.engine.settlement import Settled
from leadwright.leads import joining
from leadwright.postgres.pool import Database
from leadwright.senders import health
from leadwright.telemetry import metrics

AT_ONCE = 500


class Settler:
    """For the outcomes of deeds that this process performed or asked about."""

    def __init__(self, database: Database, sequences: Sequences) -> None:
        self._database = database
        self._sequences = sequences

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """A fault of the database leaves the rest unwritten: whoever calls keeps them for another time."""
        of_workspace: dict[str, list[Settled]] = {}
        for each in settled:
            of_workspace.setdefault(each.workspace_id, []).append(each)
        for workspace_id, outcomes in of_workspace.items():
            await self._learn_aliases(workspace_id, outcomes, now)
            for start in range(0, len(outcomes), AT_ONCE):
                await self._settle(workspace_id, outcomes[start : start + AT_ONCE], now)

    async def _settle(self, workspace_id: str, outcomes: Sequence[Settled], now: datetime) -> None:
        async with self._database.transaction() as connection:
            settling = await settle(connection, self._sequences, workspace_id, outcomes, now)
        for each in settling.news:
            metrics.DEEDS[each.word].inc()
        failing = {
            (each.action.campaign_id, each.action.sender_id)
            for each in settling.news
            if each.action.sender_id in settling.failing and each.action.campaign_id is not None
        }
        for campaign_id, sender_id in sorted(failing):
            async with self._database.transaction() as connection:
                reason = f"{health.MOST_FAILURES} deeds of one of its senders failed in a row"
                await campaigns.pause_by_itself(connection, workspace_id, campaign_id, reason, now)
                await health.forget_failures(connection, workspace_id, sender_id)

    async def _learn_aliases(self, workspace_id: str, outcomes: Iterable[Settled], now: datetime) -> None:
        """Before the outcomes, since joining two keys takes locks that come before those of leads."""
        for each in outcomes:
            for other in known_as(each):
                async with self._database.transaction() as connection:
                    await joining.join(connection, workspace_id, identity_of(each.action), other, now)
