"""What can go wrong with a call: no answer came, it cannot be read, or it is an error with a status and a code."""

from collections.abc import Sequence
from typing import Any

import msgspec


class ClientError(Exception):
    """Base of everything that this client raises."""


class ConnectionFailed(ClientError):
    """No answer came, as often as was tried. Unless the request could be repeated, its effect is not known."""


class UnreadableAnswer(ClientError):
    """What came is not what the API answers: most often something else answers at this address."""


class Detail(msgspec.Struct, frozen=True):
    """One thing wrong with a request: where, and what was expected there."""

    path: str
    message: str


class ApiError(ClientError):
    """The server said no. ``code`` is for programs, ``str(error)`` is its sentence for people."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        request_id: str | None = None,
        details: Sequence[Detail] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.details = tuple(details)
        self.retry_after = retry_after


class InvalidRequest(ApiError):
    """400: a field, a parameter or a header is wrong; ``details`` names each."""


class InvalidCampaignAction(InvalidRequest):
    """The action does not exist, or does not fit the campaign's status."""


class SenderNotFound(InvalidRequest):
    """A sender named in the body is not one of the workspace."""


class Unauthorized(ApiError):
    """401: the key is missing, unknown, revoked or expired."""


class Forbidden(ApiError):
    """403: the key lacks the scope that the message names."""


class NotFound(ApiError):
    """404: what the request names does not exist in the key's workspace."""


class RouteNotFound(NotFound):
    """There is no such route: the server is older than this client, or the address is not that of a server."""


class CampaignNotFound(NotFound):
    pass


class LeadNotFound(NotFound):
    pass


class Conflict(ApiError):
    """409."""


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used within 24 hours for another request."""


class PayloadTooLarge(ApiError):
    """413: the body is larger than the server takes."""


class RateLimited(ApiError):
    """429, still after the retries."""


class ServerFault(ApiError):
    """5xx: a fault of the server. ``request_id`` finds it in the server's log."""


class Unavailable(ServerFault):
    """503, still after the retries: its database is away or its disk is full. Nothing was changed."""


BY_CODE: dict[str, type[ApiError]] = {
    "invalid_campaign_action": InvalidCampaignAction,
    "sender_not_found": SenderNotFound,
    "route_not_found": RouteNotFound,
    "campaign_not_found": CampaignNotFound,
    "lead_not_found": LeadNotFound,
    "idempotency_key_reused": IdempotencyKeyReused,
}
BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    429: RateLimited,
    503: Unavailable,
}


class _Body(msgspec.Struct, rename="camel"):
    message: str
    code: str = ""
    request_id: str | None = None
    details: list[Detail] = msgspec.field(default_factory=list[Detail])


def error_of(status: int, body: bytes, retry_after: float | None = None) -> ClientError:
    """The error that an answer tells. One without the API's shape, as a proxy's, keeps its status."""
    try:
        told = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = _Body(message=f"The answer has status {status} and is not one of the API")
    kind = BY_CODE.get(told.code) or BY_STATUS.get(status) or (ServerFault if status >= 500 else ApiError)
    known: dict[str, Any] = {"request_id": told.request_id, "details": told.details, "retry_after": retry_after}
    return kind(told.message, status=status, code=told.code, **known)
