"""After everybody was erased each GET of the OpenAPI document still answers, about all that is left of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.contract.test_isolation import (
    OPERATIONS,
    REFERENCES,
    SECRET_OF_THE_OTHER,
    Asked,
    Operation,
    World,
    furnish,
    hear,
    inventory,
    settle,
)

from leadwright.postgres.pool import Database
from leadwright.privacy.model import ERASED
from leadwright.settings import Settings

PERSONS = [f"in/{SECRET_OF_THE_OTHER}", f"in/{SECRET_OF_THE_OTHER}-waiting", "in/jane"]
READS = [each for each in OPERATIONS if each.method == "GET"]


@pytest.fixture(scope="module")
def settings() -> Settings:
    """A delivery that failed is tried again long after the tests."""
    return Settings(rate_limit=100_000, webhook_retry_schedule=(604_800.0,))


@pytest.fixture(scope="module")
async def emptied(database: Database, base_url: str, headers: dict[str, str], workspace: Any) -> AsyncIterator[World]:
    """A workspace with one of everything, of which every person has been erased."""
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, trust_env=False) as client:
        await hear(database, workspace.id, await furnish(client))
        await settle(database, workspace.id)
        async with database.session() as connection:
            found = await inventory(connection, workspace.id)
        for person in PERSONS:
            answer = await client.post("/v1/privacy/erase", json={"linkedinUrl": person})
            assert answer.status_code == 200, answer.text
        yield World(client, workspace.id, found)


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.name)
async def test_every_route_reads_what_is_left(emptied: World, operation: Operation) -> None:
    path = {name: emptied.named(name.removesuffix("_id")) for name in operation.in_path}
    query = {name: emptied.named(REFERENCES[name]) for name in operation.needed if name in REFERENCES}
    status, told = await Asked(operation, path, query, None).of(emptied.client)
    assert status == 200, told


async def test_their_conversation_stays_and_says_that_it_was_erased(emptied: World) -> None:
    (found,) = (await emptied.client.get("/v1/inbox/conversations")).json()["conversations"]
    assert found["lastMessage"]["content"] == ERASED
    assert found["participants"][0]["name"] == ERASED
    assert SECRET_OF_THE_OTHER not in json.dumps(found)


async def test_one_that_an_older_version_erased_is_read_too(emptied: World, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE conversation SET last_content = NULL WHERE workspace_id = %s", (emptied.workspace_id,)
        )
    (found,) = (await emptied.client.get("/v1/inbox/conversations")).json()["conversations"]
    assert found["lastMessage"]["content"] == ""


async def test_an_export_of_an_erased_person_holds_nothing_of_them(emptied: World) -> None:
    answer = await emptied.client.post("/v1/privacy/export", json={"linkedinUrl": PERSONS[0]})
    assert answer.status_code == 200, answer.text
    assert not any(answer.json().get(heading) for heading in ("leads", "conversations", "messages", "events"))
