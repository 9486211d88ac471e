"""The course of one call: after each answer, or the lack of one, whether it is done, goes on, or has failed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import msgspec

from leadwright.client.errors import ClientError, ConnectionFailed, UnreadableAnswer, error_of
from leadwright.client.request import File, Request

T = TypeVar("T")

NOTHING_CHANGED = (429, 503)
"""Answers that say that nothing was done, so that any request may be sent again."""
LOST_BEHIND_A_PROXY = (502, 504)
IN_PROGRESS = "idempotency_in_progress"
"""The first request with the same key still runs: its answer will come."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to go on. Waits double from ``first_wait`` up to ``longest_wait`` seconds, each shortened by chance.

    The server's ``Retry-After`` is obeyed instead; one beyond ``longest_wait`` ends the call.
    """

    most: int = 5
    first_wait: float = 0.25
    longest_wait: float = 30.0


class Course(Generic[T]):
    """One call on its way. The driver sends, tells what came, and waits the seconds that it is told."""

    def __init__(self, request: Request[T], retries: Retries) -> None:
        self.request = request
        self._retries = retries
        self._tried = 0

    def lost(self, fault: Exception, *, sent: bool) -> float:
        """Seconds until the next try after a fault of the connection. Raises ConnectionFailed when there is none."""
        if sent and not self.request.repeatable:
            raise ConnectionFailed(f"The answer to {self._named} was lost, and it may have been done: {fault}")
        return self._next(None, ConnectionFailed(f"No answer to {self._named}: {fault or type(fault).__name__}"))

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Seconds until the next try; None when ``result`` can be had. Raises ApiError or UnreadableAnswer."""
        if 200 <= status < 300:
            return None
        wait = _seconds(headers.get("retry-after"))
        fault = error_of(status, body, wait)
        if status in NOTHING_CHANGED or getattr(fault, "code", "") == IN_PROGRESS:
            return self._next(wait, fault)
        if status in LOST_BEHIND_A_PROXY and self.request.repeatable:
            return self._next(wait, fault)
        raise fault

    def result(self, headers: Mapping[str, str], body: bytes) -> T:
        """Raises UnreadableAnswer for a body of another shape."""
        if self.request.answer is File:
            return cast(T, File(body, headers.get("x-next-cursor")))
        try:
            return msgspec.json.decode(body, type=self.request.answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableAnswer(f"The answer to {self._named} is not one of the API: {error}") from error

    def _next(self, wait: float | None, fault: ClientError) -> float:
        self._tried += 1
        if self._tried > self._retries.most or (wait is not None and wait > self._retries.longest_wait):
            raise fault
        if wait is not None:
            return wait
        longest = min(self._retries.longest_wait, self._retries.first_wait * 2 ** (self._tried - 1))
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- spreads callers, guards nothing

    @property
    def _named(self) -> str:
        return f"{self.request.method} {self.request.path}"


def _seconds(header: str | None) -> float | None:
    """Of a number; a date, which this API never sends, counts as none."""
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None
