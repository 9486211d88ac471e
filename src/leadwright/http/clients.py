"""From which address a request really comes, when proxies that we trust stand between."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request


def client_address(request: Request, trusted_proxies: Sequence[str]) -> str:
    """The nearest address that is no trusted proxy: the connection's, then X-Forwarded-For from the right."""
    hops = [*_forwarded(request), request.client.host if request.client else ""]
    while len(hops) > 1 and _is_trusted(hops[-1], trusted_proxies):
        hops.pop()
    return hops[-1]


def is_on_this_machine(request: Request, trusted_proxies: Sequence[str]) -> bool:
    """False for what a proxy on this machine passes on, unless it is trusted and names a loopback address."""
    direct = client_address(request, trusted_proxies)
    return is_loopback(direct) and (bool(trusted_proxies) or not _forwarded(request))


def _forwarded(request: Request) -> list[str]:
    """Proxies extend the header or add one more of it; both read as one list."""
    joined = ",".join(request.headers.getlist("x-forwarded-for"))
    return [part.strip() for part in joined.split(",") if part.strip()]


def is_loopback(address: str) -> bool:
    """False for text that is no address (a unix socket has none): only a proven loopback counts."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in ipaddress.ip_network(network, strict=False) for network in trusted)


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed  # how a socket for both families shows version 4
