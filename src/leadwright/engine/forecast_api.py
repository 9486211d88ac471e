"""The route that says when a campaign will do what."""

import asyncio
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from leadwright.campaigns import service as campaigns
from leadwright.engine import forecast_service as service
from leadwright.engine import forecast_wire as wire
from leadwright.engine.forecast_service import Assumed
from leadwright.http.problems import json_answer
from leadwright.http.route import CurrentCall, api_router, needs

MOST_DAYS = 365

router = api_router("campaigns")


@router.get(
    "/campaigns/{campaign_id}/forecast",
    summary="Forecast a campaign",
    operation_id="forecast_campaign",
    response_model=wire.ForecastAnswer,
    openapi_extra=needs("campaigns:read"),
)
async def forecast_campaign(
    campaign_id: str,
    call: CurrentCall,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days, today among them.")] = 90,
    accept_rate: Annotated[
        float | None,
        Query(
            alias="acceptRate",
            ge=0,
            le=1,
            description="Else the campaign's own from 30 invitations on, else what its simulator senders' `config` "
            "says, else 0.35.",
        ),
    ] = None,
    reply_rate: Annotated[
        float | None,
        Query(
            alias="replyRate",
            ge=0,
            le=1,
            description="Of those who get a message; else what its simulator senders' `config` says, else 0.1.",
        ),
    ] = None,
) -> Response:
    """When its first and last touch will be, how many on which day, what limits them, and what one more sender would
    change.

    The engine's own rules run on a virtual clock with virtual quotas; only how many accept and reply is assumed. Leads
    that are alike are followed together, to the half hour. A campaign that is not running is followed as if it were
    started now, with the leads that it has now.
    """
    assumed = Assumed(accept_rate, reply_rate)
    prospect = await service.prospect(
        call.connection,
        lambda: call.edge.secrets,
        call.workspace_id,
        campaigns.known_id(campaign_id),
        days,
        assumed,
        call.now,
    )

    async def foresee() -> Response:
        """After the transaction, and beside the event loop: others are answered meanwhile."""
        foreseen = await asyncio.to_thread(service.foresee, prospect)
        return json_answer(wire.forecast_body(foreseen).model_dump(mode="json", by_alias=True))

    call.deeds.append(foresee)
    return Response(status_code=200)
