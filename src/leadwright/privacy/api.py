"""The routes about one person's data."""

from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.privacy import service, wire

router = api_router("privacy")


@router.post(
    "/privacy/erase",
    summary="Erase a person",
    operation_id="erase_person",
    response_model=wire.ErasedBody,
    openapi_extra=needs("privacy:manage"),
)
async def erase_person(body: wire.PersonBody, call: CurrentCall) -> wire.ErasedBody:
    """Removes every personal field, message and custom value that is held of the person, for good.

    By an address it follows every key that the person is known by; by an e-mail address it takes everybody whose
    lead has it. Their leads stop and stay in the counts, events keep their id and place. Only keyed hashes stay,
    so that the person is refused when added again, under any of those keys and addresses.
    """
    done = await service.erase(call.connection, call.workspace_id, **body.named(), now=call.now)
    return wire.erased_body(done)


@router.post(
    "/privacy/export",
    summary="Show all that is held of a person",
    operation_id="export_person",
    response_model=wire.ExportBody,
    openapi_extra=needs("privacy:manage"),
)
async def export_person(body: wire.PersonBody, call: CurrentCall) -> wire.ExportBody:
    """For the person who asks what is held of them, and to see beforehand what an erasure would take."""
    found = await service.export(call.connection, call.workspace_id, **body.named())
    return wire.export_body(found)
