"""From a function that makes a request to a method that sends it: one call for both clients, with its signature."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from leadwright.client.answers.account import Event
from leadwright.client.following import Stream
from leadwright.client.request import Request, Walk

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row")


class Sends(Protocol):
    """The blocking client, to its groups of calls."""

    def send(self, request: Request[T]) -> T: ...
    def walk(self, walk: Walk[Row]) -> Iterator[Row]: ...
    def follow(self, stream: Stream) -> Iterator[Event]: ...


class SendsAsync(Protocol):
    """The asynchronous client, to its groups of calls."""

    async def send(self, request: Request[T]) -> T: ...
    def walk(self, walk: Walk[Row]) -> AsyncIterator[Row]: ...
    def follow(self, stream: Stream) -> AsyncIterator[Event]: ...


class Group:
    """Calls of one subject, on a blocking client."""

    def __init__(self, client: Sends) -> None:
        self.client = client


class AsyncGroup:
    """Calls of one subject, on an asynchronous client."""

    def __init__(self, client: SendsAsync) -> None:
        self.client = client


class Bound(Generic[P, T]):
    """A class attribute that reads as a method with the signature and the docstring of ``made``."""

    def __init__(self, made: Callable[P, Any], run: Callable[[Any, Any], T]) -> None:
        self.made = made
        self._run = run

    @overload
    def __get__(self, group: None, owner: type) -> "Bound[P, T]": ...
    @overload
    def __get__(self, group: object, owner: type) -> Callable[P, T]: ...
    def __get__(self, group: Any, owner: type) -> "Bound[P, T] | Callable[P, T]":
        if group is None:
            return self

        @functools.wraps(self.made)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._run(group.client, self.made(*args, **kwargs))

        return method


def _send(client: Sends, request: Request[T]) -> T:
    return client.send(request)


def _send_async(client: SendsAsync, request: Request[T]) -> Awaitable[T]:
    return client.send(request)


def _walk(client: Sends, walk: Walk[Row]) -> Iterator[Row]:
    return client.walk(walk)


def _walk_async(client: SendsAsync, walk: Walk[Row]) -> AsyncIterator[Row]:
    return client.walk(walk)


def _follow(client: Sends, stream: Stream) -> Iterator[Event]:
    return client.follow(stream)


def _follow_async(client: SendsAsync, stream: Stream) -> AsyncIterator[Event]:
    return client.follow(stream)


def blocking(made: Callable[P, Request[T]]) -> Bound[P, T]:
    return Bound(made, _send)


def awaited(made: Callable[P, Request[T]]) -> Bound[P, Awaitable[T]]:
    return Bound(made, _send_async)


def each(made: Callable[P, Walk[Row]]) -> Bound[P, Iterator[Row]]:
    return Bound(made, _walk)


def each_async(made: Callable[P, Walk[Row]]) -> Bound[P, AsyncIterator[Row]]:
    return Bound(made, _walk_async)


def followed(made: Callable[P, Stream]) -> Bound[P, Iterator[Event]]:
    return Bound(made, _follow)


def followed_async(made: Callable[P, Stream]) -> Bound[P, AsyncIterator[Event]]:
    return Bound(made, _follow_async)
