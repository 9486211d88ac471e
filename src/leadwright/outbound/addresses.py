"""Which network addresses nobody may aim this server at; pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# Beyond what the standard library calls private, loopback, link-local, multicast, reserved or unspecified.
_SPECIAL_V4 = {
    IPv4Network("100.64.0.0/10"): "shared address space of a carrier",
    IPv4Network("192.0.0.0/24"): "an IETF protocol assignment",
    IPv4Network("192.88.99.0/24"): "a 6to4 relay",
    IPv4Network("168.63.129.16/32"): "the metadata service of a cloud",
    IPv4Network("100.100.100.200/32"): "the metadata service of a cloud",
}
_SPECIAL_V6 = {
    IPv6Network("fec0::/10"): "site-local",
    IPv6Network("64:ff9b:1::/48"): "a local translation to version 4",
    IPv6Network("100::/64"): "a discard address",
    IPv6Network("5f00::/16"): "a segment identifier",
}
_METADATA = {IPv4Address("169.254.169.254"), IPv6Address("fd00:ec2::254")}
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


def refusal(address: Address) -> str | None:
    """Why nobody may be sent there, in a few words; None for an address of the public internet.

    One of version 6 that carries one of version 4 (mapped, compatible, NAT64, 6to4, Teredo) is judged by that too.
    """
    if address in _METADATA:
        return "the metadata service of a cloud"
    if isinstance(address, IPv6Address):
        for inner in _carried(address):
            found = refusal(inner)
            if found is not None:
                return found
    return _kind(address) or _special(address)


def _kind(address: Address) -> str | None:
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if address.is_private:
        return "private"
    return "reserved" if address.is_reserved and not _carries_nat64(address) else None


def _special(address: Address) -> str | None:
    networks = _SPECIAL_V4.items() if isinstance(address, IPv4Address) else _SPECIAL_V6.items()
    return next((why for network, why in networks if address in network), None)


def _carries_nat64(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address in _NAT64


def _carried(address: IPv6Address) -> list[IPv4Address]:
    """The addresses of version 4 inside one of version 6."""
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
