"""Following the event feed as it goes on: what comes over a connection, and what to do when it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from leadwright.client.answers.account import Event
from leadwright.client.course import Course, Retries
from leadwright.client.errors import UnreadableAnswer
from leadwright.client.request import Request

EVENT_STREAM = "text/event-stream"
LONGEST_SILENCE = 45.0
"""Seconds; the server gives a sign of life every 15."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The feed from a place on, without an end; ``first`` names the place and what is wanted."""

    first: Request[Any]


class Following:
    """One stream on its way, over as many connections as it takes: ``after`` is the cursor that it has come to.

    A connection that brought something starts the count of tries anew.
    """

    def __init__(self, stream: Stream, retries: Retries) -> None:
        self.after = stream.first.query.get("after", "")
        self._first = stream.first
        self._retries = retries
        self._course = Course(stream.first, retries)
        self._pause = retries.first_wait
        self._rest = b""

    @property
    def path(self) -> str:
        return self._first.path

    @property
    def query(self) -> dict[str, str]:
        return {name: value for name, value in self._first.query.items() if name != "after"}

    @property
    def headers(self) -> dict[str, str]:
        """Of the next connection, which goes on where the last one ended."""
        self._rest = b""
        return {"Accept": EVENT_STREAM} | ({"Last-Event-ID": self.after} if self.after else {})

    def read(self, piece: bytes) -> Iterator[Event]:
        """The events that are whole with this piece. Raises UnreadableAnswer for what is no event of the feed."""
        *blocks, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        for block in blocks:
            event = self._block(block)
            self._course = Course(self._first, self._retries)
            if event is not None:
                yield event

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> float:
        """Seconds until the next connection. Raises ApiError for what will not pass by itself."""
        wait = self._course.answered(status, headers, body)
        if wait is None:
            raise UnreadableAnswer(f"The answer to GET {self.path} is not {EVENT_STREAM}")
        return wait

    def lost(self, fault: Exception) -> float:
        """Seconds until the next connection. Raises ConnectionFailed when nothing came for too many of them."""
        return self._course.lost(fault, sent=True)

    def ended(self) -> float:
        """The server closed the stream in order, as when it stops: seconds until the next connection."""
        self._course.lost(ConnectionError("the stream ended"), sent=True)
        return self._pause

    def _block(self, block: bytes) -> Event | None:
        found: dict[bytes, bytes] = {}
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            found[name] = found[name] + b"\n" + value if name == b"data" and name in found else value
        if b"retry" in found and found[b"retry"].isdigit():
            self._pause = int(found[b"retry"]) / 1000
        self.after = found.get(b"id", self.after.encode()).decode()
        return self._event(found[b"data"]) if b"data" in found else None

    def _event(self, data: bytes) -> Event:
        try:
            told = msgspec.json.decode(data, type=dict[str, Any])
            return msgspec.convert({**told, "cursor": self.after}, Event)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise UnreadableAnswer(f"What came over GET {self.path} is no event of the feed: {error}") from error
