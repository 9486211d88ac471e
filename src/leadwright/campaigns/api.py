"""The routes of campaigns."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from leadwright.campaigns import service, stats_wire, wire
from leadwright.campaigns.model import Status
from leadwright.http.paging import paged, pagination, paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.outbound.allowed import AllowedHosts
from leadwright.pages import Page

router = api_router("campaigns")

StatusWord = Literal["all", "active", "started", "paused", "draft", "finished"]
_WANTED: dict[str, Status | None] = {
    "all": None,
    "active": Status.STARTED,
    **{status.value: status for status in Status},
}
_MOST_VERSIONS = 2**31 - 1


async def _allowed(request: Request) -> AllowedHosts:
    return AllowedHosts.parse(request.app.state.settings.webhook_allow_hosts)


Allowed = Annotated[AllowedHosts, Depends(_allowed)]


@router.post(
    "/campaigns",
    status_code=201,
    summary="Create a campaign",
    operation_id="create_campaign",
    response_model=wire.CampaignBody,
    openapi_extra=needs("campaigns:write"),
)
async def create_campaign(body: wire.CreateCampaign, call: CurrentCall, allowed: Allowed) -> wire.CampaignBody:
    """Makes a draft. Leads can be added at once; they move when it is started."""
    settings = service.with_good_addresses(body.settings(), None, allowed)
    made = await service.create(call.connection, call.workspace_id, settings, call.now)
    return wire.campaign_body(made)


@router.get(
    "/campaigns",
    summary="List campaigns",
    operation_id="list_campaigns",
    response_model=wire.CampaignList,
    response_model_exclude_unset=True,
    openapi_extra=needs("campaigns:read"),
)
async def list_campaigns(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(20))],
    status: Annotated[StatusWord, Query(description="`active` means `started`.")] = "all",
) -> wire.CampaignList:
    """Campaigns with their totals, oldest first."""
    found, total = await service.page(
        call.connection,
        call.workspace_id,
        status=_WANTED[status],
        after=page.after,
        offset=page.offset,
        limit=page.fetch,
    )
    shown = [wire.campaign_body(overview) for overview in page.shown(found)]
    return paged(page, wire.CampaignList(campaigns=shown, pagination=pagination(page, total)), found)


@router.get(
    "/campaigns/{campaign_id}",
    summary="Read a campaign",
    operation_id="read_campaign",
    response_model=wire.CampaignBody,
    openapi_extra=needs("campaigns:read"),
)
async def read_campaign(campaign_id: str, call: CurrentCall) -> wire.CampaignBody:
    """The campaign with its totals at top level, without an envelope."""
    return wire.campaign_body(await service.read(call.connection, call.workspace_id, service.known_id(campaign_id)))


@router.patch(
    "/campaigns/{campaign_id}",
    summary="Start, pause, resume, finish or edit a campaign",
    operation_id="change_campaign",
    response_model=wire.ActionDone | wire.CampaignBody,
    openapi_extra=needs("campaigns:write"),
)
async def change_campaign(
    campaign_id: str, body: wire.ChangeCampaign, call: CurrentCall, allowed: Allowed
) -> wire.ActionDone | wire.CampaignBody:
    """Takes an `action` and answers what came of it, or the fields to set and answers the campaign.

    `start` needs a draft, `pause` a started campaign, `resume` a paused one, `finish` one of the two. Every
    lead keeps its place while the campaign is paused. Fields can be set in every status; only a draft may have a
    sequence without steps.
    """
    known = service.known_id(campaign_id)
    action = body.wanted_action()
    if action is None:
        edited = await service.edit(
            call.connection,
            call.workspace_id,
            known,
            lambda present: service.with_good_addresses(body.apply(present), present, allowed),
            call.now,
        )
        return wire.campaign_body(edited)
    status = await service.act(call.connection, call.workspace_id, known, action, call.now)
    return wire.ActionDone.of(campaign_id, action, status)


@router.get(
    "/campaigns/{campaign_id}/sequence",
    summary="Read a version of a campaign's sequence",
    operation_id="read_campaign_sequence",
    response_model=wire.SequenceVersionBody,
    openapi_extra=needs("campaigns:read"),
)
async def read_sequence(
    campaign_id: str,
    call: CurrentCall,
    version: Annotated[int | None, Query(ge=1, le=_MOST_VERSIONS, description="Left out: the current one.")] = None,
) -> wire.SequenceVersionBody:
    """The sequence as it was saved: each deed at `GET /v1/actions` names the version it was planned by."""
    known = service.known_id(campaign_id)
    found = await service.sequence_version(call.connection, call.workspace_id, known, version)
    return wire.SequenceVersionBody.of(known, found)


@router.put(
    "/campaigns/{campaign_id}/sequence",
    summary="Replace a campaign's sequence",
    operation_id="replace_campaign_sequence",
    response_model=wire.CampaignBody,
    openapi_extra=needs("campaigns:write"),
)
async def replace_sequence(
    campaign_id: str, body: wire.SequenceBody, call: CurrentCall, allowed: Allowed
) -> wire.CampaignBody:
    """Stores a new version when the sequence differs. Leads on their way keep their step by its id.

    Only a draft may have a sequence without steps: finish a campaign to end it.
    """
    edited = await service.edit(
        call.connection,
        call.workspace_id,
        service.known_id(campaign_id),
        lambda present: service.with_good_addresses(replace(present, sequence=body.root), present, allowed),
        call.now,
    )
    return wire.campaign_body(edited)


@router.get(
    "/campaigns/{campaign_id}/stats",
    summary="Read a campaign's statistics",
    operation_id="campaign_stats",
    response_model=stats_wire.StatsBody,
    openapi_extra=needs("campaigns:read"),
)
async def campaign_stats(campaign_id: str, call: CurrentCall) -> stats_wire.StatsBody:
    """What the campaign has come to: the funnel, and the same counts by step, variant, sender and day.

    From counters that are kept as things happen, exact at this moment, as fast for ten million leads as for ten.
    """
    known = service.known_id(campaign_id)
    overview = await service.read(call.connection, call.workspace_id, known)
    counted = await service.statistics(call.connection, call.workspace_id, known)
    return stats_wire.stats_body(overview.campaign, counted)


@router.delete(
    "/campaigns/{campaign_id}",
    summary="Delete a campaign and its leads",
    operation_id="delete_campaign",
    response_model=wire.Deleted,
    openapi_extra=needs("campaigns:write"),
)
async def delete_campaign(campaign_id: str, call: CurrentCall) -> wire.Deleted:
    """Removes the campaign in whatever status, with its leads and their history; its public events stay."""
    await service.delete(call.connection, call.workspace_id, service.known_id(campaign_id))
    return wire.Deleted(campaign_id=campaign_id)
