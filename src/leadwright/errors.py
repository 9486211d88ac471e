"""The faults a caller can meet; each carries its HTTP status and a stable code, which the edge only has to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing wrong with a request: where (``leads[3].email``) and what was expected there."""

    path: str
    message: str


class LeadwrightError(Exception):
    """Base of every fault that is told to a caller; ``message`` is one sentence for people."""

    status: ClassVar[int] = 500
    code: str = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = tuple(details)


class InvalidRequest(LeadwrightError):
    status = 400
    code = "invalid_request"

    @classmethod
    def of(cls, details: Sequence[Detail]) -> "InvalidRequest":
        """One fault out of many: the message names them all, up to five."""
        shown = "; ".join(f"{d.path}: {d.message}" if d.path else d.message for d in details[:5])
        more = f" (and {len(details) - 5} more)" if len(details) > 5 else ""
        return cls(shown + more, details=details)


class Unauthorized(LeadwrightError):
    status = 401
    code = "unauthorized"


class Forbidden(LeadwrightError):
    status = 403
    code = "scope_missing"


class NotFound(LeadwrightError):
    status = 404
    code = "not_found"


class Conflict(LeadwrightError):
    status = 409
    code = "conflict"


class PayloadTooLarge(LeadwrightError):
    status = 413
    code = "payload_too_large"


class HeadTooLarge(LeadwrightError):
    status = 431
    code = "headers_too_large"

    def __init__(self) -> None:
        super().__init__("The request's path and headers are larger than 64,000 bytes")


class TooSlow(LeadwrightError):
    status = 408
    code = "request_timeout"


class UnsupportedMediaType(LeadwrightError):
    status = 415
    code = "unsupported_media_type"


class RetryLater(LeadwrightError):
    """A fault that passes; ``retry_after`` is in whole seconds, at least 1."""

    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = max(1, retry_after)


class RateLimited(RetryLater):
    status = 429
    code = "rate_limited"


class Unavailable(RetryLater):
    status = 503
    code = "unavailable"
