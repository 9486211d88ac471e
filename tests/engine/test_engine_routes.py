"""Deeds and what people did, over HTTP, with the engine of a serving process at work."""

import asyncio
from typing import Any

import httpx
import pytest

from leadwright import ids

INBOUND = "/v1/inbox/inbound"


async def made(client: httpx.AsyncClient, name: str, **config: Any) -> tuple[str, str]:
    """A started campaign that visits and invites, and its sender on the simulated network."""
    sender = await client.post(
        "/v1/senders",
        json={"name": "Sue", "linkedinUrl": f"in/sue-{name}", "channel": "simulator", "config": config},
    )
    assert sender.status_code == 201, sender.text
    sender_id = sender.json()["id"]
    steps = [
        {"type": "visit_profile", "id": "look"},
        {"type": "connect", "id": "invite"},
        {"type": "message", "id": "hello", "text": "Hi"},
    ]
    campaign = await client.post(
        "/v1/campaigns", json={"name": name, "senderIds": [sender_id], "sequence": {"steps": steps}}
    )
    assert campaign.status_code == 201, campaign.text
    campaign_id = campaign.json()["id"]
    await client.patch(f"/v1/campaigns/{campaign_id}", json={"action": "start"})
    return campaign_id, sender_id


async def lead_of(client: httpx.AsyncClient, campaign_id: str, url: str) -> str:
    added = await client.post(
        "/v1/leads?report=full", json={"campaignId": campaign_id, "leads": [{"linkedinUrl": url, "firstName": "Ada"}]}
    )
    return added.json()["results"][0]["leadId"]


async def until(client: httpx.AsyncClient, lead_id: str, status: str) -> None:
    """Asks until the lead has the status, which other processes bring about."""
    async with asyncio.timeout(60):
        while (await client.get(f"/v1/leads/{lead_id}")).json()["status"] != status:
            await asyncio.sleep(0.05)


async def test_a_lead_walks_while_the_server_runs(client: httpx.AsyncClient) -> None:
    campaign_id, sender_id = await made(client, "walk", acceptRate=0, replyRate=0)
    lead_id = await lead_of(client, campaign_id, "in/ada-walks")
    await until(client, lead_id, "CONNECTION_SENT")
    told = {"senderId": sender_id, "linkedinUrl": "in/ada-walks", "type": "connection_accepted", "externalId": "a1"}
    for duplicate in (False, True):
        answer = await client.post(INBOUND, json=told)
        assert (answer.status_code, answer.json()) == (
            200,
            {"success": True, "duplicate": duplicate, "leadId": lead_id},
        )
    await until(client, lead_id, "DONE")
    reply = {"senderId": sender_id, "linkedinUrl": "in/ada-walks", "type": "reply", "text": "Hello", "externalId": "r1"}
    assert (await client.post(INBOUND, json=reply)).json()["leadId"] == lead_id
    await until(client, lead_id, "REPLY_RECEIVED")
    history = (await client.get(f"/v1/leads/{lead_id}/history")).json()["entries"]
    assert [entry["type"] for entry in history].count("performed") == 3


async def visited_and_invited(client: httpx.AsyncClient) -> tuple[str, str]:
    """A campaign and its lead, of whom two deeds are done."""
    name = ids.new_id()
    campaign_id, _ = await made(client, name, acceptRate=0, replyRate=0)
    lead_id = await lead_of(client, campaign_id, f"in/{name}")
    await until(client, lead_id, "CONNECTION_SENT")
    return campaign_id, lead_id


async def test_deeds_are_listed(client: httpx.AsyncClient) -> None:
    await visited_and_invited(client)
    listed = (await client.get("/v1/actions?state=done&limit=2")).json()
    assert len(listed["actions"]) == 2
    more = (await client.get(f"/v1/actions?state=done&limit=2&cursor={listed['nextCursor']}")).json()
    assert {action["id"] for action in listed["actions"]}.isdisjoint(action["id"] for action in more["actions"])
    action_id = listed["actions"][0]["id"]
    over = await client.post(f"/v1/actions/{action_id}/resolve", json={"outcome": "done"})
    assert (over.status_code, over.json()["code"]) == (409, "action_not_open")
    late = await client.post(f"/v1/actions/{action_id}/outcome", json={"status": "done"})
    assert late.status_code == 409


async def test_a_leads_deeds_are_listed(client: httpx.AsyncClient) -> None:
    campaign_id, lead_id = await visited_and_invited(client)
    listed = (await client.get(f"/v1/actions?state=all&leadId={lead_id}&campaignId={campaign_id}")).json()["actions"]
    assert [(deed["stepId"], deed["sequenceVersion"], deed["leadId"]) for deed in listed] == [
        ("look", 1, lead_id),
        ("invite", 1, lead_id),
    ]
    assert all(deed["finishedAt"] is not None for deed in listed)
    refused = await client.get(f"/v1/actions?state=done&campaignId={campaign_id}")
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "campaignId")


async def test_another_workspace_sees_no_deeds(
    client: httpx.AsyncClient, base_url: str, other_headers: dict[str, str]
) -> None:
    _, lead_id = await visited_and_invited(client)
    action_id = (await client.get("/v1/actions?state=done&limit=1")).json()["actions"][0]["id"]
    async with httpx.AsyncClient(base_url=base_url, headers=other_headers, trust_env=False) as other:
        assert (await other.get("/v1/actions?state=done")).json() == {"actions": [], "nextCursor": None}
        assert (await other.get(f"/v1/actions?leadId={lead_id}")).status_code == 404
        for route, body in (("resolve", {"outcome": "done"}), ("outcome", {"status": "done"})):
            answer = await other.post(f"/v1/actions/{action_id}/{route}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "action_not_found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"senderId": "sender_0199c0ffee0070008000000000000001"}, "senderId"),
        ({"senderId": "x"}, "senderId"),
        ({"linkedinUrl": "https://example.com"}, "linkedinUrl"),
        ({"type": "wave"}, "type"),
        ({"text": " "}, "text"),
        ({"occurredAt": "yesterday"}, "occurredAt"),
        ({"occurredAt": "0001-01-01T00:00:00+01:00"}, "occurredAt"),
        ({"occurredAt": "1969-12-31T23:00:00Z"}, "occurredAt"),
        ({"occurredAt": "9999-12-31T23:59:59-23:59"}, "occurredAt"),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, str], field: str) -> None:
    _, sender_id = await made(client, f"refused-{ids.new_id()}")
    body = {"senderId": sender_id, "linkedinUrl": "in/ada", "type": "reply", "text": "Hi", **change}
    answer = await client.post(INBOUND, json=body)
    assert answer.status_code == 400
    assert field in str(answer.json())


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+15:59"])
async def test_a_time_may_have_any_offset(client: httpx.AsyncClient, offset: str) -> None:
    _, sender_id = await made(client, f"offset{offset[0]}{offset[1:3]}", acceptRate=0, replyRate=0)
    told = {"senderId": sender_id, "linkedinUrl": "in/somebody", "type": "reply", "text": "Hello"}
    answer = await client.post(INBOUND, json=told | {"occurredAt": f"2026-01-01T00:00:00{offset}"})
    assert answer.status_code == 200, answer.text
