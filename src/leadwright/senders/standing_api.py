"""The routes of what is left of the senders' limits."""

from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.senders import quotas, service, standing_wire

router = api_router("senders")


@router.get(
    "/senders/quotas",
    summary="What is left of the senders' limits",
    operation_id="read_sender_quotas",
    response_model=standing_wire.QuotaList,
    openapi_extra=needs("senders:read"),
)
async def read_quotas(call: CurrentCall) -> standing_wire.QuotaList:
    """For each kind of deed: the limit of today, what was used of it, and what may still be done."""
    found = await service.list_all(call.connection, call.workspace_id, call.edge.secrets)
    standings = await quotas.standing(call.connection, call.workspace_id, found, call.now)
    return standing_wire.quota_list(found, standings)


@router.get(
    "/inbox/senders",
    summary="List senders with today's limits",
    operation_id="list_inbox_senders",
    response_model=standing_wire.InboxSenders,
    openapi_extra=needs("senders:read"),
)
async def list_inbox_senders(call: CurrentCall) -> standing_wire.InboxSenders:
    """All of them, oldest first, and how many messages and invitations each may still send today."""
    found = await service.list_all(call.connection, call.workspace_id, call.edge.secrets)
    standings = await quotas.standing(call.connection, call.workspace_id, found, call.now)
    return standing_wire.inbox_senders(found, standings)
