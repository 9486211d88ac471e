"""The route that says what happens next to a lead."""

from leadwright import ids
from leadwright.engine import why_service as service
from leadwright.engine import why_wire as wire
from leadwright.http.route import CurrentCall, api_router, needs

router = api_router("leads")


@router.get(
    "/leads/{lead_id}/why",
    summary="Why a lead stands where it stands",
    operation_id="explain_lead",
    response_model=wire.WhyAnswer,
    openapi_extra=needs("leads:read"),
)
async def explain_lead(lead_id: str, call: CurrentCall) -> wire.WhyAnswer:
    """The next step, when its time comes, and every rule that holds the lead now. Worked out when it is asked.

    Before a lead has a sender, a limit of senders holds it only when all of the campaign's senders are held.
    """
    bare = ids.bare(ids.Prefix.LEAD, lead_id)
    row, found = await service.explain(call.connection, call.workspace_id, bare, call.now)
    return wire.why_body(row, found)
