"""A client of the API for Python programs: typed calls and answers, retries that never do a thing twice.

It knows nothing of the server's own modules, so that it can be used without them.
"""

from leadwright.client.asynchronous import AsyncClient
from leadwright.client.blocking import Client
from leadwright.client.course import Retries
from leadwright.client.errors import (
    ApiError,
    CampaignNotFound,
    ClientError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    IdempotencyKeyReused,
    InvalidCampaignAction,
    InvalidRequest,
    LeadNotFound,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    RouteNotFound,
    SenderNotFound,
    ServerFault,
    Unauthorized,
    Unavailable,
    UnreadableAnswer,
)

__all__ = [
    "ApiError",
    "AsyncClient",
    "CampaignNotFound",
    "Client",
    "ClientError",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "IdempotencyKeyReused",
    "InvalidCampaignAction",
    "InvalidRequest",
    "LeadNotFound",
    "NotFound",
    "PayloadTooLarge",
    "RateLimited",
    "Retries",
    "RouteNotFound",
    "SenderNotFound",
    "ServerFault",
    "Unauthorized",
    "Unavailable",
    "UnreadableAnswer",
]
