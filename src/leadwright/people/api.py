"""The route that shows what the server makes of a LinkedIn address."""

from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.people import service, wire

router = api_router("identity")


@router.post(
    "/identity/resolve",
    summary="Who do LinkedIn addresses name",
    operation_id="resolve_identity",
    response_model=wire.SingleResolvedBody | wire.ManyResolvedBody,
    openapi_extra=needs("leads:read"),
)
async def resolve_identity(
    body: wire.ResolveBody, call: CurrentCall
) -> wire.SingleResolvedBody | wire.ManyResolvedBody:
    """Reads one address or up to 100 as adding leads would; changes nothing.

    Tells the identity key of each, the person's canonical key with learned aliases followed, and whether the
    person is suppressed as a person (not by e-mail or company, which an address does not tell).
    """
    urls = body.linkedin_urls or [body.linkedin_url]
    resolved = await service.resolve(call.connection, call.workspace_id, urls)
    return wire.many(resolved) if body.linkedin_urls else wire.single(resolved[0])
