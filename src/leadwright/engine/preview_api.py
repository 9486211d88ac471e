"""The routes that look at a campaign before it runs."""

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.engine import preview_service as service
from leadwright.engine import preview_wire as wire
from leadwright.engine.preview_service import Person
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.route import Call, CurrentCall, api_router, needs
from leadwright.identity import Identity, linkedin_identity

router = api_router("campaigns")


@router.post(
    "/campaigns/{campaign_id}/preview",
    summary="Preview a campaign for one lead",
    operation_id="preview_campaign",
    response_model=wire.PreviewAnswer,
    openapi_extra=needs("campaigns:read"),
)
async def preview_campaign(campaign_id: str, body: wire.PreviewBody, call: CurrentCall) -> wire.PreviewAnswer:
    """Renders every step, also those that the lead may never come to. Nothing is stored, and nothing goes out.

    What is missing or too long is told, not refused.
    """
    known = campaigns.known_id(campaign_id)
    person = await _person(call, known, body)
    found = await service.preview_for(call.connection, call.workspace_id, known, person, _sender_id(body))
    return wire.preview_body(campaign_id, found)


async def _person(call: Call, campaign_id: str, body: wire.PreviewBody) -> Person:
    await campaigns.read(call.connection, call.workspace_id, campaign_id)
    if body.lead_id is not None:
        lead_id = ids.bare(ids.Prefix.LEAD, body.lead_id)
        return await service.lead_of(call.connection, call.workspace_id, campaign_id, lead_id)
    if body.linkedin_url is None:
        return service.stranger(body.new_lead())
    identity = linkedin_identity(body.linkedin_url)
    if not isinstance(identity, Identity):
        raise InvalidRequest.of([Detail("linkedinUrl", identity.reason.removeprefix("linkedinUrl "))])
    return await service.lead_at(call.connection, call.workspace_id, campaign_id, identity)


def _sender_id(body: wire.PreviewBody) -> str | None:
    """Raises InvalidRequest for what is no sender's id."""
    if body.sender_id is None:
        return None
    found = ids.bare(ids.Prefix.SENDER, body.sender_id)
    if found is None:
        raise campaigns.sender_not_found("senderId")
    return found


@router.post(
    "/campaigns/{campaign_id}/validate",
    summary="Validate a campaign",
    operation_id="validate_campaign",
    response_model=wire.ValidationAnswer,
    openapi_extra=needs("campaigns:read"),
)
async def validate_campaign(campaign_id: str, call: CurrentCall) -> wire.ValidationAnswer:
    """Says whether the campaign can work, and which fields its leads lack at which step. Changes nothing.

    A lead that lacks a field is held at the step, or skips it, as `missingVariable` says.
    """
    found = await service.validate(call.connection, call.workspace_id, campaigns.known_id(campaign_id))
    return wire.validation_body(campaign_id, found)
