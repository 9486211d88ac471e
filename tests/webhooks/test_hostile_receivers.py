"""Receivers that do what no receiver should: each has a word in the log, and none holds up the others."""

import asyncio
import datetime
import resource
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TEN_GIGABYTES = 10_000_000_000


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def head_byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.01)


async def body_byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def ten_gigabytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % TEN_GIGABYTES)
    for _ in range(TEN_GIGABYTES // 100_000):
        writer.write(b"x" * 100_000)
        await writer.drain()


async def broken_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff220 mail.example.com ESMTP\r\n\r\n")


async def endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: %b\r\n" % (b"x" * 5_000))
        await writer.drain()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes without a word."""


HOSTILE: dict[str, tuple[Handler, bool, str | None]] = {
    "hangs": (hang, False, "read_timeout"),
    "sends its head byte by byte": (head_byte_by_byte, False, "read_timeout"),
    "sends its body byte by byte": (body_byte_by_byte, True, None),
    "sends 10 GB": (ten_gigabytes, True, None),
    "sends broken headers": (broken_headers, False, "invalid_answer"),
    "speaks something else": (no_http, False, "invalid_answer"),
    "sends headers without end": (endless_headers, False, "invalid_answer"),
    "resets": (reset, False, "connection_reset"),
    "closes": (end, False, "connection_reset"),
}
MakeRaw = Callable[..., Awaitable[str]]


@pytest.fixture
async def make_raw() -> AsyncIterator[MakeRaw]:
    """A receiver on the level of bytes: what comes is read in part, then the handler has the connection."""
    servers: list[asyncio.Server] = []
    under_way: set[asyncio.Task[Any]] = set()

    async def make(handler: Handler, tls: ssl.SSLContext | None = None) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            under_way.add(task)
            try:
                await reader.read(100)
                await handler(reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                under_way.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}/"

    yield make
    for task in list(under_way):
        task.cancel()
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("what", HOSTILE)
async def test_each_has_its_word(what, make_raw, subscribe, client):
    handler, success, error = HOSTILE[what]
    webhook = await subscribe(await make_raw(handler))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = (await client.post(f"/v1/webhooks/{webhook['id']}/test")).json()
    assert (outcome["success"], outcome["error"]) == (success, error)
    assert outcome["durationMs"] < 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kilobytes"
    (logged,) = (await client.get(f"/v1/webhooks/{webhook['id']}/deliveries")).json()["deliveries"]
    assert len(str(logged)) < 4_000


@pytest.fixture(scope="module")
def nobodys_certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """For 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_bad_certificate_and_none_at_all(make_raw, subscribe, client, nobodys_certificate):
    tls = await make_raw(end, nobodys_certificate)
    plain = (await make_raw(broken_headers)).replace("http:", "https:")
    for url in (tls, plain):
        webhook = await subscribe(url)
        outcome = (await client.post(f"/v1/webhooks/{webhook['id']}/test")).json()
        assert (outcome["success"], outcome["error"]) == (False, "tls_failed")


async def test_nobody_there(subscribe, client):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    webhook = await subscribe(f"http://127.0.0.1:{port}/")
    outcome = (await client.post(f"/v1/webhooks/{webhook['id']}/test")).json()
    assert (outcome["success"], outcome["statusCode"], outcome["error"]) == (False, None, "connect_failed")


async def test_all_of_them_together_hold_up_nobody(make_raw, receiver, subscribe, happen):
    """A well endpoint gets what is its own, in order, while nine hostile ones are told the same."""
    for handler, _, _ in HOSTILE.values():
        await subscribe(await make_raw(handler))
    await subscribe(receiver.url)
    campaign = await happen("start")
    for _ in range(10):
        await happen("pause", "resume", campaign=campaign)
    got = await receiver.wait_for(21)
    assert [each.event["eventType"] for each in got] == [
        "campaign.started",
        *["campaign.paused", "campaign.resumed"] * 10,
    ]
