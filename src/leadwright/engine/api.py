"""The routes of deeds, and of what people did."""

from typing import Annotated, Literal

from fastapi import Query

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.engine import service, wire
from leadwright.engine.showing_store import Wanted
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.paging import MOST_ON_A_PAGE
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.leads import service as leads

router = api_router("actions")
inbound_router = api_router("inbox")

State = Literal["planned", "performing", "done", "failed", "uncertain", "cancelled", "all"]


@router.get(
    "/actions",
    summary="List deeds",
    operation_id="list_actions",
    response_model=wire.ActionList,
    openapi_extra=needs("inbox:read"),
)
async def list_actions(
    call: CurrentCall,
    state: Annotated[State | None, Query(description="Left out: those that are not over.")] = None,
    lead_id: Annotated[str | None, Query(alias="leadId", description="Only deeds of this lead.")] = None,
    campaign_id: Annotated[
        str | None,
        Query(
            alias="campaignId",
            description="Only deeds of this campaign: those that are not over, or with `leadId` in every state.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="Rows on a page.")] = 50,
    cursor: Annotated[str, Query(description="Empty for the start, then the last page's `nextCursor`.")] = "",
) -> wire.ActionList:
    """Oldest first. The channel of an `uncertain` one is asked at `askedAgainAt`; null: a person resolves it."""
    after = ids.bare(ids.Prefix.ACTION, f"act_{cursor}") if cursor else None
    if cursor and after is None:
        raise InvalidRequest.of([Detail("cursor", "expected nothing or the nextCursor of an earlier answer")])
    campaign = None if campaign_id is None else campaigns.known_id(campaign_id)
    wanted = Wanted(state, _lead(lead_id), campaign)
    found = await service.actions(call.connection, call.workspace_id, wanted, after=after, limit=limit + 1)
    return wire.action_list(found, limit)


def _lead(public_id: str | None) -> str | None:
    bare = ids.bare(ids.Prefix.LEAD, public_id)
    if public_id is not None and bare is None:
        raise leads.not_found()
    return bare


@router.post(
    "/actions/{action_id}/resolve",
    summary="Say whether an uncertain deed happened",
    operation_id="resolve_action",
    response_model=wire.ActionBody,
    openapi_extra=needs("inbox:send"),
)
async def resolve_action(action_id: str, body: wire.ResolveAction, call: CurrentCall) -> wire.ActionBody:
    """`done` lets its lead go on; with `not_done` the deed is planned anew, and its quota is given back."""
    bare = ids.bare(ids.Prefix.ACTION, action_id)
    done = await service.decide(call.connection, call.workspace_id, bare, body.read(), call.now, states=("uncertain",))
    return wire.action_body(done)


@router.post(
    "/actions/{action_id}/outcome",
    summary="Tell what became of a deed",
    operation_id="report_outcome",
    response_model=wire.ActionBody,
    openapi_extra=needs("inbox:send"),
)
async def report_outcome(action_id: str, body: wire.ReportOutcome, call: CurrentCall) -> wire.ActionBody:
    """For whoever performs deeds of the http channel, and answered that this one was accepted.

    `done` is believed also of a deed that was given up meanwhile: it is recorded, and not done again.
    """
    bare = ids.bare(ids.Prefix.ACTION, action_id)
    return wire.action_body(await service.report(call.connection, call.workspace_id, bare, body.read(), call.now))


@inbound_router.post(
    "/inbox/inbound",
    summary="Tell what a person did",
    operation_id="receive_inbound",
    response_model=wire.InboundDone,
    openapi_extra=needs("inbox:send"),
)
async def receive_inbound(body: wire.InboundBody, call: CurrentCall) -> wire.InboundDone:
    """An acceptance or a reply, told late, twice or out of order. A reply stops the person's active leads at once.

    With an `externalId` the second telling changes nothing; a second acceptance never does.
    """
    sender_id = ids.bare(ids.Prefix.SENDER, body.sender_id)
    if sender_id is None:
        raise service.sender_not_found()
    received = await service.receive(call.connection, call.workspace_id, sender_id, body.fact(call.now), call.now)
    return wire.InboundDone.of(received)
