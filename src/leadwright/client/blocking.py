"""The blocking client."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TypeVar

import httpx

from leadwright.client import blocking_groups as groups
from leadwright.client.answers.account import Event
from leadwright.client.course import Course, Retries
from leadwright.client.following import EVENT_STREAM, Following, Stream
from leadwright.client.request import Request, Walk
from leadwright.client.transport import NOT_SENT, arguments, options, stream_arguments

T = TypeVar("T")
Row = TypeVar("Row")


class Client:
    """Calls a Leadwright server, and waits for each answer. Safe to share between threads; close it, or use ``with``.

    ``url`` is the server's address without ``/v1``, ``timeout`` is in seconds for each try. Raises the errors of
    ``leadwright.client.errors``.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 60.0,
        retries: Retries | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(**options(url, key, timeout))
        self._timeout = timeout
        self._retries = retries or Retries()
        self._sleep = sleep
        self.account = groups.Account(self)
        self.actions = groups.Actions(self)
        self.campaigns = groups.Campaigns(self)
        self.events = groups.Events(self)
        self.inbox = groups.Inbox(self)
        self.leads = groups.Leads(self)
        self.privacy = groups.Privacy(self)
        self.senders = groups.Senders(self)
        self.suppressions = groups.Suppressions(self)
        self.tasks = groups.Tasks(self)
        self.webhooks = groups.Webhooks(self)

    def send(self, request: Request[T]) -> T:
        """Sends one request, again where that is safe, and reads its answer."""
        course = Course(request, self._retries)
        while True:
            try:
                answer = self._http.request(request.method, request.path, **arguments(request))
            except httpx.TransportError as fault:
                self._sleep(course.lost(fault, sent=not isinstance(fault, NOT_SENT)))
                continue
            wait = course.answered(answer.status_code, answer.headers, answer.content)
            if wait is None:
                return course.result(answer.headers, answer.content)
            self._sleep(wait)

    def walk(self, walk: Walk[Row]) -> Iterator[Row]:
        """The rows of a list, asking for each page when the one before is through."""
        request: Request[object] | None = walk.first
        while request is not None:
            page = self.send(request)
            yield from walk.rows(page)
            request = walk.behind(page)

    def follow(self, stream: Stream) -> Iterator[Event]:
        """The events of a stream, for as long as it is read, over one connection after the other."""
        following = Following(stream, self._retries)
        while True:
            try:
                with self._http.stream("GET", following.path, **stream_arguments(following, self._timeout)) as answer:
                    if not answer.headers.get("content-type", "").startswith(EVENT_STREAM):
                        wait = following.refused(answer.status_code, answer.headers, answer.read())
                    else:
                        for piece in answer.iter_bytes():
                            yield from following.read(piece)
                        wait = following.ended()
            except httpx.TransportError as fault:
                wait = following.lost(fault)
            self._sleep(wait)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
