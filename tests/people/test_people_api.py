"""POST /v1/identity/resolve over HTTP."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright.accounts.model import Workspace
from leadwright.identity import IDENTITY_VERSION, Identity, linkedin_identity
from leadwright.people import service
from leadwright.postgres.pool import Database

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "/v1/identity/resolve"


def identity(url: str) -> Identity:
    found = linkedin_identity(url)
    assert isinstance(found, Identity)
    return found


async def learn(database: Database, workspace: Workspace, one: str, other: str) -> None:
    async with database.transaction() as connection:
        await service.learn_alias(connection, workspace.id, identity(one), identity(other), NOW)


async def test_one_address(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"linkedinUrl": "https://uk.linkedin.com/in/John-Doe/?x=1"})
    assert answer.status_code == 200
    assert answer.json() == {
        "linkedinUrl": "https://uk.linkedin.com/in/John-Doe/?x=1",
        "valid": True,
        "kind": "slug",
        "key": "john-doe",
        "identityKey": "slug:john-doe",
        "canonical": "slug:john-doe",
        "aliases": [],
        "suppressed": False,
        "code": None,
        "reason": None,
        "version": IDENTITY_VERSION,
    }


async def test_several_addresses_in_order(client: httpx.AsyncClient) -> None:
    urls = ["in/anna", "https://example.com/in/anna", "", "https://www.linkedin.com/in/ANNA"]
    body = (await client.post(PATH, json={"linkedinUrls": urls})).json()
    assert body["version"] == IDENTITY_VERSION
    assert [result["linkedinUrl"] for result in body["results"]] == urls
    assert [result["valid"] for result in body["results"]] == [True, False, False, True]
    assert [result["code"] for result in body["results"]] == [None, "wrong_host", "empty", None]
    assert body["results"][1]["reason"]
    assert body["results"][1]["canonical"] is None
    assert body["results"][0]["canonical"] == body["results"][3]["canonical"] == "slug:anna"


async def test_aliases_are_followed_in_their_workspace_only(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    database: Database,
    workspace: Workspace,
    other_headers: dict[str, str],
) -> None:
    await learn(database, workspace, "in/berta", "in/ACoAAberta")
    await learn(database, workspace, "in/ACoAAberta", "linkedin.com/sales/lead/ACwAAberta,NAME_SEARCH,x")
    request = {"linkedinUrls": ["in/ACoAAberta", "in/berta"]}
    for result in (await client.post(PATH, json=request)).json()["results"]:
        assert result["canonical"] == "slug:berta"
        assert result["aliases"] == ["member_token:ACoAAberta", "sales_token:ACwAAberta"]
    elsewhere = (await anonymous.post(PATH, json=request, headers=other_headers)).json()["results"]
    assert [(result["canonical"], result["aliases"]) for result in elsewhere] == [
        ("member_token:ACoAAberta", []),
        ("slug:berta", []),
    ]


async def test_a_suppressed_person_is_shown_under_every_key(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    database: Database,
    workspace: Workspace,
    other_headers: dict[str, str],
) -> None:
    await learn(database, workspace, "in/carla", "in/ACoAAcarla")
    await client.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/ACoAAcarla"}]})
    request = {"linkedinUrls": ["in/carla", "in/ACoAAcarla", "in/somebody-else"]}
    results = (await client.post(PATH, json=request)).json()["results"]
    assert [result["suppressed"] for result in results] == [True, True, False]
    elsewhere = (await anonymous.post(PATH, json=request, headers=other_headers)).json()["results"]
    assert not any(result["suppressed"] for result in elsewhere)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "body"),
        ({"linkedinUrl": "in/a", "linkedinUrls": ["in/a"]}, "body"),
        ({"linkedinUrl": None}, "linkedinUrl"),
        ({"linkedinUrl": 5}, "linkedinUrl"),
        ({"linkedinUrls": "in/a"}, "linkedinUrls"),
        ({"linkedinUrls": []}, "linkedinUrls"),
        ({"linkedinUrls": ["in/a"] * 101}, "linkedinUrls"),
        ({"linkedinUrls": ["in/a", None]}, "linkedinUrls[1]"),
        ([], "body"),
    ],
)
async def test_bad_bodies_name_their_field(client: httpx.AsyncClient, body: Any, path: str) -> None:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == [path]


async def test_a_hundred_hostile_addresses_get_an_answer_each(client: httpx.AsyncClient) -> None:
    urls = [f"https://www.linkedin.com/in/{chr(code)}\u202e%00" for code in range(1, 101)]
    results = (await client.post(PATH, json={"linkedinUrls": urls})).json()["results"]
    assert [result["linkedinUrl"] for result in results] == urls
    assert not any(result["valid"] for result in results)


async def test_the_scope_is_needed(anonymous: httpx.AsyncClient, make_key: Any) -> None:
    answer = await anonymous.post(PATH, json={"linkedinUrl": "in/a"}, headers=await make_key("events:read"))
    assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks leads:read")
    assert (await anonymous.post(PATH, json={"linkedinUrl": "in/a"})).status_code == 401
