"""What the tests of the edge share: servers beside the module's own, and the shape that every error has."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx
import pytest

from leadwright.clock import Clock, system_clock
from leadwright.crypto import SecretBox
from leadwright.http.server import Server, bind, serving
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

ERROR_KEYS = {"statusCode", "message", "error", "code", "requestId"}
CAMPAIGN = {"name": "Spring"}


@dataclass
class TurnableClock:
    """A clock that stands still until it is turned."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock(datetime.now(UTC))


class Serve(Protocol):
    def __call__(
        self, database: Database, settings: Settings = ..., clock: Clock = ...
    ) -> AbstractAsyncContextManager[httpx.AsyncClient]: ...


@pytest.fixture
def serve() -> Serve:
    """Runs one more server for a block and gives a client without a key."""

    @asynccontextmanager
    async def started(
        database: Database, settings: Settings | None = None, clock: Clock = system_clock
    ) -> AsyncGenerator[httpx.AsyncClient]:
        async with serving(
            database, settings or Settings(rate_limit=100_000), clock, SecretBox("a key for tests only")
        ) as app:
            server, listening = Server(app), bind("127.0.0.1", 0)
            running = asyncio.create_task(server.serve(sockets=[listening]))
            await server.accepting.wait()
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
                yield client
            server.stop()
            await running

    return started


@pytest.fixture(scope="session")
def refused() -> Callable[..., dict[str, Any]]:
    """Checks that an answer is an error of the contract's one shape, and gives its body."""

    def check(response: httpx.Response, status: int, message: str | None = None) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/json"
        body = response.json()
        assert set(body) - {"details"} == ERROR_KEYS
        assert body["statusCode"] == status
        assert body["error"] == HTTPStatus(status).phrase
        assert body["requestId"] == response.headers["X-Request-Id"]
        assert "Traceback" not in response.text
        assert "<html" not in response.text.lower()
        if message is not None:
            assert body["message"] == message
        return body

    return check
