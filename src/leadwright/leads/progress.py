"""What the engine tells of many leads at once: history entries, and changes of status with their public event."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from leadwright import ids
from leadwright.events.model import EventType
from leadwright.events.service import Fact
from leadwright.leads import store
from leadwright.leads.store import NewEntry
from leadwright.postgres.pool import Connection

__all__ = ["NewEntry", "StatusChange", "add_entries", "learn"]


class StatusChange(msgspec.Struct, frozen=True):
    """A lead's status before and after; ``detail`` joins the history entry."""

    lead_id: str
    campaign_id: str
    linkedin_url: str
    before: str
    after: str
    custom_status: str | None
    step_id: str | None = None
    simulated: bool = False
    detail: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])

    def entry(self) -> NewEntry:
        detail = {"previousStatus": self.before, "newStatus": self.after, **self.detail}
        return NewEntry(self.lead_id, "status_changed", self.step_id, detail)

    def fact(self) -> Fact:
        data = {
            "leadId": ids.public(ids.Prefix.LEAD, self.lead_id),
            "campaignId": ids.public(ids.Prefix.CAMPAIGN, self.campaign_id),
            "linkedinUrl": self.linkedin_url,
            "previousStatus": self.before,
            "newStatus": self.after,
            "customLeadStatus": self.custom_status,
        }
        return Fact(EventType.LEAD_UPDATED, data, self.campaign_id, self.lead_id, None, self.simulated)


async def learn(
    connection: Connection, workspace_id: str, profiles: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    """Adds what channels found out (``followerCount``, …) to the profiles of leads."""
    if profiles:
        await store.learn(connection, workspace_id, profiles, now)


async def add_entries(connection: Connection, workspace_id: str, entries: Sequence[NewEntry], now: datetime) -> None:
    """Writes into the histories of leads whose enrolments the caller holds."""
    if entries:
        await store.add_entries(connection, workspace_id, entries, now)
