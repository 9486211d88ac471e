"""How tests of campaigns ask, and read what is answered."""

from typing import Any

import httpx


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/v1/campaigns", json={"name": "Founders", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(client: httpx.AsyncClient, campaign: dict[str, Any], *actions: str) -> None:
    for action in actions:
        answer = await client.patch(f"/v1/campaigns/{campaign['id']}", json={"action": action})
        assert answer.status_code == 200, answer.text


def refused(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["statusCode"] == status
    return body


def places(answer: httpx.Response) -> list[str]:
    return [detail["path"] for detail in refused(answer)["details"]]
