"""Leads that are there: reading them, taking them out, and telling what changed of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.engine import stopping
from leadwright.errors import NotFound
from leadwright.events import service as events
from leadwright.events.model import EventType
from leadwright.identity import Identity
from leadwright.leads import ingest_store, store
from leadwright.leads.model import (
    Filter,
    Lead,
    LeadStatus,
)
from leadwright.pages import Page
from leadwright.people import service as people
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection


def not_found() -> NotFound:
    return NotFound("Lead not found", code="lead_not_found")


async def read(connection: Connection, workspace_id: str, lead_id: str | None) -> Lead:
    """Raises NotFound."""
    found = await store.lead(connection, workspace_id, lead_id) if lead_id else None
    if found is None:
        raise not_found()
    return found


async def find(connection: Connection, workspace_id: str, campaign_id: str, identity: Identity) -> Lead:
    """The person's lead in the campaign, aliases followed. Raises NotFound."""
    person = (await people.canonical(connection, workspace_id, [identity]))[identity]
    key = (person.kind.value, person.key)
    found = await ingest_store.ids_of_persons(connection, workspace_id, campaign_id, [key])
    return await read(connection, workspace_id, found.get(key))


@dataclass(frozen=True, slots=True)
class Listing:
    """``fetched`` holds one lead more than the page shows, when there is one."""

    fetched: list[Lead]
    total: Total


async def list_leads(connection: Connection, workspace_id: str, which: Filter, page: Page) -> Listing:
    """A page of leads and how many there are. Raises NotFound for an unknown campaign."""
    if which.campaign_id is not None and not await campaigns.exists(connection, workspace_id, which.campaign_id):
        raise campaigns.not_found()
    fetched = await store.leads(connection, workspace_id, which, after=page.after, offset=page.offset, limit=page.fetch)
    return Listing(fetched, await _total(connection, workspace_id, which))


async def _total(connection: Connection, workspace_id: str, which: Filter) -> Total:
    """Exact from the counters without a status, whatever the number."""
    if which.status is None:
        return Total(await campaigns.lead_count(connection, workspace_id, which.campaign_id))
    return await store.count(connection, workspace_id, which)


async def remove(connection: Connection, workspace_id: str, lead_id: str | None, *, purge: bool, now: datetime) -> None:
    """Takes a lead out of its campaign: it stays as STOPPED, or with ``purge`` its rows go. Raises NotFound."""
    standing = await store.lock(connection, workspace_id, lead_id) if lead_id else None
    if lead_id is None or standing is None:
        raise not_found()
    was_active = standing.state != "done"
    if purge:
        await stopping.purge(connection, workspace_id, [lead_id])
        await store.purge(connection, workspace_id, lead_id)
        await count(connection, workspace_id, standing, leads=-1, active=-1 if was_active else 0)
    elif standing.status != LeadStatus.STOPPED:
        await stopping.withdraw(connection, workspace_id, [lead_id], "stopped", now)
        await store.stop(connection, workspace_id, lead_id, now)
        await count(connection, workspace_id, standing, active=-1 if was_active else 0)
        await tell_status(connection, workspace_id, lead_id, standing, LeadStatus.STOPPED, now, by_caller=True)


async def stop_erased(
    connection: Connection, workspace_id: str, lead_ids: Sequence[str], shown_url: str, now: datetime
) -> None:
    """Ends the ways of leads whose person is being erased, and holds them; those that are over keep their status.

    ``shown_url`` stands in the events in place of the address.
    """
    for lead_id in sorted(lead_ids):
        standing = await store.lock(connection, workspace_id, lead_id)
        if standing is None or standing.state == "done":
            continue
        await store.stop(connection, workspace_id, lead_id, now)
        await count(connection, workspace_id, standing, active=-1)
        shown = replace(standing, linkedin_url=shown_url)
        await tell_status(connection, workspace_id, lead_id, shown, LeadStatus.STOPPED, now)


async def note_erased(connection: Connection, workspace_id: str, lead_ids: Sequence[str], now: datetime) -> None:
    """Says in the leads' histories why there is nothing else in them."""
    entries = [store.NewEntry(lead_id, "erased", None, {}) for lead_id in lead_ids]
    await store.add_entries(connection, workspace_id, entries, now)


async def enrol(connection: Connection, workspace_id: str, lead_id: str) -> None:
    """Gives a lead its enrolment, before its first step: for a deed that comes from outside its sequence."""
    await store.enrol(connection, workspace_id, lead_id)


async def count(connection: Connection, workspace_id: str, standing: store.Standing, **deltas: int) -> None:
    """Counts what changed for the campaign of a lead."""
    changed = {counter: delta for counter, delta in deltas.items() if delta}
    if changed:
        await campaigns.add_counts(connection, workspace_id, standing.campaign_id, changed)


async def tell_status(
    connection: Connection,
    workspace_id: str,
    lead_id: str,
    before: store.Standing,
    status: LeadStatus,
    now: datetime,
    *,
    custom_status: str | None = None,
    note: str | None = None,
    duplicate_of: str | None = None,
    by_caller: bool = False,
) -> None:
    """Writes a change of status down, privately and as the public event. The caller holds the lead's lock.

    ``by_caller``: somebody asked for this change, which does not merely follow from something else.
    """
    custom_status = custom_status or before.custom_status
    told = {
        "customLeadStatus": custom_status if custom_status != before.custom_status else None,
        "note": note,
        "duplicateOf": None if duplicate_of is None else ids.public(ids.Prefix.LEAD, duplicate_of),
    }
    detail = {"previousStatus": before.status, "newStatus": status.value}
    detail |= {name: value for name, value in told.items() if value is not None}
    await store.add_history(connection, workspace_id, lead_id, kind="status_changed", detail=detail, now=now)
    await events.record(
        connection,
        workspace_id,
        type=EventType.LEAD_UPDATED,
        lead_id=lead_id,
        campaign_id=before.campaign_id,
        now=now,
        by_caller=by_caller,
        data={
            "leadId": ids.public(ids.Prefix.LEAD, lead_id),
            "campaignId": ids.public(ids.Prefix.CAMPAIGN, before.campaign_id),
            "linkedinUrl": before.linkedin_url,
            "previousStatus": before.status,
            "newStatus": status.value,
            "customLeadStatus": custom_status,
        },
    )


async def history(
    connection: Connection, workspace_id: str, lead_id: str | None, *, start: int, limit: int
) -> list[store.HistoryEntry]:
    """Raises NotFound."""
    lead = await read(connection, workspace_id, lead_id)
    return await store.history(connection, workspace_id, lead.id, start=start, limit=limit)
