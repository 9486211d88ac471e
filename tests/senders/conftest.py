"""A client with a workspace of its own, and senders in it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(rate_limit=100_000, webhook_allow_hosts=("127.0.0.1",))


@pytest.fixture
async def own(
    base_url: str, database: Database, make_key: Callable[..., Awaitable[dict[str, str]]]
) -> AsyncIterator[httpx.AsyncClient]:
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Own", NOW)
    key = await make_key(workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        client.workspace_id = workspace.id  # type: ignore[attr-defined]
        yield client


def body(**fields: Any) -> dict[str, Any]:
    """A simulator sender of an account that no other test has."""
    number = next(_NUMBERS)
    return {
        "name": "Ada Lovelace",
        "linkedinUrl": f"https://www.linkedin.com/in/ada-sender-{number}",
        "channel": "simulator",
        **fields,
    }


@pytest.fixture
def make_sender(own: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def make(**fields: Any) -> dict[str, Any]:
        answer = await own.post("/v1/senders", json=body(**fields))
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make
