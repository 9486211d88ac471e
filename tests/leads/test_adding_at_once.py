"""Adding in one round trip: it does what the transaction of several does, and leaves to that what it cannot do."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.http import route

ROWS = ["in/one", "in/two", "in/One/", "http://example.com/in/three", {"linkedinUrl": "in/four", "score": [1]}]


async def record(client: httpx.AsyncClient, campaign: str) -> dict[str, Any]:
    """The last import of a campaign, without what is each one's own."""
    found = (await client.get(f"/v1/imports?campaignId={campaign}&limit=100")).json()["imports"][-1]
    told = (await client.get(f"/v1/imports/{found['id']}")).json()
    for outcome in told["outcomes"]:
        outcome.pop("leadId", None)
        outcome.pop("existingLeadId", None)
    return {name: value for name, value in told.items() if name not in ("id", "campaignId", "createdAt")}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with every request that needed a transaction of its own."""
    ran: list[object] = []
    usual = route._run

    async def run(arrival: Any, *rest: Any) -> Any:
        ran.append(arrival)
        return await usual(arrival, *rest)

    monkeypatch.setattr(route, "_run", run)
    return ran


async def test_both_ways_tell_and_keep_the_same(client, make_campaign, add, counted):
    one, other = await make_campaign(), await make_campaign()
    counted.clear()
    told = [await add(one, ROWS), await add(one, [*ROWS, "in/five"])]
    assert counted == []
    assert told == [await add(other, ROWS, "?report=short"), await add(other, [*ROWS, "in/five"], "?report=short")]
    assert len(counted) == 2
    assert await record(client, one) == await record(client, other)
    assert (await record(client, one))["outcomes"][0]["outcome"] == "duplicate"


@pytest.mark.parametrize("mode", ["skip", "fill", "overwrite"])
async def test_a_do_not_contact_list_costs_the_second_way_once(client, make_campaign, add, counted, mode):
    entry = {"entries": [{"linkedinUrl": f"in/never-{mode}"}, {"emailDomain": f"{mode}.example"}]}
    assert (await client.post("/v1/suppressions", json=entry)).status_code == 200
    campaign = await make_campaign()
    await add(campaign, ["in/first"])
    counted.clear()
    rows = [f"in/never-{mode}", {"linkedinUrl": "in/x", "email": f"x@{mode}.example"}, "in/y", "in/y"]
    answer = await add(campaign, rows, onDuplicate=mode)
    assert (answer["leadsAdded"], answer["duplicatesSkipped"]) == (1, 1)
    assert [error["code"] for error in answer["errors"]] == ["suppressed", "suppressed"]
    assert len(counted) == (0 if mode == "skip" else 1)


async def test_a_revoked_key_adds_nothing(anonymous, database, workspace, client, campaign):
    async with database.transaction() as connection:
        made = datetime.now(UTC)
        key, secret = await accounts.create_key(
            connection, name="short-lived", scopes=(), workspace_id=workspace.id, expires_at=None, now=made
        )
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/before"}]}
    asked = {"url": "/v1/leads", "json": body, "headers": {"X-API-Key": secret}}
    assert (await anonymous.post(**asked)).json()["leadsAdded"] == 1
    async with database.transaction() as connection:
        await accounts.revoke_key(connection, key.id, datetime.now(UTC))
    body["leads"].append({"linkedinUrl": "in/after"})
    assert (await anonymous.post(**asked)).status_code == 401
    assert (await client.get(f"/v1/campaigns/{campaign}")).json()["totalLeads"] == 1


async def test_a_campaign_that_finished_by_itself_goes_on(client, database, campaign, add):
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE campaign SET status = 'finished', finished_by = 'system' WHERE id = %s",
            (ids.bare(ids.Prefix.CAMPAIGN, campaign),),
        )
    told = await add(campaign, ["nonsense"], "?report=full")
    assert (told["willProcess"], "by itself" in told["willProcessReason"]) == (False, True)
    assert (await add(campaign, ["in/late"]))["leadsAdded"] == 1
    found = (await client.get(f"/v1/campaigns/{campaign}")).json()
    assert (found["status"], found["totalLeads"]) == ("started", 1)


async def test_its_entry_in_the_audit_log_is_written_with_it(client, database, campaign, add):
    await add(campaign, ["in/noted"])
    async with database.session() as connection:
        cursor = await connection.execute(
            """
            SELECT action, path, status, key_name, address, at = (SELECT max(created_at) FROM lead_import),
                   key_id = (SELECT api_key_id FROM lead_import ORDER BY id DESC LIMIT 1), request_id LIKE 'req_%'
            FROM audit_entry ORDER BY id DESC LIMIT 1
            """
        )
        assert await cursor.fetchone() == ("add_leads", "/v1/leads", 200, "test", "127.0.0.1", True, True, True)


async def test_an_unknown_campaign_leaves_nothing(client, database):
    body = {"campaignId": ids.public(ids.Prefix.CAMPAIGN, ids.new_id()), "leads": [{"linkedinUrl": "in/a"}, 5]}
    before = await written(database)
    assert (await client.post("/v1/leads", json=body)).status_code == 404
    assert await written(database) == before


async def written(database: Any) -> tuple[int, ...]:
    async with database.session() as connection:
        cursor = await connection.execute(
            """
            SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM lead_import),
                   (SELECT count(*) FROM lead_import_outcome), (SELECT count(*) FROM audit_entry)
            """
        )
        return await cursor.fetchone()
