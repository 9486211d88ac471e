"""What an outside client needs: the document, a workspace that holds nothing yet, the shape of every error."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from tests.starting import startable

from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Database

JSON = dict[str, Any]
Connect = Callable[..., Awaitable[httpx.AsyncClient]]

ERROR_KEYS = {"statusCode", "message", "error", "code", "requestId"}
"""What Leadwright's errors hold; the first three are the public API's."""


@pytest.fixture(scope="module")
async def document(anonymous: httpx.AsyncClient) -> JSON:
    return (await anonymous.get("/openapi.json")).json()


@pytest.fixture
async def connect(
    base_url: str, database: Database, make_key: Callable[..., Awaitable[dict[str, str]]]
) -> AsyncIterator[Connect]:
    """Makes clients, each of a fresh workspace unless one is named, with the scopes that are named or all."""
    opened: list[httpx.AsyncClient] = []

    async def make(*scopes: str, workspace_id: str | None = None) -> httpx.AsyncClient:
        if workspace_id is None:
            async with database.transaction() as connection:
                workspace_id = (await accounts.create_workspace(connection, "Own", datetime.now(UTC))).id
        key = await make_key(*scopes, workspace_id=workspace_id)
        client = httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False)
        client.workspace_id = workspace_id  # type: ignore[attr-defined]
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def own(connect: Connect) -> httpx.AsyncClient:
    """A client with a key for everything in a workspace that holds nothing yet."""
    return await connect()


@pytest.fixture
async def stranger(connect: Connect) -> httpx.AsyncClient:
    """The same in another workspace."""
    return await connect()


@pytest.fixture(scope="session")
def refused() -> Callable[..., JSON]:
    """Checks that an answer is an error of the contract's one shape, and gives its body."""

    def check(answer: httpx.Response, status: int, message: str | None = None) -> JSON:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert set(body) - {"details"} == ERROR_KEYS
        assert (body["statusCode"], body["error"]) == (status, HTTPStatus(status).phrase)
        assert all(type(body[name]) is str and body[name] for name in ("message", "code", "requestId"))
        if message is not None:
            assert body["message"] == message
        return body

    return check


@pytest.fixture
def make_campaign(own: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    """Makes a campaign in the own workspace, which can be started unless the fields say otherwise; answers its id."""

    async def make(**fields: Any) -> str:
        answer = await own.post("/v1/campaigns", json={"name": "Campaign", **await startable(own), **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return make


@pytest.fixture
async def campaign(make_campaign: Callable[..., Awaitable[str]]) -> str:
    return await make_campaign()


@pytest.fixture
def add(own: httpx.AsyncClient) -> Callable[..., Awaitable[JSON]]:
    """Adds rows to a campaign, a text being a row with that address; answers the body of the 200."""

    async def post(campaign: str, rows: list[Any], query: str = "", **more: Any) -> JSON:
        leads = [{"linkedinUrl": row} if isinstance(row, str) else row for row in rows]
        answer = await own.post(f"/v1/leads{query}", json={"campaignId": campaign, "leads": leads, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.fixture
def leads_of(own: httpx.AsyncClient) -> Callable[..., Awaitable[list[JSON]]]:
    async def read(campaign: str, **query: Any) -> list[JSON]:
        answer = await own.get("/v1/leads", params={"campaignId": campaign, "limit": 100, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["leads"]

    return read


@pytest.fixture
def feed(own: httpx.AsyncClient) -> Callable[..., Awaitable[list[JSON]]]:
    """Follows the own workspace's event feed from its beginning until it holds so many events of the types named."""

    async def follow(count: int, *types: str) -> list[JSON]:
        found: list[JSON] = []
        cursor = ""
        async with asyncio.timeout(60):
            while len(found) < count:
                query = {"after": cursor, "types": ",".join(types)} if types else {"after": cursor}
                page = (await own.get("/v1/events", params=query)).json()
                found, cursor = found + page["events"], page["nextCursor"]
        return found

    return follow
