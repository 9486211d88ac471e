"""Whom a request leaves alone of its own will: people who were just approached, elsewhere or through a colleague."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from leadwright.leads import courtesy_store
from leadwright.leads.model import NewLead, SkipIf
from leadwright.postgres.pool import Connection
from leadwright.suppression.model import company_value


async def mark(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    leads: Sequence[NewLead],
    rules: SkipIf,
    now: datetime,
) -> None:
    """Writes into each lead which rule speaks against it, the first that does; one statement for all.

    What others commit meanwhile is not seen: this is a courtesy and no lock.
    """
    persons = [
        courtesy_store.Asked(lead.index, lead.kind, lead.key, company_value(lead.company) if lead.company else None)
        for lead in leads
    ]
    days = rules.contacted_within_days
    found = await courtesy_store.spoken_against(
        connection,
        workspace_id,
        campaign_id,
        persons,
        contacted_since=None if days is None else now - timedelta(days=days),
        in_active_campaign=rules.in_active_campaign,
        same_company_replied=rules.same_company_replied,
    )
    for lead in leads:
        lead.courtesy = found.get(lead.index)


async def note_replies(connection: Connection, workspace_id: str, lead_ids: Iterable[str]) -> None:
    """Remembers of whose companies somebody has answered."""
    wanted = sorted(set(lead_ids))
    if not wanted:
        return
    companies = await courtesy_store.companies_of(connection, workspace_id, wanted)
    named = [(value, lead_id) for lead_id, text in companies if (value := company_value(text)) is not None]
    if named:
        await courtesy_store.insert_replies(connection, workspace_id, named)
