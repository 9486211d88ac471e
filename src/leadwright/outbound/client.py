"""The one client for what goes out: it never raises for what a receiver does, and cannot be held up or filled up."""

import asyncio
import base64
import contextlib
import errno
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus, urlsplit

import aiohttp
import msgspec
from yarl import URL

from leadwright import __version__
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.guard import AddressRefused, Resolve, free_connector, guarded_connector
from leadwright.outbound.url import UrlRefused, check_url

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0
ANSWER_SECONDS = 5.0
"""How long the body of an answer is read, once its status is known."""
MOST_ANSWER_BYTES = 2_000
USER_AGENT = f"Leadwright/{__version__}"


class FailureCode(StrEnum):
    """Why there was no answer."""

    URL_REFUSED = "url_refused"
    ADDRESS_REFUSED = "address_refused"
    DNS_FAILED = "dns_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    READ_TIMEOUT = "read_timeout"
    CONNECTION_RESET = "connection_reset"
    INVALID_ANSWER = "invalid_answer"


NOTHING_SENT = frozenset(
    {
        FailureCode.URL_REFUSED,
        FailureCode.ADDRESS_REFUSED,
        FailureCode.DNS_FAILED,
        FailureCode.CONNECT_TIMEOUT,
        FailureCode.CONNECT_FAILED,
        FailureCode.TLS_FAILED,
    }
)
"""With these the receiver certainly did not get the request."""


class Answer(msgspec.Struct, frozen=True):
    """``body`` is the beginning of it, ``retry_after`` and ``duration`` are seconds."""

    status: int
    body: str
    retry_after: float | None
    duration: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class Failure(msgspec.Struct, frozen=True):
    code: FailureCode
    message: str
    duration: float


class OutboundClient:
    """Use as an async context manager. Redirects are not followed, cookies and proxies of the environment not used.

    Connections are kept for the next request to the same host. Times in seconds; ``total`` covers a receiver that
    answers byte by byte, whose answer is read only in its beginning.
    """

    def __init__(
        self,
        allowed: AllowedHosts,
        *,
        connect: float = CONNECT_SECONDS,
        total: float = TOTAL_SECONDS,
        answer: float = ANSWER_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = allowed
        self._timeout = aiohttp.ClientTimeout(total=total, sock_connect=connect)
        self._answer_seconds = answer
        self._resolve = resolve
        self._check = lru_cache(maxsize=1024)(self._checked)

    async def __aenter__(self) -> Self:
        self._guarded = self._session(guarded_connector(self._allowed, self._resolve))
        self._free = self._session(free_connector(self._resolve))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._guarded.close()
        await self._free.close()

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=_HEADERS,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | Failure:
        """Sends JSON and tells what became of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            target, session = self._check(url)
            async with session.post(target, data=body, headers=headers, allow_redirects=False) as response:
                text = await self._beginning(response)
                return Answer(
                    response.status, text, retry_after(response.headers.get("Retry-After")), loop.time() - began
                )
        except Exception as error:  # noqa: BLE001 -- whatever a receiver does, it is an outcome and not a fault
            code, message = _failure(error)
            return Failure(code, message, loop.time() - began)

    def _checked(self, url: str) -> tuple[URL, aiohttp.ClientSession]:
        check_url(url, self._allowed)
        host = urlsplit(url).hostname or ""
        return URL(url, encoded=True), self._free if self._allowed.permits_host(host) else self._guarded

    async def _beginning(self, response: aiohttp.ClientResponse) -> str:
        """At most 2,000 bytes. What comes after is not waited for: the connection is dropped instead."""
        if response.content.is_eof():  # as nearly always: it came with the head, and needs no watch
            return _text(response.content.read_nowait(MOST_ANSWER_BYTES))
        found = b""
        try:
            async with asyncio.timeout(self._answer_seconds):
                while len(found) < MOST_ANSWER_BYTES and (chunk := await response.content.read(MOST_ANSWER_BYTES)):
                    found += chunk
        except (TimeoutError, aiohttp.ClientError):
            response.close()
        if not response.content.at_eof():
            response.close()
        return _text(found)


def _text(answer: bytes) -> str:
    return answer[:MOST_ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "") if answer else ""


_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept-Encoding": "identity",
    "Accept": "*/*",
    "Content-Type": "application/json",
}


def _failure(error: Exception) -> tuple[FailureCode, str]:
    """The order matters: the library's exceptions inherit from each other."""
    if isinstance(error, UrlRefused):
        refused = error.code == "address_refused"
        return (FailureCode.ADDRESS_REFUSED if refused else FailureCode.URL_REFUSED), str(error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return FailureCode.CONNECT_TIMEOUT, "no connection within the time"
    if isinstance(error, TimeoutError):
        return FailureCode.READ_TIMEOUT, "no answer within the time"
    if isinstance(error, aiohttp.ClientSSLError):
        return FailureCode.TLS_FAILED, "the certificate or the handshake was not good"
    if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)):
        return FailureCode.CONNECTION_RESET, "the connection ended before the answer"
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return FailureCode.URL_REFUSED, "the address cannot be used"
    return FailureCode.INVALID_ANSWER, f"the answer is not valid HTTP ({type(error).__name__})"


def _not_connected(error: aiohttp.ClientConnectorError) -> tuple[FailureCode, str]:
    cause = error.os_error
    if isinstance(cause, AddressRefused) or cause.errno == errno.EACCES or "not a public address" in str(cause):
        return FailureCode.ADDRESS_REFUSED, "the name leads to no public address"
    if isinstance(error, aiohttp.ClientSSLError):
        return FailureCode.TLS_FAILED, "the certificate or the handshake was not good"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FailureCode.DNS_FAILED, "the name cannot be resolved"
    return FailureCode.CONNECT_FAILED, cause.strerror or "nobody accepts connections there"


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds from a ``Retry-After`` header, which holds those or a date; None when it holds neither."""
    if value is None:
        return None
    text = value.strip()
    if text.isdecimal() and text.isascii() and len(text) <= 9:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None


SHORTEST_PART = 4
_HIDDEN = "•••"


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without these, and without what its end shows of one that was cut: a receiver may echo what it was sent.

    A part of fewer than 4 characters is left: it tells nothing.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
            shown = next((n for n in range(len(secret) - 1, SHORTEST_PART - 1, -1) if text.endswith(secret[:n])), 0)
            text = text[: len(text) - shown] + _HIDDEN if shown else text
    return text


def parts_of(header: str) -> list[str]:
    """What of a header's value must not be shown: the whole, and each longer word, since ``Bearer …`` is told apart;
    of ``Basic …`` also what it stands for, and the password in that."""
    words = [word for word in header.split() if len(word) >= 2 * SHORTEST_PART]
    if header[:6].lower() == "basic ":
        with contextlib.suppress(ValueError):
            pair = base64.b64decode(header[6:], validate=True).decode()
            words += [part for part in (pair, pair.partition(":")[2]) if len(part) >= SHORTEST_PART]
    return [header, *words]


def spellings(secret: str) -> set[str]:
    """How a secret may come back in an answer: as it is, in JSON, in JSON as PHP writes it, in a URL."""
    in_json = json.dumps(secret)[1:-1]
    return {secret, in_json, in_json.replace("/", "\\/"), quote(secret), quote(secret, safe=""), quote_plus(secret)}
