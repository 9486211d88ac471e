"""From which address a request really comes, when proxies that we trust stand between."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request


def client_address(request: Request, trusted_proxies: Sequence[str]) -> str:
    """The nearest address that is not a trusted proxy: from the connection, then X-Forwarded-For from its right end."""
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    hops = [*forwarded, request.client.host if request.client else ""]
    while len(hops) > 1 and _is_trusted(hops[-1], trusted_proxies):
        hops.pop()
    return hops[-1]


def is_loopback(address: str) -> bool:
    """False for text that is no address (a unix socket has none): only a proven loopback counts."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in ipaddress.ip_network(network, strict=False) for network in trusted)


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
