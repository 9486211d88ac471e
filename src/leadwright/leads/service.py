"""Adding leads, reading them, taking them out, and joining those that turn out to be one person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leadwright import ids
from leadwright.accounts.model import AuditEntry
from leadwright.campaigns import service as campaigns
from leadwright.engine import stopping, waking
from leadwright.errors import NotFound
from leadwright.events import service as events
from leadwright.events.model import EventType
from leadwright.identity import Identity, IdentityKind
from leadwright.leads import courtesy, ingest_store, store
from leadwright.leads.model import (
    AddLeads,
    Courtesy,
    Filter,
    Lead,
    LeadStatus,
    NewLead,
    OnDuplicate,
    Outcome,
    Rejection,
    Result,
    parse_row,
)
from leadwright.pages import Page
from leadwright.people import service as people
from leadwright.people.service import Held
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.suppression.model import erased_digests, match_values
from leadwright.telemetry import metrics

_NOT_ASKED = (False, "")
"""Whether leads will move, where only the short report is wanted."""
_NOT_STARTED = {
    "draft": "The campaign is a draft; start it to process its leads",
    "paused": "The campaign is paused; resume it to process its leads",
    "finished": "The campaign was finished by a person; its leads stay where they are",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows of one add call; ``results`` has one for each, in order, when all were asked for.

    ``leads`` are the rows that were added; ``import_id`` is None when nothing was kept.
    """

    import_id: str | None
    campaign_id: str
    leads: tuple[NewLead, ...]
    added: int
    updated: int
    duplicates: int
    results: tuple[Result, ...]
    will_process: bool
    will_process_reason: str

    @property
    def invalid(self) -> tuple[Result, ...]:
        return tuple(r for r in self.results if r.outcome in (Outcome.INVALID, Outcome.SUPPRESSED))


async def add(
    connection: Connection,
    workspace_id: str,
    request: AddLeads,
    *,
    api_key_id: str,
    held: Held,
    now: datetime,
    check_nul: bool = False,
    all_results: bool = False,
) -> Report:
    """Adds what can be added and says what became of every row; in a transaction begun with ``people.begin_holding``.

    ``results`` holds the rows that were refused, and with ``all_results`` every row. Raises NotFound for an unknown
    campaign.
    """
    campaign_id = campaigns.known_id(request.campaign_id)
    leads, rejected = _judge(request, check_nul=check_nul)
    batch = ingest_store.Batch(ids.new_id(), campaign_id, api_key_id, leads, rejected, request.on_duplicate, now)
    if held.suppressions:
        _add_suppressible(leads)
    if held.erasure_key is not None:
        _add_digests(leads, workspace_id, held.erasure_key)
    if request.skip_if is not None:
        await courtesy.mark(connection, workspace_id, campaign_id, leads, request.skip_if, now)
    plain = held.nothing and request.skip_if is None
    done = await ingest_store.ingest(connection, workspace_id, batch, plain=plain)
    if done is None:
        raise campaigns.not_found()
    if done.added and done.campaign_status == "finished" and done.finished_by == "system":
        await campaigns.resume_after_adding(connection, workspace_id, campaign_id, now)
        done = replace(done, campaign_status="started")
    filled = [(row.kind, row.key) for row in done.not_added if row.updated]
    if filled:
        await waking.fields_filled(connection, workspace_id, campaign_id, filled, now)
    results, prospect = _refusals(batch, done), _NOT_ASKED
    if all_results:
        results = await _all_results(connection, workspace_id, batch, done)
        prospect = await _prospect(connection, workspace_id, campaign_id, done)
    return _report(batch, done, results, prospect)


async def add_at_once(
    connection: Connection, workspace_id: str, request: AddLeads, entry: AuditEntry, *, plain: bool, check_nul: bool
) -> Report | None:
    """``add`` in one round trip on a connection without a transaction, with its entry in the audit log.

    ``plain`` supposes that the workspace has neither aliases nor a do-not-contact list. None when it did nothing,
    because something is not as supposed or calls for more than one statement. Raises NotFound.
    """
    if request.skip_if is not None or request.on_duplicate is not OnDuplicate.SKIP:
        return None
    assert entry.key_id is not None
    campaign_id = campaigns.known_id(request.campaign_id)
    leads, rejected = _judge(request, check_nul=check_nul)
    batch = ingest_store.Batch(ids.new_id(), campaign_id, entry.key_id, leads, rejected, request.on_duplicate, entry.at)
    if not plain:
        _add_suppressible(leads)
    held = people.holding(workspace_id)
    done = await ingest_store.ingest_at_once(connection, workspace_id, batch, entry, held, plain=plain)
    return None if done is None else _report(batch, done, _refusals(batch, done))


def _judge(request: AddLeads, *, check_nul: bool) -> tuple[list[NewLead], list[Rejection]]:
    leads: list[NewLead] = []
    rejected: list[Rejection] = []
    for index, (row, lead_id) in enumerate(zip(request.rows, ids.new_ids(len(request.rows)), strict=True)):
        judged = parse_row(index, row, lead_id, check_nul=check_nul)
        if isinstance(judged, NewLead):
            leads.append(judged)
        else:
            rejected.append(judged)
    return leads, rejected


def _add_suppressible(leads: list[NewLead]) -> None:
    """The words by which the do-not-contact list may name these people, beside their keys."""
    for lead in leads:
        if lead.email is not None or lead.company is not None:
            lead.suppressible = [list(pair) for pair in match_values(None, lead.email, lead.company)]


def _add_digests(leads: list[NewLead], workspace_id: str, key: bytes) -> None:
    """The hashes by which these people may be known to be erased: 5.5 µs a lead, 11.7 with an e-mail
    address, and only where somebody was."""
    for lead in leads:
        lead.erased_as = erased_digests(key, workspace_id, f"{lead.kind}:{lead.key}", lead.email)


def _report(
    batch: ingest_store.Batch,
    done: ingest_store.Ingested,
    results: tuple[Result, ...],
    prospect: tuple[bool, str] = _NOT_ASKED,
) -> Report:
    updated = sum(row.updated for row in done.not_added)
    suppressed = sum(row.suppressed for row in done.not_added)
    duplicates = len(done.not_added) - updated - suppressed
    for outcome, count in (
        (Outcome.ADDED, done.added),
        (Outcome.UPDATED, updated),
        (Outcome.DUPLICATE, duplicates),
        (Outcome.INVALID, suppressed + len(batch.rejected)),
    ):
        if count:
            metrics.LEADS[outcome].inc(count)
    others = {row.index for row in done.not_added}
    added = tuple(lead for lead in batch.leads if lead.index not in others)
    return Report(batch.import_id, batch.campaign_id, added, done.added, updated, duplicates, results, *prospect)


async def _prospect(
    connection: Connection, workspace_id: str, campaign_id: str, done: ingest_store.Ingested
) -> tuple[bool, str]:
    """Whether these leads will move, and if not, the first thing that is in the way: the same that keeps a campaign
    from being started."""
    if done.campaign_status != "started":
        return False, _NOT_STARTED[done.campaign_status]
    found = await campaigns.what_is_in_the_way(connection, workspace_id, campaign_id)
    if found:
        return False, f"The campaign cannot work: {found[0].message}"
    return True, "The campaign is started"


def _refusals(batch: ingest_store.Batch, done: ingest_store.Ingested) -> tuple[Result, ...]:
    urls = {lead.index: lead.linkedin_url for lead in batch.leads}
    suppressed = [_suppressed(row, urls[row.index]) for row in done.not_added if row.suppressed]
    return tuple(sorted([*map(_rejected, batch.rejected), *suppressed], key=_by_index))


def _rejected(row: Rejection) -> Result:
    return Result(row.index, Outcome.INVALID, code=row.code, reason=row.reason, linkedin_url=row.linkedin_url)


def _suppressed(row: ingest_store.NotAdded, url: str) -> Result:
    return Result(
        row.index,
        Outcome.SUPPRESSED,
        identity_key=f"{row.kind}:{row.key}",
        code="suppressed",
        reason="The person is on the do-not-contact list",
        linkedin_url=url,
    )


async def _all_results(
    connection: Connection, workspace_id: str, batch: ingest_store.Batch, done: ingest_store.Ingested
) -> tuple[Result, ...]:
    """One result a row. Which leads the duplicates are is looked up here, for those who want to know."""
    rest = {row.index: row for row in done.not_added}
    persons = [(row.kind, row.key) for row in done.not_added if not row.suppressed]
    existing = (
        await ingest_store.ids_of_persons(connection, workspace_id, batch.campaign_id, persons) if persons else {}
    )
    news = {lead.index: Identity(IdentityKind(lead.kind), lead.key) for lead in batch.leads if lead.index not in rest}
    canonical = await people.canonical(connection, workspace_id, news.values())
    added = [
        Result(lead.index, Outcome.ADDED, lead_id=lead.id, identity_key=canonical[news[lead.index]].text)
        for lead in batch.leads
        if lead.index in news
    ]
    known = [_known(row, existing.get((row.kind, row.key))) for row in done.not_added if not row.suppressed]
    return tuple(sorted([*added, *known, *_refusals(batch, done)], key=_by_index))


def _known(row: ingest_store.NotAdded, lead_id: str | None) -> Result:
    identity_key = f"{row.kind}:{row.key}"
    if row.updated:
        return Result(row.index, Outcome.UPDATED, lead_id=lead_id, identity_key=identity_key)
    in_request = row.occurrence > 1 and row.courtesy is None
    code, reason = _why_not(row, in_request=in_request)
    return Result(
        row.index,
        Outcome.DUPLICATE_IN_REQUEST if in_request else Outcome.DUPLICATE,
        identity_key=identity_key,
        code=code,
        reason=reason,
        existing_lead_id=lead_id,
    )


def _why_not(row: ingest_store.NotAdded, *, in_request: bool) -> tuple[str, str]:
    """Code and sentence of a row that counts as a duplicate."""
    match row.courtesy:
        case Courtesy.CONTACTED_RECENTLY:
            return "contacted_recently", "The person was contacted within the days of skipIf"
        case Courtesy.IN_ACTIVE_CAMPAIGN:
            return "in_active_campaign", "The person is on the way in another started campaign"
        case Courtesy.SAME_COMPANY_REPLIED:
            return "same_company_replied", "Somebody of the same company has replied"
        case _ if in_request:
            return "duplicate_in_request", "The person stands earlier in this request"
        case _:
            return "duplicate", "The person is in the campaign already"


def _by_index(result: Result) -> int:
    return result.index


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
        await tell_status(connection, workspace_id, lead_id, standing, LeadStatus.STOPPED, now)


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
) -> None:
    """Writes a change of status down, privately and as the public event. The caller holds the lead's lock."""
    custom_status = custom_status or before.custom_status
    detail = {"previousStatus": before.status, "newStatus": status.value}
    if custom_status != before.custom_status and custom_status is not None:
        detail["customLeadStatus"] = custom_status
    if note is not None:
        detail["note"] = note
    if duplicate_of is not None:
        detail["duplicateOf"] = ids.public(ids.Prefix.LEAD, duplicate_of)
    await store.add_history(
        connection,
        workspace_id,
        lead_id,
        kind="status_changed",
        detail=detail,
        now=now,
    )
    await events.record(
        connection,
        workspace_id,
        type=EventType.LEAD_UPDATED,
        lead_id=lead_id,
        campaign_id=before.campaign_id,
        now=now,
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
    connection: Connection, workspace_id: str, lead_id: str | None, *, after: int, limit: int
) -> list[store.HistoryEntry]:
    """Raises NotFound."""
    lead = await read(connection, workspace_id, lead_id)
    return await store.history(connection, workspace_id, lead.id, after=after, limit=limit)
