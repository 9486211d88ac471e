"""Writes outcomes down in transactions of their own, with what is to be done before and after them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from leadwright.campaigns import service as campaigns
from leadwright.channels.channel import Unknown
from leadwright.engine.courses import Sequences
from leadwright.engine.outcomes import Settling, identity_of, known_as, settle
from leadwright.engine.settlement import Settled
from leadwright.errors import Unavailable
from leadwright.leads import joining
from leadwright.postgres.pool import Database, passing_fault
from leadwright.senders import health
from leadwright.senders import service as senders
from leadwright.telemetry import metrics
from leadwright.telemetry.logs import logger

_log = logger("leadwright.engine")
AT_ONCE = 500
UNWRITABLE = Unknown("what the channel said of it cannot be written down")


def parts(outcomes: Iterable[Settled]) -> list[list[Settled]]:
    """In their order, AT_ONCE at most in each, and each lead once: what comes second is judged by what the first made.

    A lead has two when a deed that was taken for lost reports beside the one that was to repeat it.
    """
    found: list[list[Settled]] = [[]]
    leads: set[str] = set()
    for each in outcomes:
        lead_id = each.action.lead_id
        if len(found[-1]) == AT_ONCE or lead_id in leads:
            found.append([])
            leads.clear()
        found[-1].append(each)
        if lead_id is not None:
            leads.add(lead_id)
    return found


def _fault(settled: Settled) -> str | None:
    return health.fault_of(settled.outcome) if settled.tells_of_sender else None


class Settler:
    """For the outcomes of deeds that this process performed or asked about."""

    def __init__(self, database: Database, sequences: Sequences) -> None:
        self._database = database
        self._sequences = sequences

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """A database that is away leaves the rest unwritten: whoever calls keeps them for another time.

        An outcome that cannot be written down for a reason of its own holds up no other: it is uncertain.
        """
        of_workspace: dict[str, list[Settled]] = {}
        for each in settled:
            of_workspace.setdefault(each.workspace_id, []).append(each)
        for workspace_id, outcomes in of_workspace.items():
            for part in parts(outcomes):
                await self._settle(workspace_id, part, now)

    async def _settle(self, workspace_id: str, outcomes: Sequence[Settled], now: datetime) -> None:
        try:
            await self._write(workspace_id, outcomes, now)
        except Exception as error:
            if isinstance(error, Unavailable) or passing_fault(error) is not None:
                raise
            for each in outcomes:
                await self._settle_alone(each, now)

    async def _settle_alone(self, settled: Settled, now: datetime) -> None:
        """What still does not go is left to the end of its lease; its channel is asked then."""
        for outcome in (settled.outcome, UNWRITABLE):
            alone = Settled(settled.workspace_id, settled.action, settled.token, outcome, settled.simulated)
            try:
                return await self._write(settled.workspace_id, [alone], now)
            except Exception as error:
                if isinstance(error, Unavailable) or passing_fault(error) is not None:
                    raise
                _log.error("an outcome cannot be written", action=settled.action.id, fault=type(error).__name__)
        return None

    async def _write(self, workspace_id: str, outcomes: Sequence[Settled], now: datetime) -> None:
        await self._learn_aliases(workspace_id, outcomes, now)
        async with self._database.transaction() as connection:
            settling = await settle(connection, self._sequences, workspace_id, outcomes, now)
        for each in settling.news:
            metrics.DEEDS[each.word].inc()
        if settling.failing:
            await self._pause_failing(workspace_id, settling, now)

    async def _pause_failing(self, workspace_id: str, settling: Settling, now: datetime) -> None:
        """The campaigns for which senders that fail too often have just acted, each in a transaction of its own."""
        last = {each.action.sender_id: fault for each in settling.news if (fault := _fault(each)) is not None}
        failing = {
            (each.action.campaign_id, each.action.sender_id)
            for each in settling.news
            if each.action.sender_id in settling.failing and each.action.campaign_id is not None
        }
        for campaign_id, sender_id in sorted(failing):
            async with self._database.transaction() as connection:
                sender = (await senders.sealed(connection, workspace_id, [sender_id]))[sender_id]
                failed = f'{health.MOST_FAILURES} deeds of its sender "{sender.name}" failed in a row'
                reason = f"{failed}, the last with {last[sender_id]}"
                await campaigns.pause_by_itself(connection, workspace_id, campaign_id, reason, now)
                await health.forget_failures(connection, workspace_id, sender_id)

    async def _learn_aliases(self, workspace_id: str, outcomes: Iterable[Settled], now: datetime) -> None:
        """Before the outcomes, since joining two keys takes locks that come before those of leads."""
        for each in outcomes:
            for other in known_as(each):
                async with self._database.transaction() as connection:
                    await joining.join(connection, workspace_id, identity_of(each.action), other, now)
