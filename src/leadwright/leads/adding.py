"""Adding leads to a campaign: judged one by one, written down together, and told of row by row."""

from dataclasses import dataclass, replace
from datetime import datetime

from leadwright import ids
from leadwright.accounts.model import AuditEntry
from leadwright.campaigns import service as campaigns
from leadwright.engine import waking
from leadwright.identity import Identity, IdentityKind
from leadwright.leads import courtesy, ingest_store
from leadwright.leads.model import (
    AddLeads,
    Courtesy,
    NewLead,
    OnDuplicate,
    Outcome,
    Rejection,
    Result,
    parse_row,
)
from leadwright.people import service as people
from leadwright.people.service import Held
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
_FINISHED_BY_ITSELF = "The campaign has finished by itself and no row is new; it goes on with the next new lead"


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
        by_itself = done.finished_by == "system"
        return False, _FINISHED_BY_ITSELF if by_itself else _NOT_STARTED[done.campaign_status]
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
