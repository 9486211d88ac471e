"""Campaigns to add leads to, and the two requests that every test of leads makes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

MakeCampaign = Callable[..., Awaitable[str]]
Add = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def make_campaign(client: httpx.AsyncClient) -> MakeCampaign:
    async def make(**fields: Any) -> str:
        answer = await client.post("/v1/campaigns", json={"name": "A campaign", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return make


@pytest.fixture
async def campaign(make_campaign: MakeCampaign) -> str:
    return await make_campaign()


@pytest.fixture
def add(client: httpx.AsyncClient) -> Add:
    """Posts rows (a string is a row with that address) and checks that the counters add up."""

    async def post(campaign: str, rows: Sequence[Any], query: str = "", **more: Any) -> dict[str, Any]:
        leads = [{"linkedinUrl": row} if isinstance(row, str) else row for row in rows]
        answer = await client.post(f"/v1/leads{query}", json={"campaignId": campaign, "leads": leads, **more})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        told = (body["leadsAdded"], body.get("leadsUpdated", 0), body["duplicatesSkipped"], body["invalidEntries"])
        assert sum(told) == len(rows)
        assert len(body.get("errors", [])) == body["invalidEntries"]
        return body

    return post


@pytest.fixture
def read_all(client: httpx.AsyncClient) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    async def read(campaign: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await client.get(f"/v1/leads?campaignId={campaign}&full=1&limit=100&cursor={cursor}")).json()
            found += page["leads"]
            cursor = page["nextCursor"]
        return found

    return read
