"""The asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TypeVar

import httpx

from leadwright.client import asynchronous_groups as groups
from leadwright.client.answers.account import Event
from leadwright.client.course import Course, Retries
from leadwright.client.following import EVENT_STREAM, Following, Stream
from leadwright.client.request import Request, Walk
from leadwright.client.transport import NOT_SENT, arguments, options, stream_arguments

T = TypeVar("T")
Row = TypeVar("Row")


class AsyncClient:
    """Like ``Client``, for asyncio: each call is awaited, each list read with ``async for``."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 60.0,
        retries: Retries | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(**options(url, key, timeout))
        self._timeout = timeout
        self._retries = retries or Retries()
        self._sleep = sleep
        self.account = groups.AsyncAccount(self)
        self.actions = groups.AsyncActions(self)
        self.campaigns = groups.AsyncCampaigns(self)
        self.events = groups.AsyncEvents(self)
        self.inbox = groups.AsyncInbox(self)
        self.leads = groups.AsyncLeads(self)
        self.privacy = groups.AsyncPrivacy(self)
        self.senders = groups.AsyncSenders(self)
        self.suppressions = groups.AsyncSuppressions(self)
        self.tasks = groups.AsyncTasks(self)
        self.webhooks = groups.AsyncWebhooks(self)

    async def send(self, request: Request[T]) -> T:
        """Sends one request, again where that is safe, and reads its answer."""
        course = Course(request, self._retries)
        while True:
            try:
                answer = await self._http.request(request.method, request.path, **arguments(request))
            except httpx.TransportError as fault:
                await self._sleep(course.lost(fault, sent=not isinstance(fault, NOT_SENT)))
                continue
            wait = course.answered(answer.status_code, answer.headers, answer.content)
            if wait is None:
                return course.result(answer.headers, answer.content)
            await self._sleep(wait)

    async def walk(self, walk: Walk[Row]) -> AsyncIterator[Row]:
        """The rows of a list, asking for each page when the one before is through."""
        request: Request[object] | None = walk.first
        while request is not None:
            page = await self.send(request)
            for row in walk.rows(page):
                yield row
            request = walk.behind(page)

    async def follow(self, stream: Stream) -> AsyncIterator[Event]:
        """The events of a stream, for as long as it is read, over one connection after the other."""
        following = Following(stream, self._retries)
        while True:
            try:
                call = self._http.stream("GET", following.path, **stream_arguments(following, self._timeout))
                async with call as answer:
                    if not answer.headers.get("content-type", "").startswith(EVENT_STREAM):
                        wait = following.refused(answer.status_code, answer.headers, await answer.aread())
                    else:
                        async for piece in answer.aiter_bytes():
                            for event in following.read(piece):
                                yield event
                        wait = following.ended()
            except httpx.TransportError as fault:
                wait = following.lost(fault)
            await self._sleep(wait)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
