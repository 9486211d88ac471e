"""The routes of the do-not-contact list."""

import asyncio
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import Response

from leadwright import ids
from leadwright.http.limits import media_type
from leadwright.http.paging import paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.pages import Page
from leadwright.suppression import files, service, wire
from leadwright.suppression.model import SuppressionKind

router = api_router("suppressions")


@router.post(
    "/suppressions",
    summary="Put on the do-not-contact list",
    operation_id="add_suppressions",
    response_model=wire.AddedBody,
    openapi_extra=needs("suppression:manage"),
)
async def add_suppressions(body: wire.AddSuppressionsBody, call: CurrentCall) -> wire.AddedBody:
    """Adds up to 1,000 persons, e-mail addresses, e-mail domains and companies, for the whole workspace.

    Entries are judged one by one: a bad one does not hold up the others. A lead that any entry matches is
    refused when it is added. A person is matched under every address and key that they are known by.
    """
    done = await service.add(call.connection, call.workspace_id, body.entries, reason=body.reason, now=call.now)
    return wire.added_body(done)


@router.get(
    "/suppressions",
    summary="Read the do-not-contact list",
    operation_id="list_suppressions",
    response_model=wire.SuppressionsBody,
    response_model_exclude_unset=True,
    openapi_extra=needs("suppression:manage"),
)
async def list_suppressions(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    kind: Annotated[SuppressionKind | None, Query(description="Only entries of this kind.")] = None,
) -> wire.SuppressionsBody:
    """Oldest first."""
    listing = await service.list_suppressions(
        call.connection, call.workspace_id, kind, after=page.after, offset=page.offset, limit=page.fetch
    )
    return wire.suppressions_body(page, listing)


@router.post(
    "/suppressions/import",
    summary="Import a do-not-contact list",
    operation_id="import_suppressions",
    response_model=wire.ImportedBody,
    response_model_exclude_none=True,
    openapi_extra=needs("suppression:manage", media=files.MEDIA, requestBody=wire.IMPORT_REQUEST),
)
async def import_suppressions(call: CurrentCall, request: Request) -> wire.ImportedBody:
    """Adds a file of up to 100,000 rows, CSV or JSON lines, and tells of every row what became of it.

    Of a file of more than 5,000 rows only those that are invalid are told, the first 5,000; the numbers count all.

    A CSV file has a first line with the names of its columns: `linkedinUrl`, `email`, `emailDomain`, `company`, of
    which each row fills one, and `reason`. Other columns are left aside, so an exported file can be read again.
    """
    rows = await asyncio.to_thread(service.judged_file, call.body, media_type(request))  # It takes a second or two.
    done = await service.import_rows(call.connection, call.workspace_id, rows, call.now)
    return wire.imported_body(done)


@router.get(
    "/suppressions/export",
    summary="Export the do-not-contact list",
    operation_id="export_suppressions",
    response_class=Response,
    responses={200: wire.EXPORT_ANSWER},
    openapi_extra=needs("suppression:manage"),
)
async def export_suppressions(
    call: CurrentCall,
    form: Annotated[files.Form, Query(alias="format", description="Of the file.")] = files.Form.CSV,
    kind: Annotated[SuppressionKind | None, Query(description="Only entries of this kind.")] = None,
    limit: Annotated[int, Query(ge=1, le=wire.MOST_EXPORTED, description="Rows in one answer.")] = wire.MOST_EXPORTED,
    cursor: Annotated[str, Query(description="Empty for the start, then `X-Next-Cursor` of the part before.")] = "",
) -> Response:
    """The list as a file, oldest first, in parts of up to 10,000 rows: while there is more, `X-Next-Cursor` says where
    to go on. Put together, the parts are one file."""
    after = wire.read_cursor(cursor)
    found = await service.page_of_all(call.connection, call.workspace_id, kind, after=after, limit=limit + 1)
    return wire.export_part(found, form, limit, is_first=after is None)


@router.delete(
    "/suppressions/{suppression_id}",
    summary="Take off the do-not-contact list",
    operation_id="delete_suppression",
    response_model=wire.RemovedBody,
    openapi_extra=needs("suppression:manage"),
)
async def delete_suppression(suppression_id: str, call: CurrentCall) -> wire.RemovedBody:
    """The person may be added again. Leads that were refused before are not added by this."""
    await service.remove(call.connection, call.workspace_id, ids.bare(ids.Prefix.SUPPRESSION, suppression_id))
    return wire.RemovedBody(success=True, id=suppression_id)
