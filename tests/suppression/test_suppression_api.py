"""The do-not-contact list over HTTP."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.identity import Identity, IdentityKind
from leadwright.people import service as people
from leadwright.postgres.pool import Database
from leadwright.suppression import service

PATH = "/v1/suppressions"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def manager(database: Database, make_key: Any, base_url: str) -> Any:
    """A client with a workspace of its own for each test, whose key may manage the list and nothing else."""
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Suppressions", NOW)
    key = await make_key("suppression:manage", workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        client.workspace_id = workspace.id  # type: ignore[attr-defined]
        yield client


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    return (await client.get(PATH, params={"limit": 100, **query})).json()["suppressions"]


ENTRIES = [
    {"linkedinUrl": "https://www.linkedin.com/in/Jane-Smith/"},
    {"email": "Bob@Example.com"},
    {"emailDomain": "@acme.example"},
    {"company": "Acme  Inc"},
]


async def test_entries_of_every_kind_are_added_and_listed(manager: httpx.AsyncClient) -> None:
    answer = await manager.post(PATH, json={"entries": ENTRIES, "reason": "asked us to stop"})
    assert answer.status_code == 200
    assert answer.json() == {"added": 4, "alreadyPresent": 0, "invalid": 0, "errors": []}
    rows = await listed(manager)
    assert [row["kind"] for row in rows] == ["person", "email", "email_domain", "company"]
    assert [row["value"] for row in rows] == [
        "slug:jane-smith",
        "bob@example.com",
        "acme.example",
        "acme inc",
    ]
    assert [{k: row[k] for k in entry} for row, entry in zip(rows, ENTRIES, strict=True)] == ENTRIES
    assert set(rows[0]) == {
        *("id", "kind", "linkedinUrl", "email", "emailDomain", "company", "value", "reason", "createdAt")
    }
    assert rows[0]["email"] is None
    assert rows[0]["id"].startswith("supp_")
    assert {row["reason"] for row in rows} == {"asked us to stop"}
    assert rows[0]["createdAt"].endswith("Z")


async def test_the_same_entry_counts_once_in_any_spelling(manager: httpx.AsyncClient) -> None:
    entries = [{"email": "a@b.example"}, {"email": " A@B.example"}, {"linkedinUrl": "in/jane"}]
    first = await manager.post(PATH, json={"entries": entries})
    assert first.json() == {"added": 2, "alreadyPresent": 1, "invalid": 0, "errors": []}
    again = await manager.post(PATH, json={"entries": [*entries, {"linkedinUrl": "https://linkedin.com/in/JANE?a=b"}]})
    assert again.json() == {"added": 0, "alreadyPresent": 4, "invalid": 0, "errors": []}
    assert len(await listed(manager)) == 2


async def test_bad_entries_are_told_by_index_and_do_not_hold_up_the_others(
    manager: httpx.AsyncClient,
) -> None:
    entries: list[Any] = [
        {"email": "a@b.example"},
        None,
        {"company": "A", "email": "a@b.example"},
        {"email": "a"},
    ]
    body = (await manager.post(PATH, json={"entries": entries})).json()
    assert (body["added"], body["alreadyPresent"], body["invalid"]) == (1, 0, 3)
    assert [(e["index"], e["code"]) for e in body["errors"]] == [
        (1, "not_an_object"),
        (2, "not_one_key"),
        (3, "invalid_email"),
    ]
    assert all(e["reason"] for e in body["errors"])


async def test_only_bad_entries(manager: httpx.AsyncClient) -> None:
    body = (await manager.post(PATH, json={"entries": [{"email": "a"}]})).json()
    assert (body["added"], body["alreadyPresent"], body["invalid"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "entries"),
        ({"entries": []}, "entries"),
        ({"entries": {}}, "entries"),
        ({"entries": [{"company": "A"}] * 1001}, "entries"),
        ({"entries": [{"company": "A"}], "reason": 5}, "reason"),
        ({"entries": [{"company": "A"}], "reason": "x" * 1001}, "reason"),
        ([], "body"),
        (None, "body"),
    ],
)
async def test_bad_bodies_name_their_field_and_change_nothing(manager: httpx.AsyncClient, body: Any, path: str) -> None:
    answer = await manager.post(PATH, json=body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == [path]
    assert await listed(manager) == []


async def test_a_nul_character_is_refused(manager: httpx.AsyncClient) -> None:
    answer = await manager.post(PATH, json={"entries": [{"company": "A\0B"}]})
    assert answer.status_code == 400
    assert "entries[0].company" in answer.json()["message"]


async def test_the_list_by_page_cursor_and_kind(manager: httpx.AsyncClient) -> None:
    entries = [{"company" if n % 2 else "emailDomain": f"n{n}.example"} for n in range(7)]
    await manager.post(PATH, json={"entries": entries})
    page = (await manager.get(PATH, params={"limit": 3, "page": 3})).json()
    assert [row["value"] for row in page["suppressions"]] == ["n6.example"]
    assert page["pagination"] == {"total": 7, "page": 3, "limit": 3, "totalPages": 3}
    assert "nextCursor" not in page
    assert await listed(manager, page=10**15) == []
    companies = (await manager.get(PATH, params={"kind": "company", "cursor": "", "limit": 2})).json()
    assert [row["value"] for row in companies["suppressions"]] == ["n1.example", "n3.example"]
    assert companies["pagination"]["total"] == 3
    rest = await manager.get(PATH, params={"kind": "company", "cursor": companies["nextCursor"], "limit": 2})
    assert [row["value"] for row in rest.json()["suppressions"]] == ["n5.example"]
    assert rest.json()["nextCursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [("kind=emailDomain", "kind"), ("limit=0", "limit"), ("page=0", "page"), ("cursor=x", "cursor")],
)
async def test_bad_queries_name_their_field(manager: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await manager.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == [field]


async def test_taking_off_the_list(manager: httpx.AsyncClient) -> None:
    await manager.post(PATH, json={"entries": ENTRIES})
    row = (await listed(manager))[0]
    answer = await manager.delete(f"{PATH}/{row['id']}")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "id": row["id"]})
    assert row["id"] not in [r["id"] for r in await listed(manager)]
    gone = await manager.delete(f"{PATH}/{row['id']}")
    assert (gone.status_code, gone.json()["message"]) == (404, "Suppression not found")
    assert (await manager.post(PATH, json={"entries": ENTRIES})).json()["added"] == 1


@pytest.mark.parametrize("name", ["supp_", "supp_x", "x", "supp_" + "0" * 32, "supp_" + "A" * 32, "%00"])
async def test_an_unknown_id_is_not_found(manager: httpx.AsyncClient, name: str) -> None:
    answer = await manager.delete(f"{PATH}/{name}")
    assert (answer.status_code, answer.json()["message"]) == (404, "Suppression not found")


async def test_another_workspace_neither_sees_nor_removes_nor_notices_an_entry(
    manager: httpx.AsyncClient, anonymous: httpx.AsyncClient, other_headers: dict[str, str]
) -> None:
    await manager.post(PATH, json={"entries": ENTRIES[:1]})
    (row,) = await listed(manager)
    anonymous_list = (await anonymous.get(PATH, headers=other_headers)).json()
    assert anonymous_list["suppressions"] == []
    answer = await anonymous.delete(f"{PATH}/{row['id']}", headers=other_headers)
    assert (answer.status_code, answer.json()["message"]) == (404, "Suppression not found")
    added = await anonymous.post(PATH, json={"entries": ENTRIES[:1]}, headers=other_headers)
    assert added.json()["added"] == 1
    assert await listed(manager) == [row]


async def test_the_scope_is_needed(anonymous: httpx.AsyncClient, make_key: Any) -> None:
    key = await make_key("leads:write", "leads:read")
    for answer in (
        await anonymous.post(PATH, json={"entries": ENTRIES}, headers=key),
        await anonymous.get(PATH, headers=key),
        await anonymous.delete(f"{PATH}/supp_1", headers=key),
    ):
        assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks suppression:manage")


async def test_callers_with_the_same_entries_at_once_add_each_once(manager: httpx.AsyncClient) -> None:
    entries = [{"company": f"Company {n}"} for n in range(200)] + [{"linkedinUrl": f"in/p{n}"} for n in range(200)]
    dice = random.Random(3)
    answers = await asyncio.gather(
        *(manager.post(PATH, json={"entries": dice.sample(entries, len(entries))}) for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sum(answer.json()["added"] for answer in answers) == 400
    assert sum(answer.json()["alreadyPresent"] for answer in answers) == 7 * 400


SLUG = Identity(IdentityKind.SLUG, "dora")
TOKEN = Identity(IdentityKind.MEMBER_TOKEN, "ACoAAdora")


async def learn(database: Database, workspace_id: str) -> None:
    async with database.transaction() as connection:
        rekeying = await people.learn_alias(connection, workspace_id, TOKEN, SLUG, NOW)
        assert rekeying is not None
        await service.rekey(connection, workspace_id, rekeying)


async def test_a_person_stays_suppressed_under_the_key_that_a_learned_alias_gives(
    database: Database, manager: Any
) -> None:
    await manager.post(PATH, json={"entries": [{"linkedinUrl": "in/ACoAAdora"}], "reason": "first"})
    await learn(database, manager.workspace_id)
    assert [(row["value"], row["reason"]) for row in await listed(manager)] == [("slug:dora", "first")]
    again = await manager.post(PATH, json={"entries": [{"linkedinUrl": "in/dora"}, {"linkedinUrl": "in/ACoAAdora"}]})
    assert again.json()["alreadyPresent"] == 2


async def test_a_person_suppressed_under_both_keys_is_once_on_the_list(database: Database, manager: Any) -> None:
    await manager.post(PATH, json={"entries": [{"linkedinUrl": "in/ACoAAdora"}, {"linkedinUrl": "in/dora"}]})
    await learn(database, manager.workspace_id)
    assert [row["value"] for row in await listed(manager)] == ["slug:dora"]


async def test_an_alias_learned_at_the_same_moment_leaves_no_suppression_behind(
    database: Database, manager: Any
) -> None:
    """Whoever comes first, the person is suppressed under the canonical key in the end."""
    for _ in range(10):
        workspace_id = ids.new_id()

        async def suppress(workspace_id: str = workspace_id) -> None:
            async with database.transaction() as connection:
                entries = [{"linkedinUrl": "in/ACoAAdora"}]
                await service.add(connection, workspace_id, entries, reason=None, now=NOW)

        await asyncio.gather(suppress(), learn(database, workspace_id), suppress())
        async with database.session() as connection:
            cursor = await connection.execute("SELECT value FROM suppression WHERE workspace_id = %s", (workspace_id,))
            assert await cursor.fetchall() == [("slug:dora",)]
