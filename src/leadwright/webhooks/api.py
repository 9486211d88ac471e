"""The routes of webhook endpoints."""

from typing import Annotated

from fastapi import Body, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from leadwright import ids
from leadwright.events.model import EventType
from leadwright.http.paging import paging
from leadwright.http.problems import json_answer
from leadwright.http.route import Call, CurrentCall, api_router, needs
from leadwright.ids import Prefix
from leadwright.outbound.allowed import AllowedHosts
from leadwright.pages import Page
from leadwright.webhooks import service, wire
from leadwright.webhooks.model import DeliveryStatus

router = api_router("webhooks")
_MANAGE = needs("webhooks:manage")


async def _endpoints(request: Request) -> service.Endpoints:
    settings = request.app.state.settings
    return service.Endpoints(request.app.state.edge.secrets, AllowedHosts.parse(settings.webhook_allow_hosts))


Endpoints = Annotated[service.Endpoints, Depends(_endpoints)]


@router.post(
    "/webhooks",
    status_code=201,
    summary="Create a webhook",
    operation_id="create_webhook",
    response_model=wire.WebhookMade,
    openapi_extra=_MANAGE,
)
async def create_webhook(body: wire.CreateWebhook, call: CurrentCall, endpoints: Endpoints) -> wire.WebhookMade:
    """From now on the endpoint gets each event that it asks for, at least once, in order per lead.

    `secret` verifies them and is shown this once.
    """
    made = await service.create(call.connection, call.workspace_id, endpoints, body.settings(), call.now)
    return wire.webhook_made(*made)


@router.get(
    "/webhooks",
    summary="List webhooks",
    operation_id="list_webhooks",
    response_model=wire.WebhookList,
    openapi_extra=_MANAGE,
)
async def list_webhooks(call: CurrentCall, endpoints: Endpoints) -> wire.WebhookList:
    """All of them, oldest first, and how each is doing."""
    found = await service.list_webhooks(call.connection, call.workspace_id, endpoints)
    return wire.WebhookList(webhooks=[wire.webhook_body(each) for each in found], total=len(found))


@router.get(
    "/webhooks/{webhook_id}",
    summary="Read a webhook",
    operation_id="read_webhook",
    response_model=wire.WebhookBody,
    openapi_extra=_MANAGE,
)
async def read_webhook(webhook_id: str, call: CurrentCall, endpoints: Endpoints) -> wire.WebhookBody:
    """The endpoint and how it is doing."""
    return wire.webhook_body(await service.read(call.connection, call.workspace_id, endpoints, _bare(webhook_id)))


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Edit a webhook",
    operation_id="change_webhook",
    response_model=wire.WebhookBody,
    openapi_extra=_MANAGE,
)
async def change_webhook(
    webhook_id: str, body: wire.ChangeWebhook, call: CurrentCall, endpoints: Endpoints
) -> wire.WebhookBody:
    """Events that were recorded before keep the name that they were given. `enabled: true` also resumes a pause."""
    bare = _bare(webhook_id)
    edited = await service.edit(call.connection, call.workspace_id, endpoints, bare, body.apply, call.now)
    return wire.webhook_body(edited)


@router.delete(
    "/webhooks/{webhook_id}",
    summary="Delete a webhook",
    operation_id="delete_webhook",
    response_model=wire.WebhookDeleted,
    openapi_extra=_MANAGE,
)
async def delete_webhook(webhook_id: str, call: CurrentCall) -> wire.WebhookDeleted:
    """With what waits for it and with its log."""
    await service.delete(call.connection, call.workspace_id, _bare(webhook_id))
    return wire.WebhookDeleted(success=True, id=webhook_id)


@router.post(
    "/webhooks/{webhook_id}/enable",
    summary="Enable or resume a webhook",
    operation_id="enable_webhook",
    response_model=wire.WebhookBody,
    openapi_extra=_MANAGE,
)
async def enable_webhook(webhook_id: str, call: CurrentCall, endpoints: Endpoints) -> wire.WebhookBody:
    """Whatever stopped it, what waits goes out in order."""
    bare = _bare(webhook_id)
    return wire.webhook_body(await service.enable(call.connection, call.workspace_id, endpoints, bare, call.now))


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    summary="Rotate a webhook's secret",
    operation_id="rotate_webhook_secret",
    response_model=wire.WebhookMade,
    openapi_extra=_MANAGE,
)
async def rotate_secret(webhook_id: str, call: CurrentCall, endpoints: Endpoints) -> wire.WebhookMade:
    """The old secret works for 24 hours more."""
    bare = _bare(webhook_id)
    return wire.webhook_made(
        *await service.rotate_secret(call.connection, call.workspace_id, endpoints, bare, call.now)
    )


@router.post(
    "/webhooks/{webhook_id}/test",
    summary="Send a test event",
    operation_id="test_webhook",
    response_model=wire.TestedBody,
    openapi_extra=_MANAGE,
)
async def send_test_event(
    webhook_id: str,
    call: CurrentCall,
    endpoints: Endpoints,
    body: Annotated[wire.TestBody | None, Body()] = None,
) -> Response:
    """Sends a made-up event of any type at once, signed like every other, and answers what came of it."""
    event_type = body.event_type() if body else EventType.LEAD_UPDATED
    test = await service.plan_test(
        call.connection, call.workspace_id, endpoints, _bare(webhook_id), event_type, call.now
    )
    call.deeds.append(lambda: _perform(call, test))
    return json_answer(wire.test_planned_body(test))


async def _perform(call: Call, test: service.Test) -> Response:
    edge = call.edge
    return json_answer(
        wire.tested_body(test, await service.perform_test(edge.database, edge.outbound, edge.clock, test))
    )


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    summary="Read the log of deliveries",
    operation_id="list_deliveries",
    response_model=wire.DeliveryList,
    openapi_extra=_MANAGE,
)
async def list_deliveries(
    webhook_id: str,
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    status: Annotated[DeliveryStatus | None, Query(description="Only these.")] = None,
) -> wire.DeliveryList:
    """The newest first, each with all its attempts."""
    found = await service.deliveries(
        call.connection, call.workspace_id, _bare(webhook_id), status=status, before=page.after, limit=page.limit + 1
    )
    return wire.delivery_list(found, page.limit)


@router.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}",
    summary="Read a delivery",
    operation_id="read_delivery",
    response_model=wire.DeliveryBody,
    openapi_extra=_MANAGE,
)
async def read_delivery(webhook_id: str, delivery_id: str, call: CurrentCall) -> wire.DeliveryBody:
    """One delivery with all its attempts."""
    delivery = ids.bare(Prefix.DELIVERY, delivery_id)
    return wire.delivery_body(
        await service.read_delivery(call.connection, call.workspace_id, _bare(webhook_id), delivery)
    )


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send a delivery again",
    operation_id="redeliver",
    response_model=wire.DeliveryBody,
    openapi_extra=_MANAGE,
)
async def redeliver(webhook_id: str, delivery_id: str, call: CurrentCall) -> wire.DeliveryBody:
    """The same event with the same bytes, with all its retries. One that is still pending stays so."""
    delivery = ids.bare(Prefix.DELIVERY, delivery_id)
    return wire.delivery_body(
        await service.redeliver(call.connection, call.workspace_id, _bare(webhook_id), delivery, call.now)
    )


@router.post(
    "/webhooks/{webhook_id}/redeliver",
    status_code=202,
    summary="Send many deliveries again",
    operation_id="redeliver_many",
    response_model=wire.Redelivered,
    openapi_extra=_MANAGE,
)
async def redeliver_many(
    webhook_id: str, call: CurrentCall, body: Annotated[wire.RedeliverBody | None, Body()] = None
) -> wire.Redelivered:
    """Finished deliveries of a status, of a time range, or all: the oldest first, 1,000 a request.

    While the answer has a `nextCursor`, ask again with it as `cursor`.
    """
    wanted = body or wire.RedeliverBody.model_validate({})
    again = await service.redeliver_range(
        call.connection,
        call.workspace_id,
        _bare(webhook_id),
        status=DeliveryStatus(wanted.status) if wanted.status else None,
        since=wanted.since,
        until=wanted.until,
        after=wanted.cursor,
        now=call.now,
    )
    return wire.redelivered_body(again)


def _bare(webhook_id: str) -> str | None:
    return ids.bare(Prefix.WEBHOOK, webhook_id)
