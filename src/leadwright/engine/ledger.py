"""What one transaction of the engine tells of its leads: events, history and counts, gathered and written at once."""

from collections import Counter as Sums
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Counter, Tally
from leadwright.events import service as events
from leadwright.events.service import Fact
from leadwright.leads import progress
from leadwright.leads.progress import NewEntry, StatusChange
from leadwright.postgres.pool import Connection


class Ledger:
    """Gathers what happened to the leads of one workspace, whose enrolments the caller holds; ``write`` stores it."""

    def __init__(self, workspace_id: str) -> None:
        self._workspace_id = workspace_id
        self._facts: list[Fact] = []
        self._entries: list[NewEntry] = []
        self._counts: Sums[tuple[str, Counter, str | None, int | None, str | None]] = Sums()

    def tell(self, fact: Fact) -> None:
        self._facts.append(fact)

    def note(self, lead_id: str, kind: str, step_id: str | None, detail: Mapping[str, Any]) -> None:
        """An entry of the lead's history."""
        self._entries.append(NewEntry(lead_id, kind, step_id, detail))

    def change(self, change: StatusChange) -> None:
        """A change of status, for the history and the world; to the status it has, nothing."""
        if change.before != change.after:
            self._entries.append(change.entry())
            self._facts.append(change.fact())

    def count(
        self,
        campaign_id: str,
        counter: Counter,
        delta: int = 1,
        *,
        step_id: str | None = None,
        variant: int | None = None,
        sender_id: str | None = None,
    ) -> None:
        """Counts for the campaign and the day, and for whichever of step, variant and sender is named."""
        self._counts[campaign_id, counter, step_id, variant, sender_id] += delta

    async def write(self, connection: Connection, now: datetime) -> None:
        """Stores all of it, in the transaction of what happened."""
        await progress.add_entries(connection, self._workspace_id, self._entries, now)
        await events.record_many(connection, self._workspace_id, self._facts, now)
        tallies = [
            Tally(campaign_id, counter, delta, step_id, variant, sender_id)
            for (campaign_id, counter, step_id, variant, sender_id), delta in self._counts.items()
        ]
        await campaigns.tally(connection, self._workspace_id, tallies, now)
