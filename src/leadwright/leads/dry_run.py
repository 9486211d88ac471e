"""Trying an add call: the very same path, undone at its end, with warnings about what the templates would lack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from leadwright.campaigns import service as campaigns
from leadwright.engine.sequence import Step
from leadwright.leads import adding
from leadwright.leads.model import AddLeads, NewLead, Outcome, Result
from leadwright.people.service import Held
from leadwright.postgres.pool import Connection
from leadwright.templates import is_blank, look_up

MOST_WARNINGS = 1_000


@dataclass(frozen=True, slots=True)
class Lack:
    """A step needs a field, has no fallback for it, and these of the rows that would be added do not have it."""

    step_id: str
    field: str
    rows: tuple[int, ...]


async def add(
    connection: Connection,
    workspace_id: str,
    request: AddLeads,
    *,
    api_key_id: str,
    held: Held,
    now: datetime,
    check_nul: bool,
    all_results: bool,
) -> tuple[adding.Report, tuple[Lack, ...]]:
    """What ``adding.add`` would do; nothing stays. Ids that would be new are not told: they will be others."""
    async with connection.transaction(force_rollback=True):
        report = await adding.add(
            connection,
            workspace_id,
            request,
            api_key_id=api_key_id,
            held=held,
            now=now,
            check_nul=check_nul,
            all_results=all_results,
        )
        sequence = await campaigns.sequence(connection, workspace_id, report.campaign_id)
    results = tuple(_without_new_ids(report))
    return replace(report, import_id=None, results=results), tuple(lacks(sequence.steps, report.leads))


def _without_new_ids(report: adding.Report) -> Iterator[Result]:
    new = {result.lead_id for result in report.results if result.outcome is Outcome.ADDED}
    for result in report.results:
        existing = None if result.existing_lead_id in new else result.existing_lead_id
        yield replace(result, lead_id=None if result.lead_id in new else result.lead_id, existing_lead_id=existing)


def lacks(steps: Sequence[Step], leads: Sequence[NewLead]) -> Iterator[Lack]:
    """Which step would find which field missing, for which of these rows: the first thousand findings."""
    fields = {lead.index: fields_of(lead) for lead in leads}

    @cache
    def lacking(name: str) -> tuple[int, ...]:
        return tuple(index for index, values in fields.items() if is_blank(look_up(values, name)))

    found = (Lack(step.id, name, lacking(name)) for step in steps for name in step.required_fields)
    return islice((lack for lack in found if lack.rows), MOST_WARNINGS)


def fields_of(lead: NewLead) -> dict[str, Any]:
    """The values that templates see under the names that callers use."""
    standard = {
        "linkedinUrl": lead.linkedin_url,
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "company": lead.company,
        "title": lead.title,
        "email": lead.email,
    }
    return lead.custom | standard
