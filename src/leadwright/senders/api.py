"""The routes of senders."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from leadwright import ids
from leadwright.http.paging import paged, pagination, paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.outbound.allowed import AllowedHosts
from leadwright.pages import Page
from leadwright.senders import service, wire

router = api_router("senders")


async def _keeping(request: Request) -> service.Keeping:
    allowed = AllowedHosts.parse(request.app.state.settings.webhook_allow_hosts)
    return service.Keeping(request.app.state.edge.secrets, allowed)


Keeping = Annotated[service.Keeping, Depends(_keeping)]


@router.post(
    "/senders",
    status_code=201,
    summary="Create a sender",
    operation_id="create_sender",
    response_model=wire.SenderMade,
    openapi_extra=needs("senders:write"),
)
async def create_sender(body: wire.CreateSender, call: CurrentCall, keeping: Keeping) -> wire.SenderMade:
    """An account on whose behalf leads are approached, with its channel and what it may do when.

    Two senders cannot share a channel and a LinkedIn identity: one account has one set of limits.
    """
    made = await service.create(call.connection, call.workspace_id, keeping, body.settings(call.now), call.now)
    return wire.sender_made(made)


@router.get(
    "/senders",
    summary="List senders",
    operation_id="list_senders",
    response_model=wire.SenderList,
    response_model_exclude_unset=True,
    openapi_extra=needs("senders:read"),
)
async def list_senders(
    call: CurrentCall, keeping: Keeping, page: Annotated[Page, Depends(paging(50))]
) -> wire.SenderList:
    """Oldest first, without those that were removed."""
    found, total = await service.page(
        call.connection,
        call.workspace_id,
        keeping.secrets,
        after=page.after,
        offset=page.offset,
        limit=page.fetch,
    )
    shown = [wire.sender_body(sender) for sender in page.shown(found)]
    return paged(page, wire.SenderList(senders=shown, pagination=pagination(page, total)), found)


@router.get(
    "/senders/{sender_id}",
    summary="Read a sender",
    operation_id="read_sender",
    response_model=wire.SenderBody,
    openapi_extra=needs("senders:read"),
)
async def read_sender(sender_id: str, call: CurrentCall, keeping: Keeping) -> wire.SenderBody:
    """The sender at top level, its secrets masked."""
    found = await service.read(call.connection, call.workspace_id, keeping.secrets, _bare(sender_id))
    return wire.sender_body(found)


@router.patch(
    "/senders/{sender_id}",
    summary="Edit, disconnect or reconnect a sender",
    operation_id="change_sender",
    response_model=wire.SenderMade,
    openapi_extra=needs("senders:write"),
)
async def change_sender(
    sender_id: str, body: wire.ChangeSender, call: CurrentCall, keeping: Keeping
) -> wire.SenderMade:
    """Sets what is sent. A secret that comes back masked stays as it is."""
    made = await service.edit(
        call.connection, call.workspace_id, keeping, _bare(sender_id), body.change(call.now), call.now
    )
    return wire.sender_made(made)


@router.delete(
    "/senders/{sender_id}",
    summary="Remove a sender",
    operation_id="remove_sender",
    response_model=wire.SenderRemoved,
    openapi_extra=needs("senders:write"),
)
async def remove_sender(sender_id: str, call: CurrentCall, keeping: Keeping) -> wire.SenderRemoved:
    """It does nothing more. Its conversations stay; leads that it has not contacted get another sender."""
    await service.remove(call.connection, call.workspace_id, keeping, _bare(sender_id), call.now)
    return wire.SenderRemoved(id=sender_id)


def _bare(sender_id: str) -> str | None:
    return ids.bare(ids.Prefix.SENDER, sender_id)
