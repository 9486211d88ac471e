"""The errors that a route can answer, as the OpenAPI document shows them: examples and headers too."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from leadwright.http.idempotency import HEADER as IDEMPOTENCY_HEADER
from leadwright.http.idempotency import LONGEST_KEY, REPLAYED_HEADER
from leadwright.http.problems import REQUEST_ID_HEADER
from leadwright.http.route import ANY_KEY, METHODS_WITH_BODY, SCOPE_MARK

JSON_TYPE = "application/json"
EXAMPLE_REQUEST_ID = "req_0199c0ffee0070008000000000000001"


class ErrorDetail(BaseModel):
    """One thing wrong with the request."""

    path: str = Field(description="Where, for example `leads[3].email`; a parameter by its name.")
    message: str = Field(description="What was expected there.")


class ErrorBody(BaseModel):
    """The body of every error answer."""

    model_config = ConfigDict(alias_generator=to_camel)

    status_code: int
    message: str = Field(description="One sentence for people; it names the field at fault.")
    error: str = Field(description="The reason phrase of the status.")
    code: str = Field(description="A stable word for programs.")
    request_id: str = Field(description="Finds the request in the server's log.")
    details: list[ErrorDetail] | SkipJsonSchema[None] = Field(
        None, description="Everything that was found wrong, when the request did not fit."
    )


_NAMING = frozenset({"accountId", "campaignId", "keyId"})
"""Fields that hold the id of something, which can be unknown."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the document: the framework's draft of it, and the fields of the body that it reads."""

    method: str
    path: str
    operation: Mapping[str, Any]
    body_fields: frozenset[str]

    @property
    def scope(self) -> str | None:
        """What its caller's key must hold; None for a route without a key."""
        return self.operation.get(SCOPE_MARK)

    @property
    def reads_body(self) -> bool:
        return self.method in METHODS_WITH_BODY

    @property
    def queries(self) -> list[str]:
        return [p["name"] for p in self.operation.get("parameters", ()) if p["in"] == "query"]

    @property
    def names_something(self) -> bool:
        """Whether an id in its path, query or body can be unknown."""
        return "{" in self.path or not _NAMING.isdisjoint({*self.queries, *self.body_fields})


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of error answer; ``code`` and ``message`` make its example."""

    description: str
    code: str
    message: str


HEADERS: Mapping[str, Mapping[str, Any]] = {
    "RequestId": {
        "required": True,
        "description": "Names this request; it stands in the server's log.",
        "schema": {"type": "string"},
        "example": EXAMPLE_REQUEST_ID,
    },
    "RateLimitLimit": {
        "required": True,
        "description": "Requests a second that the key may make.",
        "schema": {"type": "integer"},
        "example": 6000,
    },
    "RateLimitRemaining": {
        "required": True,
        "description": "How many of them are left.",
        "schema": {"type": "integer"},
        "example": 5999,
    },
    "RateLimitReset": {
        "required": True,
        "description": "When all of them are there again, in Unix seconds.",
        "schema": {"type": "integer"},
        "example": 1772357400,
    },
    "RetryAfter": {
        "required": True,
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "IdempotentReplayed": {
        "description": "Only on the stored answer of an earlier request with the same key.",
        "schema": {"const": "true"},
        "example": "true",
    },
}
_COUNTED = {
    "X-RateLimit-Limit": "RateLimitLimit",
    "X-RateLimit-Remaining": "RateLimitRemaining",
    "X-RateLimit-Reset": "RateLimitReset",
}
_NOT_COUNTED = (401, 500, 503)
"""Answers that can come before the request was counted."""

IDEMPOTENCY_PARAMETER: Mapping[str, Any] = {
    "name": IDEMPOTENCY_HEADER,
    "in": "header",
    "required": False,
    "description": "A word of your choice for this request. Sent again within 24 hours with the same path, "
    "query and body, the request is not done a second time: its first answer is given once more.",
    "schema": {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "example": "import-2026-03-01-batch-17",
}


def faults(route: Route) -> dict[int, Fault]:
    """The errors of the API's conventions that this route can answer."""
    if route.scope is None:
        return {500: _BROKEN}
    found = {401: _NO_KEY, 429: _TOO_MANY, 500: _BROKEN, 503: _AWAY}
    if route.scope != ANY_KEY:
        found[403] = _lacking(route.scope)
    if route.reads_body or route.queries:
        found[400] = _malformed(route)
    if route.names_something:
        found[404] = _unknown(route)
    if route.method == "POST":
        found[409] = _KEY_TAKEN
    if route.reads_body:
        found |= {413: _TOO_LARGE, 415: _NOT_JSON}
    return found


def error_answer(status: int, fault: Fault) -> dict[str, Any]:
    """The response object of one error."""
    example: dict[str, Any] = {
        "statusCode": status,
        "message": fault.message,
        "error": HTTPStatus(status).phrase,
        "code": fault.code,
        "requestId": EXAMPLE_REQUEST_ID,
    }
    if fault.code == "invalid_request":
        path, _, message = fault.message.partition(": ")
        example["details"] = [{"path": path, "message": message}]
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": fault.description, "content": {JSON_TYPE: {"schema": schema, "example": example}}}


def headers(route: Route, status: int) -> dict[str, Any]:
    """The headers that an answer of this status carries."""
    named = {REQUEST_ID_HEADER: "RequestId"}
    if route.scope is not None and status not in _NOT_COUNTED:
        named |= _COUNTED
    if status in (429, 503):
        named["Retry-After"] = "RetryAfter"
    if route.method == "POST" and (status < 400 or status in (400, 404)):
        named[REPLAYED_HEADER] = "IdempotentReplayed"
    return {header: {"$ref": f"#/components/headers/{name}"} for header, name in named.items()}


def _malformed(route: Route) -> Fault:
    description = "The request does not fit: `message` names the field, `details` all. Nothing was changed."
    if "limit" in route.queries:
        message = "limit: input should be less than or equal to 100"
    elif "requestBody" in route.operation:
        message = "body: is required"
    else:
        message = f"{IDEMPOTENCY_HEADER}: expected 1 to {LONGEST_KEY} printable characters"
    return Fault(description, "invalid_request", message)


def _lacking(scope: str) -> Fault:
    return Fault(f"The key lacks the scope `{scope}`.", "scope_missing", f"Key lacks {scope}")


def _unknown(route: Route) -> Fault:
    """Of the innermost id: ``/campaigns/{campaign_id}/…`` lacks a campaign."""
    noun = route.path.rpartition("{")[2].partition("_id}")[0] if "{" in route.path else _named_by_field(route)
    return Fault(
        f"The workspace has no such {noun}; another workspace's is as unknown as one that never was.",
        f"{noun}_not_found",
        f"{noun.capitalize()} not found",
    )


def _named_by_field(route: Route) -> str:
    return min(_NAMING & {*route.queries, *route.body_fields}).removesuffix("Id")


_NO_KEY = Fault("The key is missing, unknown, expired or revoked.", "api_key_invalid", "Invalid API key")
_KEY_TAKEN = Fault(
    f"The {IDEMPOTENCY_HEADER} belongs to another request, or its first is still running after 30 seconds.",
    "idempotency_key_reused",
    f"{IDEMPOTENCY_HEADER} was used before for another request",
)
_TOO_LARGE = Fault(
    "The body is larger than the server takes: see the setting `max_body_bytes`.",
    "payload_too_large",
    "The request body is larger than 2000000 bytes",
)
_NOT_JSON = Fault(
    "The body is said to be something other than JSON.",
    "unsupported_media_type",
    "Content-Type 'text/plain' is not supported; send application/json",
)
_TOO_MANY = Fault(
    "The key made more requests than its rate allows.",
    "rate_limited",
    "Rate limit of 6000 requests a second exceeded",
)
_BROKEN = Fault(
    "A fault of the server. Nothing was changed.",
    "internal_error",
    "Something went wrong on our side; the request id finds it in the server's log",
)
_AWAY = Fault(
    "The database is away, or its disk is full. Nothing was changed; the same request may be sent again.",
    "database_unavailable",
    "The database is not reachable; try again shortly",
)
