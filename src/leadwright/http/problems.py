"""The one shape of every error answer, and how each kind of fault becomes one."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from leadwright.errors import Detail, InvalidRequest, LeadwrightError, NotFound, RetryLater

REQUEST_ID_HEADER = "X-Request-Id"
NOT_BLANK = r"[^\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]"
"""The pattern of texts that must hold something to see: an error says so, instead of showing it."""


def problem(error: LeadwrightError, request_id: str) -> Response:
    body: dict[str, Any] = {
        "statusCode": error.status,
        "message": error.message,
        "error": HTTPStatus(error.status).phrase,
        "code": error.code,
        "requestId": request_id,
    }
    if error.details:
        body["details"] = [{"path": d.path, "message": d.message} for d in error.details]
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RetryLater) else None
    return json_answer(body, error.status, headers)


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json")


def internal_error() -> LeadwrightError:
    return LeadwrightError("Something went wrong on our side; the request id finds it in the server's log")


def unknown_route(method: str, path: str) -> NotFound:
    """A wrong method on a known path reads the same, as clients of the public API expect."""
    return NotFound(f"Cannot {method} {path}", code="route_not_found")


def from_validation(error: RequestValidationError) -> InvalidRequest:
    """The framework's findings in our words: each names the field and what was expected."""
    return InvalidRequest.of([_detail(found) for found in error.errors()])


def _detail(found: Mapping[str, Any]) -> Detail:
    place, *path = found["loc"]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "missing":
        message = "is required"
    elif found["type"] == "string_pattern_mismatch" and found["ctx"]["pattern"] == NOT_BLANK:
        message = "must not be blank"
    return Detail(_dotted(path) or str(place), message[:1].lower() + message[1:])


def _dotted(path: Iterable[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
