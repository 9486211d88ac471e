"""The routes that send a message or an invitation while the caller waits."""

from functools import partial

from starlette.responses import Response

from leadwright.channels.registry import Channels
from leadwright.engine import one_off
from leadwright.engine import one_off_faults as faults
from leadwright.engine.one_off import Told, Wanted
from leadwright.engine.performing import Begun
from leadwright.http.route import Call, CurrentCall, DeedRoute, api_router, needs
from leadwright.inbox import sending_wire as wire
from leadwright.inbox.model import Relationship

router = api_router("inbox", DeedRoute)

_ACCEPTED = (
    "It happens later, or nobody knows yet whether it has: see `status`. A retry with the same `Idempotency-Key` tells "
    "what has become of it, and never does it twice."
)


@router.post(
    "/inbox/send",
    summary="Send a message",
    operation_id="send_message",
    response_model=wire.SentBody,
    responses={202: {"model": wire.SentBody, "description": _ACCEPTED}},
    openapi_extra=needs("inbox:send"),
)
async def send_message(body: wire.SendBody, call: CurrentCall) -> Response:
    """Writes to somebody who is connected to the sender.

    It counts against the sender's message limits and obeys the do-not-contact list. The sender's working hours do not
    bind it. Give an `Idempotency-Key`: after a lost answer the same request then tells what has become of the message
    instead of sending it again.
    """
    return await _do(call, body.wanted())


@router.post(
    "/inbox/send/lead/{lead_id}",
    summary="Send a message to a lead",
    operation_id="send_message_to_lead",
    response_model=wire.SentBody,
    responses={202: {"model": wire.SentBody, "description": _ACCEPTED}},
    openapi_extra=needs("inbox:send"),
)
async def send_message_to_lead(lead_id: str, body: wire.SendToLeadBody, call: CurrentCall) -> Response:
    """As sending a message, with the variables in it rendered from the lead.

    A field that the lead lacks and that has no fallback is refused: nobody is sent a hole.
    """
    return await _do(call, body.wanted(lead_id))


@router.post(
    "/inbox/connect",
    summary="Invite somebody to connect",
    operation_id="send_connection_request",
    response_model=wire.InvitedBody,
    responses={202: {"model": wire.InvitedBody, "description": _ACCEPTED}},
    openapi_extra=needs("inbox:send"),
)
async def send_connection_request(body: wire.ConnectBody, call: CurrentCall) -> Response:
    """Sends an invitation, with a note or without; of somebody who is connected, or was invited, it is only said so.
    Of one whom another request or a campaign is inviting just now it tells that invitation's state.

    It counts against the sender's connection limits and obeys the do-not-contact list.
    """
    return await _do(call, body.wanted())


async def _do(call: Call, wanted: Wanted) -> Response:
    """Plans the deed and leaves it to be done after the commit; or tells what has become of an earlier attempt."""
    earlier = None
    if call.earlier is not None:
        action_id = wire.action_in(call.earlier)
        earlier = action_id and await one_off.told(call.connection, call.workspace_id, action_id)
        if not earlier:
            return call.earlier
        if earlier.state != "cancelled":
            return wire.answer(earlier, replayed=True)
    again = earlier if earlier and not earlier.is_step else None
    begun = await one_off.begin(call.connection, call.edge.secrets, call.workspace_id, wanted, call.now, again=again)
    if isinstance(begun, Relationship):
        return wire.not_invited(wanted.linkedin_url or "", begun, call.now)
    if isinstance(begun, Told):
        return wire.answer(begun)
    call.deeds.append(partial(_perform, call, begun))
    told = await one_off.told(call.connection, call.workspace_id, begun.action.id)
    assert told is not None
    return wire.answer(told)


async def _perform(call: Call, begun: Begun) -> Response:
    """Raises what the caller is told of a deed that did not happen."""
    edge = call.edge
    outcome = await one_off.perform(edge.database, Channels(edge.database, edge.outbound), begun, edge.clock)
    async with edge.database.session() as connection:
        told = await one_off.told(connection, call.workspace_id, begun.action.id)
    assert told is not None
    if told.state == "cancelled":
        raise faults.passing(outcome)
    return wire.answer(told)
