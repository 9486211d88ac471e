"""Who changed what: written with the change, by everyone who changes something, and never changed itself."""

import psycopg
import pytest


async def log(client, **query):
    return (await client.get("/v1/audit", params={"limit": 100, "cursor": "", **query})).json()


async def test_every_change_stands_there_with_key_address_and_time(client):
    made = await client.post("/v1/campaigns", json={"name": "Spring"})
    campaign = made.json()["id"]
    await client.post("/v1/leads", json={"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]})
    await client.patch(f"/v1/campaigns/{campaign}", json={"name": "Summer"})
    entries = (await log(client))["entries"][-3:]
    assert [entry["action"] for entry in entries] == ["create_campaign", "add_leads", "change_campaign"]
    assert entries[0]["path"] == "/v1/campaigns"
    assert entries[0]["status"] == 201
    assert entries[0]["requestId"] == made.headers["X-Request-Id"]
    assert {(entry["keyName"], entry["address"]) for entry in entries} == {("test", "127.0.0.1")}
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


async def test_what_changes_nothing_leaves_no_entry(client):
    before = await log(client)
    await client.post("/v1/campaigns", json={"name": 5})
    await client.get("/v1/campaigns")
    await client.delete("/v1/campaigns/camp_00000000000000000000000000000000")
    assert await log(client) == before


async def test_a_replayed_request_is_one_change(client):
    for _ in range(2):
        await client.post("/v1/campaigns", json={"name": "Once"}, headers={"Idempotency-Key": "once"})
    entries = (await log(client, action="create_campaign"))["entries"]
    assert len([entry for entry in entries if entry["path"] == "/v1/campaigns"]) == len(entries)
    assert len(entries) == (await client.get("/v1/campaigns")).json()["pagination"]["total"]


async def test_it_is_read_by_cursor_and_by_key(client, make_key):
    own = await make_key("campaigns:write", "audit:read")
    for number in range(3):
        await client.post("/v1/campaigns", json={"name": f"{number}"}, headers=own)
    key_id = (await client.get("/v1/me", headers=own)).json()["apiKey"]["id"]
    found, cursor = [], ""
    while cursor is not None:
        page = await log(client, keyId=key_id, cursor=cursor, limit=2)
        found += page["entries"]
        cursor = page["nextCursor"]
    assert [entry["keyId"] for entry in found] == [key_id] * 3
    refused = await client.get("/v1/audit", params={"keyId": "key_x"})
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "keyId")


async def test_other_workspaces_see_their_own(client, other_headers):
    await client.post("/v1/campaigns", json={"name": "Ours"})
    theirs = (await client.get("/v1/audit", headers=other_headers)).json()["entries"]
    assert [entry["action"] for entry in theirs] == ["workspaces create"]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET key_name = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_nobody_rewrites_it(client, database, statement):
    await client.post("/v1/campaigns", json={"name": "Kept"})
    async with database.session() as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            await connection.execute(statement)
