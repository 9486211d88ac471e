"""What a key may know and do of its own workspace, over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from leadwright.accounts.model import Scope


async def test_me_names_the_key_and_what_it_may_do(client):
    body = (await client.get("/v1/me")).json()
    assert set(body) == {"apiKey", "workspace", "subscription", "missingScopes"}
    assert body["apiKey"] | {"id": "", "scopes": []} == {
        "id": "", "name": "test", "scopes": [], "expiresAt": None, "rateLimit": 100_000,
    }  # fmt: skip
    assert body["apiKey"]["scopes"] == list(Scope)
    assert body["workspace"]["name"] == "Default"
    assert (body["subscription"], body["missingScopes"]) == ({"status": "active"}, [])


async def test_any_key_may_ask_who_it_is(client, make_key):
    headers = await make_key("leads:write")
    assert (await client.get("/v1/me", headers=headers)).json()["apiKey"]["scopes"] == ["leads:write"]
    assert (await client.get("/api/v1/me", headers={"X-API-Key": "lw_live_wrong"})).status_code == 401


async def test_credits_are_numbers_and_a_date(client, make_key):
    body = (await client.get("/v1/credits")).json()
    assert body | {"nextResetDate": ""} == {
        "available": 1_000_000, "subscription": 1_000_000, "purchased": 0, "used": 0, "nextResetDate": "",
    }  # fmt: skip
    assert datetime.fromisoformat(body["nextResetDate"]) > datetime.now(UTC)
    refused = await client.get("/v1/credits", headers=await make_key("leads:read"))
    assert (refused.status_code, refused.json()["message"]) == (403, "Key lacks workspace:read")


async def test_a_key_is_made_listed_used_and_revoked(client):
    made = (await client.post("/v1/keys", json={"name": "crm", "scopes": ["leads:read"]})).json()
    assert made["scopes"] == ["leads:read"]
    assert made["secret"].startswith(made["shown"])
    own = {"X-API-Key": made["secret"]}
    assert (await client.get("/v1/leads", headers=own)).status_code == 200
    listed = (await client.get("/v1/keys")).json()
    assert made["id"] in {key["id"] for key in listed["keys"]}
    assert made["secret"] not in str(listed)
    assert (await client.delete(f"/v1/keys/{made['id']}")).json() == {"success": True, "id": made["id"]}
    assert (await client.get("/v1/leads", headers=own)).status_code == 401


async def test_a_key_cannot_grant_more_than_it_may(client, make_key):
    clerk = await make_key("keys:manage", "leads:read", expires_at=datetime.now(UTC) + timedelta(days=1))
    for body, named in (
        ({"name": "x", "scopes": ["leads:write"]}, "scopes"),
        ({"name": "x", "scopes": ["*"]}, "scopes"),
        ({"name": "x", "scopes": ["leads:read"]}, "expiresAt"),
        ({"name": "x", "expiresAt": "2999-01-01T00:00:00Z"}, "expiresAt"),
        ({"name": "x", "scopes": ["nothing:read"]}, "nothing:read"),
    ):
        refused = await client.post("/v1/keys", json=body, headers=clerk)
        assert (refused.status_code, named in refused.json()["message"]) == (400, True), refused.text
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    heir = (await client.post("/v1/keys", json={"name": "x", "expiresAt": soon}, headers=clerk)).json()
    assert heir["scopes"] == ["keys:manage", "leads:read"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "scopes": "leads:read"},
        {"name": "x", "expiresAt": "2001-01-01T00:00:00Z"},
        {"name": "x", "expiresAt": "9999-12-31T23:59:59-23:59"},
        {"name": "x", "expiresAt": "2999-01-01T00:00:00"},
    ],
)
async def test_a_bad_key_is_refused(client, body):
    assert (await client.post("/v1/keys", json=body)).status_code == 400


async def test_a_key_may_end_at_a_time_with_any_offset(client):
    made = await client.post("/v1/keys", json={"name": "far", "expiresAt": "2999-01-02T00:00:00+23:59"})
    assert (made.status_code, made.json()["expiresAt"]) == (201, "2999-01-01T00:01:00.000Z")


async def test_another_workspaces_keys_are_unknown(client, other_headers):
    made = (await client.post("/v1/keys", json={"name": "ours"})).json()
    refused = await client.delete(f"/v1/keys/{made['id']}", headers=other_headers)
    assert (refused.status_code, refused.json()["message"]) == (404, "Key not found")
    assert made["id"] not in (await client.get("/v1/keys", headers=other_headers)).text
    assert (await client.get("/v1/me", headers={"X-API-Key": made["secret"]})).status_code == 200


async def test_the_workspace_is_renamed(client, other_headers):
    assert (await client.patch("/v1/workspace", json={"name": "Acme"}, headers=other_headers)).json()["name"] == "Acme"
    assert (await client.get("/v1/workspace", headers=other_headers)).json()["name"] == "Acme"
    assert (await client.get("/v1/workspace")).json()["name"] == "Default"
