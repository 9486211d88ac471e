"""Connections that cannot be aimed at a place nobody should reach: each address is looked at as it is connected to."""

import errno
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from leadwright.outbound.addresses import Address, refusal
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.resolving import SystemResolver

AddressInfo = tuple[Any, ...]
Resolve = Callable[[str, int, socket.AddressFamily], Awaitable[list[ResolveResult]]]
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than receivers hold an idle connection (5 s and more), or a delivery would meet one that is just closing."""


class AddressRefused(OSError):
    """What a name resolves to, or a URL names, is not a public address."""


def why_refused(address: Address, allowed: AllowedHosts) -> str | None:
    """Also this machine's own addresses are refused, whatever network they are of."""
    if allowed.permits_address(address):
        return None
    return refusal(address) or ("this machine's own" if is_own(address) else None)


def is_own(address: Address) -> bool:
    """A socket can be bound to an address of this machine and to no other."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


class GuardedResolver(AbstractResolver):
    """Resolves anew for each connection, and gives out none of the addresses that are refused."""

    def __init__(self, allowed: AllowedHosts, resolve: Resolve | None = None) -> None:
        self._allowed = allowed
        self._resolve = resolve or SystemResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolve(host, port, family)
        good = [each for each in found if why_refused(ip_address(_bare(each["host"])), self._allowed) is None]
        if found and not good:
            raise AddressRefused(errno.EACCES, f"{host} has no public address")
        return good

    async def close(self) -> None:
        """Nothing is held open."""


def guarded_connector(allowed: AllowedHosts, resolve: Resolve | None = None) -> aiohttp.TCPConnector:
    """Checks what a name resolves to, and once more each address in the moment that a socket is made for it."""

    def open_socket(info: AddressInfo) -> socket.socket:
        family, kind, proto, _, address = info
        why = why_refused(ip_address(_bare(str(address[0]))), allowed)
        if why is not None:
            raise AddressRefused(errno.EACCES, f"{address[0]} is not a public address ({why})")
        return _socket(family, kind, proto)

    return _connector(GuardedResolver(allowed, resolve), open_socket)


def free_connector(resolve: Resolve | None = None) -> aiohttp.TCPConnector:
    """For hosts that the operator has named: nothing is refused."""
    # Everything is permitted by these networks, so that the one resolver serves both.
    return _connector(GuardedResolver(AllowedHosts.parse(["0.0.0.0/0", "::/0"]), resolve), None)


def _connector(
    resolver: AbstractResolver, open_socket: Callable[[AddressInfo], socket.socket] | None
) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        socket_factory=open_socket,
        limit=0,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )


def _socket(family: int, kind: int, proto: int) -> socket.socket:
    made = socket.socket(family, kind, proto)
    made.setblocking(False)
    return made


def _bare(host: str) -> str:
    return host.partition("%")[0]
