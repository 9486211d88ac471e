"""The route that shows what the server makes of a LinkedIn address."""

from collections.abc import Collection
from dataclasses import replace

from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.identity import Identity, Refusal
from leadwright.people import service, wire
from leadwright.people.service import Resolved
from leadwright.suppression import service as suppression

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
    named = [one.found[0] for one in resolved if not isinstance(one.found, Refusal)]
    erased = await suppression.erased(call.connection, call.workspace_id, named)
    resolved = [_with_erasure(one, erased) for one in resolved]
    return wire.many(resolved) if body.linkedin_urls else wire.single(resolved[0])


def _with_erasure(resolved: Resolved, erased: Collection[Identity]) -> Resolved:
    """A person who was erased is suppressed, though the do-not-contact list shows no entry of theirs."""
    if isinstance(resolved.found, Refusal) or resolved.found[0] not in erased:
        return resolved
    identity, person = resolved.found
    return replace(resolved, found=(identity, replace(person, suppressed=True)))
