"""Section 4 of the wire contract: what a key may know of itself and of its workspace."""

from datetime import UTC, datetime, timedelta

from leadwright.accounts.model import Scope


async def test_4_me_tells_the_key_and_its_workspace(own):
    body = (await own.get("/v1/me")).json()
    assert set(body) == {"apiKey", "workspace", "subscription", "missingScopes"}
    assert set(body["apiKey"]) == {"id", "name", "scopes", "expiresAt", "rateLimit"}
    assert set(body["workspace"]) == {"id", "name"}
    assert set(body["subscription"]) == {"status"}
    assert body["missingScopes"] == []


async def test_4_me_has_values_of_these_kinds(own, connect, make_key):
    body = (await own.get("/v1/me")).json()
    assert body["apiKey"]["id"].startswith("key_")
    assert (body["apiKey"]["name"], body["apiKey"]["expiresAt"]) == ("test", None)
    assert (type(body["apiKey"]["rateLimit"]), body["subscription"]["status"]) == (int, "active")
    assert body["workspace"] == {"id": f"ws_{own.workspace_id}", "name": "Own"}
    until = datetime.now(UTC) + timedelta(days=1)
    expiring = await make_key(workspace_id=own.workspace_id, expires_at=until)
    told = (await own.get("/v1/me", headers=expiring)).json()["apiKey"]["expiresAt"]
    assert abs(datetime.fromisoformat(told) - until) < timedelta(seconds=1)


async def test_4_me_tells_exactly_the_scopes_of_the_key(own, connect):
    assert (await own.get("/v1/me")).json()["apiKey"]["scopes"] == list(Scope)
    clerk = await connect("leads:read", "campaigns:read", workspace_id=own.workspace_id)
    assert (await clerk.get("/v1/me")).json()["apiKey"]["scopes"] == ["campaigns:read", "leads:read"]


async def test_4_credits_are_numbers_and_a_date_and_never_null(own):
    body = (await own.get("/v1/credits")).json()
    assert set(body) == {"available", "subscription", "purchased", "used", "nextResetDate"}
    assert all(type(body[name]) is int for name in set(body) - {"nextResetDate"})
    assert body["available"] == body["subscription"] + body["purchased"] - body["used"]
    assert datetime.fromisoformat(body["nextResetDate"]) > datetime.now(UTC)


async def test_4_keys_are_managed_by_keys_that_may(own, connect, refused):
    made = (await own.post("/v1/keys", json={"name": "crm", "scopes": ["leads:read"]})).json()
    assert made["id"] in {key["id"] for key in (await own.get("/v1/keys")).json()["keys"]}
    own_key = {"X-API-Key": made["secret"]}
    assert (await own.get("/v1/leads", headers=own_key)).status_code == 200
    refused(await own.post("/v1/keys", json={"name": "x"}, headers=own_key), 403, "Key lacks keys:manage")
    assert (await own.delete(f"/v1/keys/{made['id']}")).status_code == 200
    refused(await own.get("/v1/leads", headers=own_key), 401)


async def test_4_the_workspace_is_renamed_by_keys_that_may(own, connect, refused):
    assert (await own.patch("/v1/workspace", json={"name": "Acme"})).json()["name"] == "Acme"
    assert (await own.get("/v1/me")).json()["workspace"]["name"] == "Acme"
    clerk = await connect("workspace:read", workspace_id=own.workspace_id)
    refused(await clerk.patch("/v1/workspace", json={"name": "X"}), 403, "Key lacks keys:manage")
