"""The route of the event feed: a page of it, or the feed as it goes on."""

from typing import Annotated

from fastapi import Header, Query
from starlette.responses import Response

from leadwright.events import service, wire
from leadwright.events.following import EVENT_STREAM, LAST_EVENT_ID, FeedRoute
from leadwright.http.problems import json_answer
from leadwright.http.route import CurrentCall, api_router, needs

router = api_router("events", FeedRoute)

After = Annotated[str, Query(description="Empty for the beginning, then the `nextCursor` of the answer before.")]
Types = Annotated[
    list[str] | None, Query(description="Only these event types: a comma list, or repeated. Without it, all.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="The most events in one answer.")]
LastEventId = Annotated[
    str | None,
    Header(alias=LAST_EVENT_ID, description="Of a stream: the `id` of the last event seen, instead of `after`."),
]
_AS_STREAM = {
    "description": "Events, in order.",
    "content": {
        EVENT_STREAM: {
            "schema": {"type": "string"},
            "example": 'id: AAAAAAAAAAFh3k2v\nevent: lead.updated\ndata: {"eventId":"evt_…"}\n\n',
        }
    },
}


@router.get(
    "/events",
    summary="Read the event feed",
    operation_id="read_events",
    response_model=wire.FeedBody,
    responses={200: _AS_STREAM},
    openapi_extra=needs("events:read"),
)
async def read_events(
    call: CurrentCall, after: After = "", types: Types = None, limit: Limit = 100, last_event_id: LastEventId = None
) -> Response:
    """Every event of the workspace, once, in a fixed order: nothing ever appears behind a cursor.

    Follow the feed by sending each answer's `nextCursor` as the next `after`, at once while `hasMore`.
    The events of one lead are in the order in which they happened. With `Accept: text/event-stream` the answer does
    not end: server-sent events, each with its cursor as `id`, and a sign of life every 15 seconds.
    """
    del last_event_id  # of a stream, which FeedRoute answers
    wanted = wire.read_types(types or [])
    page = await service.feed(call.connection, call.workspace_id, after=after, types=wanted, limit=limit)
    return json_answer(wire.feed(call.workspace_id, page))
