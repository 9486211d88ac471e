"""The routes of leads."""

import re
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from starlette.responses import Response

from leadwright import ids
from leadwright.accounts.model import Principal
from leadwright.campaigns import service as campaigns
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.http.limits import may_hold_nul
from leadwright.http.paging import pagination, paging
from leadwright.http.problems import json_answer
from leadwright.http.route import Arrival, CurrentCall, TransactionalRoute, api_router, needs
from leadwright.identity import Identity, linkedin_identity
from leadwright.leads import adding, dry_run, joining, outcome_wire, outcomes, service, wire
from leadwright.leads.decoding import read_add_leads
from leadwright.leads.model import Filter, LeadStatus, OnDuplicate
from leadwright.pages import Page
from leadwright.people import service as people
from leadwright.people.service import Held
from leadwright.postgres.pool import Connection


class HoldingRoute(TransactionalRoute):
    """A route that stores canonical keys: who is whom must not change while it runs."""

    async def begin(self, connection: Connection, principal: Principal) -> tuple[bool, Held]:
        return await people.begin_holding(connection, principal.workspace_id, principal.key_id)


REMEMBERED_WORKSPACES = 10_000


class AddingRoute(HoldingRoute):
    """Adds in one round trip where that is all it takes, which is nearly always."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held: dict[str, Held] = {}
        """What workspaces had that makes adding dearer, when they were asked last."""

    async def begin(self, connection: Connection, principal: Principal) -> tuple[bool, Held]:
        stands, held = await super().begin(connection, principal)
        self._held.pop(principal.workspace_id, None)
        if not held.nothing:
            if len(self._held) >= REMEMBERED_WORKSPACES:
                self._held.clear()
            self._held[principal.workspace_id] = held
        return stands, held

    async def at_once(self, arrival: Arrival) -> Response | None:
        """None for whatever is asked in a query, and whatever is refused."""
        workspace_id = arrival.principal.workspace_id
        held = self._held.get(workspace_id)
        if arrival.request.scope["query_string"] or (held is not None and held.erasure_key is not None):
            return None
        try:
            request = read_add_leads(arrival.body)
            async with arrival.edge.database.session() as connection:
                done = await adding.add_at_once(
                    connection,
                    workspace_id,
                    request,
                    arrival.audit_entry(200),
                    plain=held is None,
                    check_nul=may_hold_nul(arrival.body),
                )
        except (InvalidRequest, NotFound):
            return None
        return None if done is None else json_answer(wire.report_body(done, full=False, updates=False))


router = api_router("leads")
adding_router = api_router("leads", AddingRoute)
identity_router = api_router("identity")

Full = Annotated[bool, Query(description="`true` or `1` adds the profile and the custom fields.")]


@adding_router.post(
    "/leads",
    summary="Add leads to a campaign",
    operation_id="add_leads",
    response_model=wire.AddLeadsAnswer,
    openapi_extra=needs("leads:write", raw_body=True, requestBody=wire.ADD_LEADS_REQUEST),
    responses={200: {"content": {"application/json": {"example": wire.ADD_LEADS_EXAMPLE_ANSWER}}}},
)
async def add_leads(
    call: CurrentCall,
    report: Annotated[
        Literal["full", "short"] | None, Query(description="`full` tells what became of every row.")
    ] = None,
    dry_run_only: Annotated[
        bool, Query(alias="dryRun", description="Does everything, then undoes it: nothing is changed.")
    ] = False,
) -> Response:
    """Adds up to 100 people. Rows are judged one by one: a bad row does not hold up the others.

    A duplicate is the same person already in this campaign, or earlier in the same request, whatever the spelling of
    the address. Every key beside the standard fields is a custom field and keeps its type.
    """
    request = read_add_leads(call.body)
    asked: dict[str, Any] = {
        "api_key_id": call.principal.key_id,
        "held": call.opened,
        "now": call.now,
        "check_nul": may_hold_nul(call.body),
        "all_results": report == "full",
    }
    told: dict[str, Any] = {}
    if dry_run_only:
        done, lacks = await dry_run.add(call.connection, call.workspace_id, request, **asked)
        told = wire.dry_run_body(lacks)
    else:
        done = await adding.add(call.connection, call.workspace_id, request, **asked)
    updates = request.on_duplicate is not OnDuplicate.SKIP
    return json_answer(wire.report_body(done, full=report == "full", updates=updates) | told)


@router.get(
    "/leads",
    summary="List leads",
    operation_id="list_leads",
    response_model=wire.LeadsBody,
    openapi_extra=needs("leads:read"),
)
async def list_leads(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    campaign_id: Annotated[str | None, Query(alias="campaignId", description="Only this campaign's leads.")] = None,
    status: Annotated[LeadStatus | None, Query(description="Only leads whose last happening was this.")] = None,
    full: Full = False,
) -> Response:
    """Oldest first. `total` is exact without `status`; with it, past 10,000 rows, it may be estimated and says so."""
    which = Filter(None if campaign_id is None else campaigns.known_id(campaign_id), status)
    listing = await service.list_leads(call.connection, call.workspace_id, which, page)
    body: dict[str, Any] = {
        "leads": [wire.lead_body(lead, full=full) for lead in page.shown(listing.fetched)],
        "pagination": pagination(page, listing.total).model_dump(by_alias=True, exclude_unset=True),
    }
    if page.by_cursor:
        body["nextCursor"] = page.next_cursor(listing.fetched)
    return json_answer(body)


@router.get(
    "/leads/{lead_id}",
    summary="Read a lead",
    operation_id="read_lead",
    response_model=wire.LeadBody,
    openapi_extra=needs("leads:read"),
)
async def read_lead(lead_id: str, call: CurrentCall, full: Full = False) -> Response:
    """The lead at top level, without an envelope."""
    lead = await service.read(call.connection, call.workspace_id, ids.bare(ids.Prefix.LEAD, lead_id))
    return json_answer(wire.lead_body(lead, full=full))


@router.delete(
    "/leads/{lead_id}",
    summary="Take a lead out of its campaign",
    operation_id="delete_lead",
    response_model=wire.LeadRemoved,
    openapi_extra=needs("leads:write"),
)
async def delete_lead(
    lead_id: str,
    call: CurrentCall,
    purge: Annotated[bool, Query(description="Removes the row; without it the lead stays as STOPPED.")] = False,
) -> wire.LeadRemoved:
    """A stopped lead is still counted, and still a duplicate when added again; a purged one is as if never added."""
    await service.remove(
        call.connection, call.workspace_id, ids.bare(ids.Prefix.LEAD, lead_id), purge=purge, now=call.now
    )
    return wire.LeadRemoved(success=True, leadId=lead_id, purged=purge)


@router.patch(
    "/leads/{lead_id}/status",
    summary="Say what came of a lead",
    operation_id="set_lead_status",
    response_model=outcome_wire.StatusChanged,
    openapi_extra=needs("leads:write"),
)
async def set_lead_status(lead_id: str, body: outcome_wire.StatusBody, call: CurrentCall) -> outcome_wire.StatusChanged:
    """Every outcome status stops the sequence for the lead. UNSUBSCRIBED also puts the person on the
    do-not-contact list. The statuses that the sequence manages cannot be set."""
    verdict = body.verdict()
    bare = ids.bare(ids.Prefix.LEAD, lead_id)
    status = await outcomes.judge(call.connection, call.workspace_id, bare, verdict, call.now)
    return outcome_wire.status_changed(lead_id, verdict, status)


@router.post(
    "/leads/{lead_id}/tags",
    summary="Tag a lead",
    operation_id="add_lead_tag",
    response_model=outcome_wire.Tagged,
    openapi_extra=needs("leads:write"),
)
async def add_lead_tag(lead_id: str, body: outcome_wire.TagBody, call: CurrentCall) -> outcome_wire.Tagged:
    """Adding a tag that the lead has changes nothing."""
    bare = ids.bare(ids.Prefix.LEAD, lead_id)
    tags = await outcomes.add_tag(call.connection, call.workspace_id, bare, body.tag, call.now)
    return outcome_wire.Tagged(success=True, leadId=lead_id, tags=list(tags))


@router.delete(
    "/leads/{lead_id}/tags/{tag:path}",
    summary="Take a tag off a lead",
    operation_id="remove_lead_tag",
    response_model=outcome_wire.Tagged,
    openapi_extra=needs("leads:write"),
)
async def remove_lead_tag(
    lead_id: str, tag: Annotated[str, Path(description="The tag, percent-encoded.")], call: CurrentCall
) -> outcome_wire.Tagged:
    """Removing a tag that the lead does not have changes nothing."""
    bare = ids.bare(ids.Prefix.LEAD, lead_id)
    tags = await outcomes.remove_tag(call.connection, call.workspace_id, bare, tag, call.now)
    return outcome_wire.Tagged(success=True, leadId=lead_id, tags=list(tags))


_HISTORY_CURSOR = re.compile(r"\d{1,18}")


@router.get(
    "/leads/{lead_id}/history",
    summary="What happened to a lead",
    operation_id="lead_history",
    response_model=wire.HistoryBody,
    openapi_extra=needs("leads:read"),
)
async def lead_history(
    lead_id: str,
    call: CurrentCall,
    limit: Annotated[int, Query(ge=1, le=100, description="The most entries in one answer.")] = 50,
    cursor: Annotated[str, Query(description="Empty for the start, then the `nextCursor` of the page before.")] = "",
) -> wire.HistoryBody:
    """Everything, oldest first; the first entry is the import that brought the lead."""
    if cursor and not _HISTORY_CURSOR.fullmatch(cursor):
        raise InvalidRequest.of([Detail("cursor", "expected the nextCursor of an earlier answer, or nothing")])
    entries = await service.history(
        call.connection,
        call.workspace_id,
        ids.bare(ids.Prefix.LEAD, lead_id),
        start=int(cursor or 0),
        limit=limit + 1,
    )
    return wire.history_body(lead_id, entries, limit)


@identity_router.post(
    "/identity/aliases",
    summary="Say that two addresses are one person",
    operation_id="join_identities",
    response_model=wire.Joined,
    openapi_extra=needs("leads:write"),
)
async def join_identities(body: wire.JoinBody, call: CurrentCall) -> wire.Joined:
    """For instance a slug and the member token of the same profile. It cannot be taken back.

    From then on duplicates, suppressions and look-ups follow both. Where a campaign has a lead under each, the
    younger stops as a duplicate.
    """
    one, other = _identity("linkedinUrl", body.linkedinUrl), _identity("sameAs", body.sameAs)
    learned = await joining.join(call.connection, call.workspace_id, one, other, call.now)
    canonical = await people.canonical(call.connection, call.workspace_id, [one])
    return wire.Joined(success=True, learned=learned, identityKey=canonical[one].text)


def _identity(field: str, url: str) -> Identity:
    found = linkedin_identity(url)
    if isinstance(found, Identity):
        return found
    raise InvalidRequest.of([Detail(field, found.reason.removeprefix("linkedinUrl "))])
