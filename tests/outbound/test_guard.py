"""Nobody can aim the client at a place that it should not reach: a listener there counts every raw connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

import pytest
from aiohttp.abc import ResolveResult

from leadwright.outbound import guard
from leadwright.outbound.addresses import refusal
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import Answer, Failure, FailureCode, OutboundClient

NOBODY = AllowedHosts()
REFUSED = (FailureCode.ADDRESS_REFUSED, FailureCode.URL_REFUSED)


@dataclass
class Forbidden:
    """A place on the loopback address, over both versions, that counts who connects."""

    port: int
    connections: list[str] = field(default_factory=list[str])


@pytest.fixture
async def forbidden() -> AsyncIterator[Forbidden]:
    place = Forbidden(0)

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place.connections.append(writer.get_extra_info("peername")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    others = [server]
    if socket.has_ipv6:
        others.append(await asyncio.start_server(count, "::1", place.port))
    yield place
    for each in others:
        each.close()
        await each.wait_closed()


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.0x1", "017700000001",
    "0177.0.0.1", "0177.0.0.01", "127.0.0.1.", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost",
    "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "127.0.0.1%2e", "１２７.0.0.1", "127。0。0。1",
    "ⓛocalhost", "0x7f.１", "[0:0:0:0:0:0:0:1]", "[::1%25lo]",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_gets_there(forbidden, host, scheme):
    async with OutboundClient(NOBODY, connect=5, total=5) as client:
        outcome = await client.post(f"{scheme}://{host}:{forbidden.port}/hook", b"{}", {})
    assert isinstance(outcome, Failure)
    assert outcome.code in REFUSED
    assert forbidden.connections == []


async def test_the_listener_counts_when_the_operator_allows_it(forbidden):
    async with OutboundClient(AllowedHosts.parse(["127.0.0.1"])) as client:
        outcome = await client.post(f"http://127.0.0.1:{forbidden.port}/hook", b"{}", {})
    assert isinstance(outcome, Answer)
    assert forbidden.connections == ["127.0.0.1"]


def resolving_to(*answers: str):
    """Each time the next answer, then the last for ever."""
    left = list(answers)

    async def resolve(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        version = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [ResolveResult(hostname=host, host=answer, port=port, family=version, proto=0, flags=0)]

    return resolve


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.0.0.7", "169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe"],
)  # fmt: skip
async def test_a_name_that_leads_there_is_refused(forbidden, address):
    async with OutboundClient(NOBODY, connect=5, total=5, resolve=resolving_to(address)) as client:
        outcome = await client.post(f"https://hooks.example.com:{forbidden.port}/", b"{}", {})
    assert isinstance(outcome, Failure)
    assert outcome.code is FailureCode.ADDRESS_REFUSED
    assert "127" not in outcome.message, "what a name resolves to within the network is nobody's business"
    assert forbidden.connections == []


class Changing(dict[str, object]):
    """An answer of the resolver that shows a public address to who looks first, and loopback to who looks again."""

    looks = 0

    def __getitem__(self, key: str) -> object:
        if key == "host":
            self.looks += 1
            return "93.184.216.34" if self.looks == 1 else "127.0.0.1"
        return super().__getitem__(key)


async def test_an_answer_that_changes_between_check_and_use_is_refused(forbidden):
    shown: list[Changing] = []

    async def resolve(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        shown.append(Changing(hostname=host, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST))
        return [shown[-1]]  # type: ignore[list-item]

    async with OutboundClient(NOBODY, connect=5, total=5, resolve=resolve) as client:
        outcome = await client.post(f"https://hooks.example.com:{forbidden.port}/", b"{}", {})
    assert shown[0].looks > 1, "it was used after it was checked"
    assert isinstance(outcome, Failure)
    assert outcome.code is FailureCode.ADDRESS_REFUSED
    assert forbidden.connections == []


async def test_a_name_is_resolved_anew_for_each_connection(forbidden):
    """Allowed at first by its network, then moved to where nobody is allowed."""
    allowed = AllowedHosts.parse(["127.0.0.0/8"])
    async with OutboundClient(allowed, connect=5, total=5, resolve=resolving_to("127.0.0.1", "::1")) as client:
        first = await client.post(f"https://hooks.example.com:{forbidden.port}/", b"{}", {})
        assert isinstance(first, Failure)
        assert first.code in (FailureCode.TLS_FAILED, FailureCode.CONNECTION_RESET), (
            "it was let through to the listener"
        )
        assert len(forbidden.connections) == 1
        second = await client.post(f"https://hooks.example.com:{forbidden.port}/", b"{}", {})
    assert isinstance(second, Failure)
    assert second.code is FailureCode.ADDRESS_REFUSED
    assert len(forbidden.connections) == 1


async def test_this_machines_own_addresses_are_refused_whatever_their_network(forbidden, monkeypatch):
    monkeypatch.setattr(guard, "refusal", lambda _: None)
    async with OutboundClient(NOBODY, connect=5, total=5, resolve=resolving_to("127.0.0.1")) as client:
        outcome = await client.post(f"https://hooks.example.com:{forbidden.port}/", b"{}", {})
    assert isinstance(outcome, Failure)
    assert outcome.code is FailureCode.ADDRESS_REFUSED
    assert forbidden.connections == []
    assert not guard.is_own(IPv4Address("192.0.2.1"))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.9.9.9", "168.63.129.16", "169.254.169.254",
        "172.16.0.1", "192.0.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::",
        "::1", "fe80::1", "fc00::1", "ff02::1", "fd00:ec2::254", "fec0::1", "::ffff:10.0.0.1", "::10.0.0.1",
        "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:a00:1::", "2001:0:a00:1::", "100::1", "192.88.99.1", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_not_public(address):
    assert refusal(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::1.1.1.1"])
def test_what_is_public(address):
    assert refusal(ip_address(address)) is None


def test_allowed_hosts_are_names_addresses_and_networks():
    allowed = AllowedHosts.parse(["CRM.local", "10.1.0.0/16", "[::1]"])
    assert [allowed.permits_host(host) for host in ("crm.local", "crm.local.", "10.1.2.3", "::1", "[::1]")] == [
        True
    ] * 5
    assert [allowed.permits_host(host) for host in ("x.crm.local", "10.2.0.1", "crm.localx")] == [False] * 3
