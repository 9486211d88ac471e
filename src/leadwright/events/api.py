"""The route of the event feed."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from leadwright.events import service, wire
from leadwright.http.problems import json_answer
from leadwright.http.route import CurrentCall, api_router, needs

router = api_router("events")

After = Annotated[str, Query(description="Empty for the beginning, then the `nextCursor` of the answer before.")]
Types = Annotated[
    list[str] | None, Query(description="Only these event types: a comma list, or repeated. Without it, all.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="The most events in one answer.")]


@router.get(
    "/events",
    summary="Read the event feed",
    operation_id="read_events",
    response_model=wire.FeedBody,
    openapi_extra=needs("events:read"),
)
async def read_events(call: CurrentCall, after: After = "", types: Types = None, limit: Limit = 100) -> Response:
    """Every event of the workspace, once, in a fixed order: nothing ever appears behind a cursor.

    Follow the feed by sending each answer's `nextCursor` as the next `after`, at once while `hasMore`.
    The events of one lead are in the order in which they happened.
    """
    wanted = wire.read_types(types or [])
    page = await service.feed(call.connection, call.workspace_id, after=after, types=wanted, limit=limit)
    return json_answer(wire.feed(call.workspace_id, page))
