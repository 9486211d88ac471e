"""One serving process: its application and its background duties, started and stopped in order."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import asynccontextmanager
from typing import cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadwright import ids
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.errors import HeadTooLarge, InvalidRequest, LeadwrightError, TooSlow
from leadwright.http import idempotency
from leadwright.http.app import create_app
from leadwright.http.auth import Authenticator
from leadwright.http.limits import RateLimiter
from leadwright.http.problems import REQUEST_ID_HEADER, problem
from leadwright.http.route import Edge
from leadwright.http.transport import JoiningTransport
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database
from leadwright.settings import Settings
from leadwright.workers import ALL_PARTS, Part, working

GRACE_SECONDS = 8
MOST_HEAD_BYTES = 64_000
LONGEST_ARRIVAL_SECONDS = 30


class Protocol(HttpToolsProtocol):
    """Sends an answer in one piece, and answers bytes that are no HTTP in the shape of every other error."""

    _head_open = True
    _head_too_large = False
    _arrival: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, JoiningTransport(transport)))
        self._head_bytes = 0
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True
        self._head_bytes = 0
        self._expect()

    def on_headers_complete(self) -> None:
        """Measures a head that came in large pieces; the parser's own limit, of paths alone, comes behind."""
        if self._head_bytes + self._piece_bytes > MOST_HEAD_BYTES and self._head_size() > MOST_HEAD_BYTES:
            self._head_too_large = True
            raise HeadTooLarge
        self._head_open = False
        super().on_headers_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def _expect(self) -> None:
        """Gives the caller so long for the whole request; between two requests uvicorn has a limit of its own."""
        self._expect_nothing()
        self._arrival = self.loop.call_later(LONGEST_ARRIVAL_SECONDS, self._too_slow)

    def _expect_nothing(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            seconds = LONGEST_ARRIVAL_SECONDS
            self._refuse("408 Request Timeout", TooSlow(f"The request did not arrive whole within {seconds} seconds"))

    def data_received(self, data: bytes) -> None:
        """Ends the connection of a caller whose path and headers do not end."""
        self._piece_bytes = len(data)
        super().data_received(data)
        self._head_bytes += len(data) if self._head_open else 0
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def send_400_response(self, msg: str) -> None:
        del msg
        if self._head_too_large:
            self._refuse_head()
        else:
            self._refuse("400 Bad Request", InvalidRequest("The request is not valid HTTP", code="invalid_http"))

    def _refuse_head(self) -> None:
        self._refuse("431 Request Header Fields Too Large", HeadTooLarge())

    def _refuse(self, status: str, fault: LeadwrightError) -> None:
        request_id = ids.public(ids.Prefix.REQUEST, ids.new_id())
        answer = problem(fault, request_id)
        headers = [*answer.raw_headers, (REQUEST_ID_HEADER.lower().encode(), request_id.encode())]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(
            b"HTTP/1.1 %b\r\nconnection: close\r\n" % status.encode() + head + b"\r\n" + bytes(answer.body)
        )
        self.transport.close()


class Server(uvicorn.Server):
    """An HTTP server that tells when it accepts connections, and leaves the signals to its caller.

    So the database closes after the last request, not before. ``stop`` lets requests under way finish (8 s), and ends
    what would go on for ever.
    """

    def __init__(self, app: FastAPI) -> None:
        edge: Edge = app.state.edge
        self._ending = edge.ending
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True
        self._ending()


@asynccontextmanager
async def serving(
    database: Database,
    settings: Settings,
    clock: Clock,
    secrets: SecretBox,
    *,
    parts: Collection[Part] = ALL_PARTS,
) -> AsyncGenerator[FastAPI]:
    """The application with its background work running, on an open database; both end with the block."""
    allowed = AllowedHosts.parse(settings.webhook_allow_hosts)
    authenticator = Authenticator(database)
    async with (
        OutboundClient(allowed, total=settings.webhook_timeout) as outbound,
        working(database, settings, clock, secrets, outbound, parts=parts) as workers,
    ):
        edge = Edge(
            database=database,
            clock=clock,
            authenticator=authenticator,
            rate_limiter=RateLimiter(database, settings.rate_limit),
            waiting=idempotency.Waiting(),
            max_body_bytes=settings.max_body_bytes,
            secrets=secrets,
            outbound=outbound,
            committed=workers.committed,
            published=workers.published,
            ending=workers.ending,
        )
        try:
            yield create_app(edge, settings)
        finally:
            await authenticator.close()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; a busy port is an error here, not after the start."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only on sockets that say they are TCP; with it on, every second answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(2048)
    listening.setblocking(False)
    return listening
