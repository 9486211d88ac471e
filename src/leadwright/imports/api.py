"""The routes of import records."""

from typing import Annotated

from fastapi import Depends, Query

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.http.paging import paged, pagination, paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.imports import service, wire
from leadwright.pages import Page

router = api_router("imports")


@router.get(
    "/imports",
    summary="List imports",
    operation_id="list_imports",
    response_model=wire.ImportsBody,
    response_model_exclude_unset=True,
    openapi_extra=needs("leads:read"),
)
async def list_imports(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(20))],
    campaign_id: Annotated[str | None, Query(alias="campaignId", description="Only this campaign's.")] = None,
) -> wire.ImportsBody:
    """Each add call leaves a record: how many rows came, and what became of them. Oldest first."""
    campaign = None if campaign_id is None else campaigns.known_id(campaign_id)
    fetched, total = await service.page(call.connection, call.workspace_id, campaign, page)
    body = wire.ImportsBody(
        imports=[wire.import_body(found) for found in page.shown(fetched)], pagination=pagination(page, total)
    )
    return paged(page, body, fetched)


@router.get(
    "/imports/{import_id}",
    summary="Read an import",
    operation_id="read_import",
    response_model=wire.ImportDetailBody,
    openapi_extra=needs("leads:read"),
)
async def read_import(import_id: str, call: CurrentCall) -> wire.ImportDetailBody:
    """The counters of one add call, and an outcome for every row that was not added."""
    found, outcomes = await service.read(call.connection, call.workspace_id, ids.bare(ids.Prefix.IMPORT, import_id))
    return wire.detail_body(found, outcomes)
