"""Deeds of the http channel whose outcome comes later, or is not known, with a server's engine at work."""

import asyncio
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.settings import Settings


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(rate_limit=100_000, webhook_allow_hosts=("127.0.0.1",))


async def begun(client: httpx.AsyncClient, endpoint: Any) -> str:
    """A lead of a started campaign that visits a profile and follows, by the endpoint."""
    name = ids.new_id()
    account = {"name": "Sue", "linkedinUrl": f"in/{name}", "limits": {"minGap": {"seconds": 0}}}
    sender = await client.post("/v1/senders", json={**account, "channel": "http", "config": {"url": endpoint.url}})
    assert sender.status_code == 201, sender.text
    steps = [{"type": "visit_profile", "id": "look"}, {"type": "follow", "id": "follow"}]
    body = {"name": "Late", "senderIds": [sender.json()["id"]], "sequence": {"steps": steps}}
    campaign = (await client.post("/v1/campaigns", json=body)).json()["id"]
    started = await client.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})
    assert started.status_code == 200, started.text
    leads = {"campaignId": campaign, "leads": [{"linkedinUrl": f"in/lead-{name}"}]}
    return (await client.post("/v1/leads?report=full", json=leads)).json()["results"][0]["leadId"]


async def deed_in(client: httpx.AsyncClient, state: str, lead_id: str) -> str:
    """The lead's deed, as soon as it is in the state; another process brings that about."""
    async with asyncio.timeout(60):
        while True:
            listed = (await client.get(f"/v1/actions?state={state}&limit=100")).json()["actions"]
            for action in listed:
                if action["leadId"] == lead_id:
                    return action["id"]
            await asyncio.sleep(0.05)


async def through(client: httpx.AsyncClient, lead_id: str) -> None:
    async with asyncio.timeout(60):
        while (await client.get(f"/v1/leads/{lead_id}")).json()["status"] != "DONE":
            await asyncio.sleep(0.05)


def asked(endpoint: Any, want: str) -> list[str]:
    return [each["type"] for each in endpoint.asked if each["want"] == want]


async def test_an_accepted_deed_is_over_when_its_outcome_is_told(client: httpx.AsyncClient, endpoint: Any) -> None:
    endpoint.answers = [{"status": "accepted", "externalId": "theirs-1"}]
    lead_id = await begun(client, endpoint)
    action_id = await deed_in(client, "performing", lead_id)
    path = f"/v1/actions/{action_id}/outcome"
    async with asyncio.timeout(60):  # the deed is listed from before its endpoint has answered
        while (await client.get(f"/v1/leads/{lead_id}/why")).json()["dueAt"] is not None or not endpoint.asked:
            await asyncio.sleep(0.05)
    told = await client.post(path, json={"status": "done", "externalId": "theirs-1"})
    assert told.status_code == 200, told.text
    await through(client, lead_id)
    assert asked(endpoint, "perform") == ["visit_profile", "follow"]
    assert (await client.post(path, json={"status": "done"})).json()["code"] == "action_not_open"


async def test_an_uncertain_deed_that_was_not_done_is_done_again_once(client: httpx.AsyncClient, endpoint: Any) -> None:
    endpoint.answers = [{"status": "unknown"}]
    lead_id = await begun(client, endpoint)
    action_id = await deed_in(client, "uncertain", lead_id)
    assert (await client.get(f"/v1/leads/{lead_id}/why")).json()["heldBy"][0]["rule"] == "uncertain_action"
    resolved = await client.post(f"/v1/actions/{action_id}/resolve", json={"outcome": "not_done"})
    assert resolved.status_code == 200, resolved.text
    await through(client, lead_id)
    assert asked(endpoint, "perform") == ["visit_profile", "visit_profile", "follow"]


async def test_an_uncertain_deed_that_was_done_lets_its_lead_go_on(client: httpx.AsyncClient, endpoint: Any) -> None:
    endpoint.answers = [{"status": "unknown"}]
    lead_id = await begun(client, endpoint)
    action_id = await deed_in(client, "uncertain", lead_id)
    resolved = await client.post(f"/v1/actions/{action_id}/resolve", json={"outcome": "done"})
    assert resolved.status_code == 200, resolved.text
    async with asyncio.timeout(60):
        while "follow" not in asked(endpoint, "perform"):
            await asyncio.sleep(0.05)
    assert asked(endpoint, "perform").count("visit_profile") == 1


async def test_an_outcome_counts_when_the_deed_was_put_off(client: httpx.AsyncClient, endpoint: Any) -> None:
    endpoint.answers = [{"status": "temporary", "retryAfter": 3_600}]
    lead_id = await begun(client, endpoint)
    action_id = await deed_in(client, "cancelled", lead_id)
    told = await client.post(f"/v1/actions/{action_id}/outcome", json={"status": "done"})
    assert (told.status_code, told.json()["state"]) == (200, "done"), told.text
    again = await client.post(f"/v1/actions/{action_id}/outcome", json={"status": "not_done"})
    assert again.json()["code"] == "action_not_open"
