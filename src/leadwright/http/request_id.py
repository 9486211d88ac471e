"""The outermost layer: gives each request an id, catches what nobody caught, logs and counts the request."""

import time
import traceback
from functools import lru_cache
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadwright import ids
from leadwright.errors import LeadwrightError
from leadwright.http.problems import REQUEST_ID_HEADER, internal_error, problem
from leadwright.postgres.pool import passing_fault
from leadwright.telemetry import metrics
from leadwright.telemetry.logs import logger

OLD_PREFIX = "/api/v1"
TEXT_IN_PATH = "/tags/"
"""Behind it stands what a caller wrote, which may end with a slash."""
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

_log = logger("leadwright.http")


class RequestContext:
    """An ASGI layer. Also answers ``/api/v1`` as ``/v1``, for clients of the older base path, and a slash behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._serve(_as_routed(scope), receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})
        request_id = state["request_id"] = ids.public(ids.Prefix.REQUEST, ids.new_id())
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = _Answer(send, state)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 -- the last layer: whatever happens, the caller gets an answer
            await _answer_fault(error, request_id, answer, scope, receive)
        finally:
            _account(scope, answer.status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()


class _Answer:
    """Adds the headers that every answer carries, and remembers the status."""

    def __init__(self, send: Send, state: dict[str, Any]) -> None:
        self._send = send
        self._state = state
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._state["request_id"]
            headers.update(self._state.get("answer_headers", {}))
        await self._send(message)


def _as_routed(scope: Scope) -> Scope:
    """The request with the path that its route has; what the caller asked for stays known for the answer to it."""
    asked: str = scope["path"]
    raw: bytes = scope["raw_path"]
    path = asked
    if path == OLD_PREFIX or path.startswith(OLD_PREFIX + "/"):
        path, raw = path.removeprefix("/api"), raw.removeprefix(b"/api")
    if path.startswith("/v1/") and raw.endswith(b"/") and TEXT_IN_PATH not in path:
        path, raw = path[:-1], raw[:-1]
    return scope if path is asked else {**scope, "path": path, "raw_path": raw, "asked": asked}


async def _answer_fault(error: Exception, request_id: str, answer: _Answer, scope: Scope, receive: Receive) -> None:
    fault = error if isinstance(error, LeadwrightError) else passing_fault(error)
    if fault is None:
        _log.error("unhandled fault", fault=type(error).__name__, where=_frames(error))
        fault = internal_error()
    elif fault.status >= 500:
        cause = type(error.__cause__ or error).__name__
        _log.warning("request refused for now", code=fault.code, cause=cause)
    if answer.status == 0:
        await problem(fault, request_id)(scope, receive, answer)


def _frames(error: Exception) -> list[str]:
    """Where it happened. Not the message: a database's repeats the values of the row, which are personal."""
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-8:]]


@lru_cache(maxsize=4096)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Looking a meter up by its labels takes longer than counting with it."""
    return metrics.REQUESTS.labels(method, route, str(status)), metrics.REQUEST_SECONDS.labels(method, route)


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    count, duration = _meters(method, route, status)
    count.inc()
    duration.observe(seconds)
    _log.info("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))
