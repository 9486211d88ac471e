"""The hosts and networks that the operator trusts: plain HTTP and private addresses are right for them; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from leadwright.outbound.addresses import Address


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Names are compared without case; a network allows every host that is written as an address of it."""

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowedHosts":
        """Each entry is a host name, an address or a network such as 10.0.0.0/8."""
        names: set[str] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                names.add(_folded(entry))
        return cls(frozenset(names), tuple(networks))

    def permits_host(self, host: str) -> bool:
        """Whether a URL's host is named, or is an address of a named network."""
        if _folded(host) in self.names:
            return True
        try:
            return self.permits_address(ip_address(host.strip("[]")))
        except ValueError:
            return False

    def permits_address(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def _folded(host: str) -> str:
    return host.strip().rstrip(".").lower()
