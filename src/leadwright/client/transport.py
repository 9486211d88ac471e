"""What both clients say of themselves to a server: address, key, headers, how long they wait."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from leadwright.client.following import LONGEST_SILENCE, Following
from leadwright.client.request import Request

API_KEY_HEADER = "X-API-Key"
IDEMPOTENCY_HEADER = "Idempotency-Key"
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Faults before a byte of the request went out."""


def options(url: str, key: str, timeout: float) -> dict[str, Any]:
    """The keyword arguments of an httpx client. Redirects are not followed: the key goes to this server alone.

    Raises ValueError for an address without http or https, and for a key that no header can carry.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url: expected an address such as https://outreach.example.com, not '{url[:100]}'")
    if not key.isascii() or not key.isprintable() or not key:
        raise ValueError("key: expected an API key such as lw_live_…")
    headers = {API_KEY_HEADER: key, "User-Agent": f"leadwright-python/{_version()}"}
    return {"base_url": url.rstrip("/"), "headers": headers, "timeout": timeout, "follow_redirects": False}


def _version() -> str:
    try:
        return version("leadwright")
    except PackageNotFoundError:
        return "unknown"


def arguments(request: Request[Any]) -> Mapping[str, Any]:
    """The keyword arguments of one request."""
    headers: dict[str, str] = {}
    if request.body is not None:
        headers["Content-Type"] = request.content_type
    if request.key is not None:
        headers[IDEMPOTENCY_HEADER] = request.key
    return {"params": dict(request.query), "content": request.body, "headers": headers}


def stream_arguments(following: Following, timeout: float) -> Mapping[str, Any]:
    """The keyword arguments of the next connection of a stream, which is silent for longer than an answer may be."""
    waits = httpx.Timeout(timeout, read=max(timeout, LONGEST_SILENCE))
    return {"params": following.query, "headers": following.headers, "timeout": waits}
