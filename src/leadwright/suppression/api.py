"""The routes of the do-not-contact list."""

from typing import Annotated

from fastapi import Depends, Query

from leadwright import ids
from leadwright.http.paging import paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.pages import Page
from leadwright.suppression import service, wire
from leadwright.suppression.model import SuppressionKind

router = api_router("suppressions")


@router.post(
    "/suppressions",
    summary="Put on the do-not-contact list",
    operation_id="add_suppressions",
    response_model=wire.AddedBody,
    openapi_extra=needs("suppression:manage"),
)
async def add_suppressions(body: wire.AddSuppressionsBody, call: CurrentCall) -> wire.AddedBody:
    """Adds up to 1,000 persons, e-mail addresses, e-mail domains and companies, for the whole workspace.

    Entries are judged one by one: a bad one does not hold up the others. A lead that any entry matches is
    refused when it is added. A person is matched under every address and key that they are known by.
    """
    done = await service.add(call.connection, call.workspace_id, body.entries, reason=body.reason, now=call.now)
    return wire.added_body(done)


@router.get(
    "/suppressions",
    summary="Read the do-not-contact list",
    operation_id="list_suppressions",
    response_model=wire.SuppressionsBody,
    response_model_exclude_unset=True,
    openapi_extra=needs("suppression:manage"),
)
async def list_suppressions(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    kind: Annotated[SuppressionKind | None, Query(description="Only entries of this kind.")] = None,
) -> wire.SuppressionsBody:
    """Oldest first."""
    listing = await service.list_suppressions(
        call.connection, call.workspace_id, kind, after=page.after, offset=page.offset, limit=page.fetch
    )
    return wire.suppressions_body(page, listing)


@router.delete(
    "/suppressions/{suppression_id}",
    summary="Take off the do-not-contact list",
    operation_id="delete_suppression",
    response_model=wire.RemovedBody,
    openapi_extra=needs("suppression:manage"),
)
async def delete_suppression(suppression_id: str, call: CurrentCall) -> wire.RemovedBody:
    """The person may be added again. Leads that were refused before are not added by this."""
    await service.remove(call.connection, call.workspace_id, ids.bare(ids.Prefix.SUPPRESSION, suppression_id))
    return wire.RemovedBody(success=True, id=suppression_id)
