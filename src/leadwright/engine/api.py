"""The routes of deeds, and of what people did."""

from typing import Annotated, Literal

from fastapi import Query

from leadwright import ids
from leadwright.engine import service, wire
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.paging import MOST_ON_A_PAGE
from leadwright.http.route import CurrentCall, api_router, needs

router = api_router("actions")
inbound_router = api_router("inbox")

State = Literal["planned", "performing", "done", "failed", "uncertain", "cancelled"]


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
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="Rows on a page.")] = 50,
    cursor: Annotated[str, Query(description="Empty for the start, then the last page's `nextCursor`.")] = "",
) -> wire.ActionList:
    """Oldest first. Those in `uncertain` wait for somebody who says whether they happened."""
    after = ids.bare(ids.Prefix.ACTION, f"act_{cursor}") if cursor else None
    if cursor and after is None:
        raise InvalidRequest.of([Detail("cursor", "expected nothing or the nextCursor of an earlier answer")])
    found = await service.actions(call.connection, call.workspace_id, state, after=after, limit=limit + 1)
    return wire.action_list(found, limit)


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
