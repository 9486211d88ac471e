"""Events arrive at real receivers: signed, in order, again after failures, and never lost."""

import asyncio
import hashlib
import hmac
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from leadwright.webhooks import delivery_store


def verify_by_hand(secret: str, received) -> None:
    """Every comma part is key=value, and each key stands once."""
    parts = [part.split("=", 1) for part in received.headers["Webhook-Signature"].split(",")]
    assert sorted(key for key, _ in parts) == ["s", "t"]
    signature = dict(parts)
    signed = signature["t"].encode() + b"." + received.body
    assert hmac.compare_digest(signature["s"], hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())


def verify_by_libraries(secret: str, received) -> None:
    headers = {name.lower(): value for name, value in received.headers.items()}
    SvixWebhook(secret).verify(received.body, headers)
    mapped = {f"webhook-{name}": headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    StandardWebhook(secret).verify(received.body, mapped)


async def test_an_event_arrives_with_both_signatures(receiver, subscribe, happen):
    webhook = await subscribe(receiver.url)
    campaign = await happen("start")
    (received,) = await receiver.wait_for(1)
    verify_by_hand(webhook["secret"], received)
    verify_by_libraries(webhook["secret"], received)
    assert received.headers["svix-id"] == received.event["eventId"]
    assert received.headers["Content-Type"] == "application/json"
    assert received.event["eventType"] == "campaign.started"
    assert received.event["data"]["campaignId"] == campaign


async def test_a_failure_is_tried_again_with_the_same_bytes_and_order_is_kept(receiver, subscribe, happen, client):
    receiver.answers = [500, 503, 200]
    webhook = await subscribe(receiver.url)
    await happen("start", "pause", "resume")
    got = await receiver.wait_for(5)
    assert [each.event["eventType"] for each in got] == ["campaign.started"] * 3 + [
        "campaign.paused",
        "campaign.resumed",
    ]
    assert len({each.body for each in got[:3]}) == 1
    log = await settled(client, webhook["id"], 3)
    assert [each["status"] for each in log] == ["delivered"] * 3
    assert [(a["statusCode"], a["error"]) for a in log[-1]["attempts"]] == [
        (500, "status_5xx"), (503, "status_5xx"), (200, None),
    ]  # fmt: skip


async def settled(client, webhook: str, count: int) -> list[dict]:
    """The log, newest first, when ``count`` deliveries are finished."""
    async with asyncio.timeout(20):
        while True:
            log = (await client.get(f"/v1/webhooks/{webhook}/deliveries")).json()["deliveries"]
            if sum(each["status"] != "pending" for each in log) >= count:
                return log


async def test_only_what_is_asked_for_and_under_the_names_asked_for(make_receiver, subscribe, happen, client):
    current, legacy = await make_receiver(), await make_receiver()
    await subscribe(current.url, events=["campaign.paused"])
    await subscribe(legacy.url, events=["lead.status.changed"], eventNames="legacy")
    campaign = await happen("start", "pause")
    await client.post("/v1/leads", json={"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]})
    lead = (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"][0]["id"]
    await client.patch(f"/v1/leads/{lead}/status", json={"status": "DONE"})
    (paused,) = await current.wait_for(1)
    assert paused.event["eventType"] == "campaign.paused"
    (changed,) = await legacy.wait_for(1)
    assert changed.event["eventType"] == "lead.status.changed"
    assert changed.event["data"]["newStatus"] == "DONE"
    assert changed.event["data"]["changedBy"] == "api"


async def test_a_dead_endpoint_is_paused_and_what_it_missed_comes_in_order(receiver, subscribe, happen, client):
    receiver.answers = [500]
    webhook = await subscribe(receiver.url)
    campaign = await happen("start")
    async with asyncio.timeout(20):
        while (await client.get(f"/v1/webhooks/{webhook['id']}")).json()["status"] != "paused":
            pass
    await happen("pause", "resume", campaign=campaign)
    shown = (await client.get(f"/v1/webhooks/{webhook['id']}")).json()
    assert shown["pauseReason"] == "status_5xx"
    assert shown["nextProbeAt"]
    receiver.answers = [200]
    log = await settled(client, webhook["id"], 3)
    assert [each["status"] for each in log] == ["delivered"] * 3
    accepted = [each.event["eventType"] for each in receiver.got[-3:]]
    assert accepted == ["campaign.started", "campaign.paused", "campaign.resumed"]
    assert (await client.get(f"/v1/webhooks/{webhook['id']}")).json()["status"] == "active"


async def test_one_that_fails_while_others_are_accepted_is_given_up_and_can_be_sent_again(
    receiver, subscribe, happen, client
):
    refused = ""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=422 if refused in (await request.read()).decode() else 200)

    webhook = await subscribe(receiver.url)
    refused = await happen()
    receiver.answers = [answer]
    await happen("start", campaign=refused)
    async with asyncio.timeout(20):
        while not any(d["status"] == "failed" for d in await log_of(client, webhook)):
            await happen("start")
    failed = next(d for d in await log_of(client, webhook) if d["status"] == "failed")
    assert len(failed["attempts"]) == 4
    receiver.answers = [200]
    again = await client.post(f"/v1/webhooks/{webhook['id']}/deliveries/{failed['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    async with asyncio.timeout(20):
        path = f"/v1/webhooks/{webhook['id']}/deliveries/{failed['id']}"
        while (await client.get(path)).json()["status"] != "delivered":
            pass


async def log_of(client, webhook) -> list[dict]:
    return (await client.get(f"/v1/webhooks/{webhook['id']}/deliveries?limit=100")).json()["deliveries"]


async def test_gone_disables_the_endpoint(receiver, subscribe, happen, client):
    receiver.answers = [410]
    webhook = await subscribe(receiver.url)
    await happen("start")
    async with asyncio.timeout(20):
        while (shown := (await client.get(f"/v1/webhooks/{webhook['id']}")).json())["enabled"]:
            pass
    assert (shown["status"], shown["disabledReason"]) == ("disabled", "gone")
    receiver.answers = [200]
    assert (await client.post(f"/v1/webhooks/{webhook['id']}/enable")).json()["status"] == "active"
    await settled(client, webhook["id"], 1)


async def test_while_the_secret_rotates_receivers_of_either_are_content(receiver, subscribe, happen, client):
    webhook = await subscribe(receiver.url)
    old = webhook["secret"]
    new = (await client.post(f"/v1/webhooks/{webhook['id']}/rotate-secret")).json()["secret"]
    assert new != old
    await happen("start")
    (first,) = await receiver.wait_for(1)
    verify_by_hand(old, first)
    verify_by_libraries(old, first)
    verify_by_libraries(new, first)

    async def only_new(request: web.Request) -> web.Response:
        try:
            verify_by_hand(new, receiver.got[-1])
        except AssertionError:
            return web.Response(status=401)
        return web.Response(status=200)

    receiver.answers = [only_new]
    await happen("start")
    _, refused, accepted = await receiver.wait_for(3)
    verify_by_hand(old, refused)
    verify_by_hand(new, accepted)
    assert refused.body == accepted.body
    await settled(client, webhook["id"], 2)
    await happen("start")
    verify_by_hand(new, (await receiver.wait_for(4))[3])


async def test_one_that_hangs_holds_up_nobody_else(make_receiver, subscribe, happen):
    """It has ten posts at a time, however long they take and however many wait."""
    hanging, well = await make_receiver(), await make_receiver()
    release = asyncio.Event()
    held: list[web.Request] = []
    most = 0

    async def hang(request: web.Request) -> web.Response:
        nonlocal most
        held.append(request)
        most = max(most, sum(each.transport is not None for each in held))
        await release.wait()
        return web.Response()

    hanging.answers = [hang]
    await subscribe(hanging.url)
    await subscribe(well.url)
    for _ in range(30):
        await happen("start")
    await well.wait_for(30)
    assert most <= 10
    release.set()
    await hanging.wait_for(30)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(make_receiver, subscribe, happen, client, status):
    target, receiver = await make_receiver(), await make_receiver()

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": target.url})

    receiver.answers = [redirect]
    webhook = await subscribe(receiver.url)
    outcome = (await client.post(f"/v1/webhooks/{webhook['id']}/test")).json()
    assert (outcome["success"], outcome["statusCode"], outcome["error"]) == (False, status, "status_3xx")
    assert target.got == []


async def test_an_endless_answer_is_cut_and_counts_by_its_status(receiver, subscribe, client):
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    receiver.answers = [endless]
    webhook = await subscribe(receiver.url)
    outcome = (await client.post(f"/v1/webhooks/{webhook['id']}/test")).json()
    assert (outcome["success"], outcome["statusCode"]) == (True, 200)
    (attempt,) = (await log_of(client, webhook))[0]["attempts"]
    assert len(attempt["answer"]) == 2000


async def test_what_a_receiver_echoes_of_secrets_is_not_kept(receiver, subscribe, client):
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["X-Token"], status=400)

    receiver.answers = [echo]
    webhook = await subscribe(receiver.url, headers={"X-Token": "a-token-of-mine"})
    await client.post(f"/v1/webhooks/{webhook['id']}/test")
    assert "a-token-of-mine" not in str(await log_of(client, webhook))


async def test_finished_deliveries_are_forgotten_by_age_and_others_stay(
    receiver, make_receiver, subscribe, happen, client, database
):
    done = await subscribe(receiver.url)
    failing = await make_receiver()
    failing.answers = [500] * 100
    waiting = await subscribe(failing.url)
    await happen("start")
    (kept,) = await settled(client, done["id"], 1)
    at = datetime.fromisoformat(kept["attempts"][-1]["at"])
    await failing.wait_for(1)
    for before, left in ((at - timedelta(minutes=1), 1), (at + timedelta(days=1), 0)):
        async with database.transaction() as connection:
            await delivery_store.forget_finished(connection, before)
        log = (await client.get(f"/v1/webhooks/{done['id']}/deliveries")).json()["deliveries"]
        assert len(log) == left
    assert (await client.get(f"/v1/webhooks/{waiting['id']}/deliveries")).json()["deliveries"]
