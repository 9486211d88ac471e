"""The feed as server-sent events: a request that goes on until its caller, its key or this process ends."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from leadwright.accounts.model import Principal
from leadwright.errors import LeadwrightError, Unavailable
from leadwright.events import service, wire
from leadwright.events.model import EventType
from leadwright.events.service import FeedPage
from leadwright.http.auth import invalid_key
from leadwright.http.route import SCOPE_MARK, Edge, Handler, TransactionalRoute, admit, check_query, query_names
from leadwright.postgres.pool import Database, passing_fault

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = "Last-Event-ID"
MOST_STREAMS = 200
"""Streams of one process at a time."""
EVENTS_A_READ = 100
LOOK_EVERY_SECONDS = 1.0
"""Another process may be the one that publishes, and its bell is not heard here."""
SIGN_OF_LIFE_SECONDS = 15.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: for all of one key that stand there one look is enough."""

    database: Database
    key_id: str
    types: tuple[EventType, ...]
    after: str


class Looks:
    """What was seen at each place since the bell rang last, and within the second: asked once, told to all."""

    def __init__(self) -> None:
        self._since: tuple[asyncio.Event, int] | None = None
        self._pages: dict[Place, asyncio.Task[FeedPage]] = {}

    async def at(
        self, place: Place, since: tuple[asyncio.Event, int], look: Callable[[], Coroutine[None, None, FeedPage]]
    ) -> FeedPage:
        """``since``: the ring that comes next, taken before the look, and the second; with another it looks anew."""
        if since != self._since:
            self._since, self._pages = since, {}
        page = self._pages.get(place)
        if page is None:
            page = self._pages[place] = asyncio.get_running_loop().create_task(look())
        return await asyncio.shield(page)


class FeedRoute(TransactionalRoute):
    """Answers those who accept ``text/event-stream`` with a stream, and everybody else as every route does.

    A stream holds no transaction and no connection to the database: each look is a short transaction of its own, in
    which the key is asked for again, so that a revocation ends it.
    """

    _streams = 0
    looks = Looks()

    def get_route_handler(self) -> Handler:
        paged = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await self._stream(request) if _wants_stream(request) else await paged(request)

        return handle

    async def _stream(self, request: Request) -> Response:
        """Raises what refuses the request; a fault that comes later ends the stream, and the caller resumes."""
        edge: Edge = request.app.state.edge
        now = edge.clock()
        principal = await admit(request, edge, str((self.openapi_extra or {})[SCOPE_MARK]), now)
        check_query(request, query_names(self.dependant), once=False)
        after = request.headers.get(LAST_EVENT_ID) or request.query_params.get("after", "")
        types = wire.read_types(request.query_params.getlist("types"))
        if FeedRoute._streams >= MOST_STREAMS:
            raise Unavailable("Too many streams are open", retry_after=30, code="too_many_streams")
        following = _Following(self, edge, principal, types, after)
        first = await following.look()
        edge.authenticator.note_use(principal, now)
        return StreamingResponse(_counted(following.events(first)), headers=_HEADERS, media_type=EVENT_STREAM)


async def _counted(events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    FeedRoute._streams += 1  # pyright: ignore[reportPrivateUsage] -- of this module
    try:
        async for each in events:
            yield each
    finally:
        FeedRoute._streams -= 1  # pyright: ignore[reportPrivateUsage] -- of this module
        await events.aclose()


def _second() -> int:
    """All streams look at the same moments, each second."""
    return int(asyncio.get_running_loop().time() // LOOK_EVERY_SECONDS)


@dataclass(slots=True)
class _Following:
    """One caller on the way along the feed; ``after`` is the cursor that it has come to."""

    route: TransactionalRoute
    edge: Edge
    principal: Principal
    types: Sequence[EventType]
    after: str

    async def look(self) -> FeedPage:
        """What is new. Raises Unauthorized when the key has ended, InvalidRequest for a cursor of another feed."""
        if self.principal.expired(self.edge.clock()):
            raise invalid_key()
        edge, principal = self.edge, self.principal
        place = Place(edge.database, principal.key_id, tuple(self.types), self.after)
        page = await FeedRoute.looks.at(place, (edge.published.next_ring, _second()), partial(self._look, self.after))
        self.after = wire.cursor(principal.workspace_id, page)
        return page

    async def _look(self, after: str) -> FeedPage:
        workspace_id = self.principal.workspace_id
        begin = self.edge.database.begun(lambda connection: self.route.begin(connection, self.principal))
        async with begin as (connection, begun):
            self.edge.authenticator.confirm(self.principal, stands=begun[0])
            return await service.feed(connection, workspace_id, after=after, types=self.types, limit=EVENTS_A_READ)

    async def events(self, page: FeedPage) -> AsyncGenerator[bytes]:
        """The feed from ``page`` on, in pieces that each hold whole events."""
        yield b"retry: 2000\n\n"
        quiet = 0.0
        while True:
            if page.events:
                yield b"".join(wire.sent_event(self.principal.workspace_id, event) for event in page.events)
                quiet = 0.0
            ring = self.edge.published.next_ring
            if self.edge.published.ended:
                return
            if not page.has_more and quiet >= SIGN_OF_LIFE_SECONDS:
                yield b": all is well\nid: %b\n\n" % self.after.encode()
                quiet = 0.0
            following = await self._look_again()
            if following is None:
                return
            if not following.events:
                quiet += await _waited(ring)
            page = following

    async def _look_again(self) -> FeedPage | None:
        """None when it cannot go on: the caller comes back with the id of what it saw last."""
        try:
            return await self.look()
        except Exception as error:
            if isinstance(error, LeadwrightError) or passing_fault(error) is not None:
                return None
            raise


async def _waited(ring: asyncio.Event) -> float:
    """Seconds until the ring or the next second."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ring.wait(), LOOK_EVERY_SECONDS - began % LOOK_EVERY_SECONDS)
    return loop.time() - began


def _wants_stream(request: Request) -> bool:
    wanted = [kind.partition(";")[0].strip().lower() for kind in request.headers.get("Accept", "").split(",")]
    return EVENT_STREAM in wanted
