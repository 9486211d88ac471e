"""Who may do what: keys, scopes, and what a caller learns before either is known."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from leadwright.accounts import service as accounts
from leadwright.accounts import store
from leadwright.accounts.model import Scope, key_digest
from leadwright.http.auth import Authenticator
from leadwright.postgres.pool import Database

Refused = Callable[..., dict[str, Any]]

UNKNOWN_LEAD = "/v1/leads/lead_0199c0ffee0070008000000000000001"
BAD_KEYS = ["lw_live_" + "a" * 36, "x", "ключ".encode().decode("latin-1")]


async def test_an_unknown_id_is_404_with_a_good_key(client: httpx.AsyncClient, refused: Refused) -> None:
    refused(await client.get(UNKNOWN_LEAD), 404, "Lead not found")


@pytest.mark.parametrize("path", [UNKNOWN_LEAD, "/v1/leads/none", "/v1/campaigns", "/api/v1/campaigns"])
async def test_without_a_key_nothing_is_told(anonymous: httpx.AsyncClient, refused: Refused, path: str) -> None:
    body = refused(await anonymous.get(path), 401)
    assert body["code"] == "api_key_missing"
    assert "X-API-Key" in body["message"]


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_with_a_bad_key_nothing_is_told(anonymous: httpx.AsyncClient, refused: Refused, key: str) -> None:
    answer = await anonymous.get(UNKNOWN_LEAD, headers={"X-API-Key": key.encode("latin-1")})
    refused(answer, 401, "Invalid API key")


async def test_the_key_is_checked_before_the_body(anonymous: httpx.AsyncClient, refused: Refused) -> None:
    refused(await anonymous.post("/v1/campaigns", content=b"{"), 401)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("POST", "/v1/nothing/at/all"),
        ("GET", "/v1/leads//"),
        ("GET", "/v1/"),
        ("POST", UNKNOWN_LEAD),
        ("PATCH", "/v1/leads"),
        ("OPTIONS", "/v1/leads"),
        ("POST", "/healthz"),
        ("DELETE", "/openapi.json"),
        ("POST", "/docs/assets/swagger-ui.css"),
        ("GET", "/docs/assets/none.js"),
        ("GET", "/docs/assets/..%2f..%2f__init__.py"),
        ("GET", "/api/v1/nothing"),
        ("POST", "/api/v1/leads/lead_1"),
        ("GET", "/api/v2/leads"),
        ("GET", "/api/v1"),
    ],
)
async def test_an_unknown_route_reads_the_same_with_and_without_a_key(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, refused: Refused, method: str, path: str
) -> None:
    asked = path.replace("%2f", "/")
    for caller in (client, anonymous):
        body = refused(await caller.request(method, path), 404, f"Cannot {method} {asked}")
        assert body["code"] == "route_not_found"


async def test_head_is_an_unknown_route_too(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/leads")
    assert answer.status_code == 404
    assert answer.headers["X-Request-Id"].startswith("req_")


async def test_two_different_keys_are_none(
    anonymous: httpx.AsyncClient, headers: Any, other_headers: Any, refused: Any
):
    one, other = headers["X-API-Key"], other_headers["X-API-Key"]
    for pair in ((one, other), (other, one), (one, "lw_live_none"), (one, "")):
        answer = await anonymous.get("/v1/campaigns", headers=[("X-API-Key", key) for key in pair])
        assert refused(answer, 401)["code"] == "api_key_invalid"
    twice = await anonymous.get("/v1/campaigns", headers=[("X-API-Key", one), ("X-API-Key", one)])
    assert twice.status_code == 200


async def test_the_older_base_path_answers_alike(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/v1/campaigns", json={"name": "Old path"})).json()
    assert (await client.get(f"/v1/campaigns/{made['id']}")).json() == made
    assert (await client.get(f"/api/v1/campaigns/{made['id']}")).json() == made


async def test_a_key_lacks_what_it_was_not_given(anonymous: httpx.AsyncClient, make_key: Any, refused: Refused) -> None:
    only_campaigns = await make_key(Scope.CAMPAIGNS_READ)
    assert (await anonymous.get("/v1/campaigns", headers=only_campaigns)).status_code == 200
    body = refused(await anonymous.get("/v1/leads", headers=only_campaigns), 403, "Key lacks leads:read")
    assert body["code"] == "scope_missing"


async def test_the_scope_is_checked_before_existence(
    anonymous: httpx.AsyncClient, make_key: Any, refused: Refused
) -> None:
    only_campaigns = await make_key(Scope.CAMPAIGNS_READ)
    refused(await anonymous.get(UNKNOWN_LEAD, headers=only_campaigns), 403, "Key lacks leads:read")


async def test_a_key_with_every_scope_is_stored_as_one_for_all(make_key: Any, database: Database) -> None:
    key = await make_key(*Scope)
    async with database.session() as connection:
        found = await store.principal(connection, key_digest(key["X-API-Key"]))
    assert found is not None
    assert found.scopes == ("*",)


async def test_an_expired_key_is_refused(serve: Any, database: Database, clock: Any, make_key: Any) -> None:
    key = await make_key(expires_at=clock() + timedelta(hours=1))
    async with serve(database, clock=clock) as caller:
        assert (await caller.get("/v1/campaigns", headers=key)).status_code == 200
        clock.turn(timedelta(hours=1))
        answer = await caller.get("/v1/campaigns", headers=key)
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid API key")


async def test_a_revoked_key_is_refused_at_once(
    anonymous: httpx.AsyncClient, make_key: Any, database: Database, refused: Refused
) -> None:
    key = await make_key()
    assert (await anonymous.get("/v1/campaigns", headers=key)).status_code == 200
    async with database.transaction() as connection:
        found = await store.principal(connection, key_digest(key["X-API-Key"]))
        assert found is not None
        await accounts.revoke_key(connection, found.key_id, datetime.now(UTC))
    refused(await anonymous.get("/v1/campaigns", headers=key), 401, "Invalid API key")
    refused(await anonymous.post("/v1/campaigns", headers=key, json={"name": "Late"}), 401)


async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    answers = [
        await client.get("/v1/campaigns"),
        await anonymous.get("/v1/campaigns"),
        await anonymous.get("/healthz"),
        await anonymous.get("/docs"),
        await anonymous.get("/nowhere"),
    ]
    request_ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(request_ids)) == len(answers)
    assert all(request_id.startswith("req_") for request_id in request_ids)


async def last_use(database: Database, key_id: str) -> datetime | None:
    async with database.session() as connection:
        return next(key.last_used_at for key in await store.keys(connection) if key.id == key_id)


async def test_the_use_of_a_key_is_noted_at_most_once_a_minute(make_key: Any, database: Database) -> None:
    key = await make_key()
    async with database.session() as connection:
        principal = await store.principal(connection, key_digest(key["X-API-Key"]))
    assert principal is not None
    one_process, another = Authenticator(database), Authenticator(database)
    first = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    async def use(authenticator: Authenticator, seconds: int) -> datetime | None:
        authenticator.note_use(principal, first + timedelta(seconds=seconds))
        await authenticator.close()
        return await last_use(database, principal.key_id)

    assert await last_use(database, principal.key_id) is None
    assert await use(one_process, 0) == first
    assert await use(one_process, 59) == first
    assert await use(another, 30) == first
    assert await use(one_process, 61) == first + timedelta(seconds=61)


async def test_a_request_is_such_a_use(serve: Any, make_key: Any, database: Database, clock: Any) -> None:
    key = await make_key()
    async with serve(database, clock=clock) as caller:
        await caller.get("/v1/campaigns", headers=key)
    async with database.session() as connection:
        principal = await store.principal(connection, key_digest(key["X-API-Key"]))
    assert principal is not None
    assert await last_use(database, principal.key_id) == clock()
