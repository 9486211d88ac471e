"""Calls about the event feed."""

from collections.abc import Sequence

from leadwright.client.answers import account as answers
from leadwright.client.following import Stream
from leadwright.client.request import Request, Walk, by_position, request


def page(after: str = "", *, types: Sequence[str] = (), limit: int = 100) -> Request[answers.Feed]:
    """Events behind a cursor; keep ``next_cursor`` and ask again from there."""
    query = {"after": after, "types": ",".join(types) or None, "limit": limit}
    return request("GET", "/v1/events", answers.Feed, query=query)


def every(after: str = "", *, types: Sequence[str] = ()) -> Walk[answers.Event]:
    """Events behind a cursor, as far as the feed goes now."""
    return by_position(page(after, types=types), lambda found: found.events)


def follow(after: str = "", *, types: Sequence[str] = ()) -> Stream:
    """Events behind a cursor, each as soon as it is published, without an end: a stream of server-sent events.

    When its connection ends, it goes on behind the last event, or raises `ConnectionFailed` after the last try.
    """
    query = {"after": after, "types": ",".join(types) or None}
    return Stream(request("GET", "/v1/events", answers.Feed, query=query))
