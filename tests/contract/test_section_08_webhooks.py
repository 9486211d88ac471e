"""Section 8 of the wire contract: what a receiver gets, and when."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from leadwright.settings import Settings

JSON = dict[str, Any]


@dataclass
class Receiver:
    """An endpoint of this machine; ``answers`` are its statuses, one after the other and then the last for ever."""

    url: str = ""
    answers: list[Any] = field(default_factory=lambda: [200])
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        async with self.arrived:
            self.got.append(({name.lower(): value for name, value in request.headers.items()}, body))
            self.arrived.notify_all()
        if callable(answer):
            return answer(self.got[-1])
        return web.Response(status=answer, headers={"Location": f"{self.url}/elsewhere"} if answer == 302 else None)

    async def posts(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first ``count`` posts, when they have come."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)
        return self.got[:count]

    async def events(self, count: int) -> list[JSON]:
        return [json.loads(body) for _, body in await self.posts(count)]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(rate_limit=100_000, webhook_allow_hosts=("127.0.0.1",), webhook_retry_schedule=(0.05, 0.05))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    application = web.Application()
    application.router.add_post("/{tail:.*}", made.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.01)  # 0 is for ever
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
def subscribe(own: Any, receiver: Receiver) -> Callable[..., Awaitable[JSON]]:
    """Makes an endpoint at the receiver, in the own workspace."""

    async def make(**fields: Any) -> JSON:
        answer = await own.post("/v1/webhooks", json={"name": "Receiver", "url": receiver.url, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


async def act(own, campaign, *actions):
    for action in actions:
        assert (await own.patch(f"/v1/campaigns/{campaign}", json={"action": action})).status_code == 200


@pytest.fixture
async def movable(make_campaign):
    """A campaign that can be started."""
    return await make_campaign(name="Told", sequence={"steps": [{"id": "visit", "type": "visit_profile"}]})


async def log_of(own, webhook: str, status: str) -> JSON:
    """The newest delivery, when it has this status."""
    async with asyncio.timeout(60):
        while True:
            [newest, *_] = (await own.get(f"/v1/webhooks/{webhook}/deliveries")).json()["deliveries"] or [{}]
            if newest.get("status") == status:
                return newest


def verify_literal(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The first signature, by a strict receiver: every comma part is key=value."""
    parts = dict(part.split("=", 1) for part in headers["webhook-signature"].split(","))
    assert set(parts) == {"t", "s"}
    assert re.fullmatch(r"[0-9a-f]{64}", parts["s"])
    signed = parts["t"].encode() + b"." + body
    return hmac.compare_digest(parts["s"], hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())


def verify_svix(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['svix-id']}.{headers['svix-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["svix-signature"].split(" ")


async def test_8_an_event_is_a_post_of_json_in_its_envelope(own, movable, subscribe, receiver):
    await subscribe()
    await act(own, movable, "start")
    [(headers, body)] = await receiver.posts(1)
    told = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert set(told) == {"eventId", "eventType", "timestamp", "workspaceId", "data"}
    assert told["eventId"].startswith("evt_")
    assert told["workspaceId"] == f"ws_{own.workspace_id}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["timestamp"])


async def test_8_the_events_of_a_campaign(own, movable, subscribe, receiver):
    await subscribe()
    await act(own, movable, "start", "pause", "resume", "finish")
    told = {event["eventType"]: event["data"] for event in await receiver.events(4)}
    for data in told.values():
        assert (data["campaignId"], data["campaignName"]) == (movable, "Told")
    assert set(told["campaign.started"]) == {"campaignId", "campaignName", "totalLeads", "startedAt"}
    assert set(told["campaign.paused"]) == {"campaignId", "campaignName", "pausedAt", "pausedBy"}
    assert set(told["campaign.resumed"]) == {"campaignId", "campaignName", "resumedAt", "resumedBy"}
    assert (told["campaign.paused"]["pausedBy"], told["campaign.resumed"]["resumedBy"]) == ("api", "api")
    assert {"campaignId", "campaignName", "finishedAt", "totals"} <= told["campaign.finished"].keys()


@pytest.fixture
async def lead(own, movable, add, leads_of):
    await add(movable, ["in/jane"])
    return (await leads_of(movable))[0]["id"]


async def test_8_the_events_of_a_lead(own, movable, lead, subscribe, receiver):
    await subscribe(events=["lead.updated", "lead.tag.updated"])
    await own.patch(f"/v1/leads/{lead}/status", json={"status": "OPPORTUNITY"})
    await own.post(f"/v1/leads/{lead}/tags", json={"tag": "hot"})
    updated, tagged = [event["data"] for event in await receiver.events(2)]
    named = {"leadId": lead, "campaignId": movable, "linkedinUrl": "in/jane"}
    assert updated == named | {"previousStatus": "PENDING", "newStatus": "OPPORTUNITY", "customLeadStatus": None}
    assert tagged == named | {"tags": ["hot"], "newTag": "hot", "previousTag": None}


async def test_8_an_endpoint_may_ask_for_the_old_names(own, lead, subscribe, receiver):
    await subscribe(events=["*"], eventNames="legacy")
    await own.patch(f"/v1/leads/{lead}/status", json={"status": "DONE"})
    [event] = await receiver.events(1)
    assert event["eventType"] == "lead.status.changed"
    assert event["data"]["changedBy"] == "api"


async def test_8_the_feed_has_the_same_events(own, movable, subscribe, receiver, feed):
    await subscribe()
    await act(own, movable, "start", "pause")
    delivered = await receiver.events(2)
    in_feed = [{name: part for name, part in event.items() if name != "cursor"} for event in await feed(2)]
    assert in_feed == delivered


async def test_8_every_delivery_carries_both_signatures(own, movable, subscribe, receiver):
    secret = (await subscribe())["secret"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    await act(own, movable, "start")
    [(headers, body)] = await receiver.posts(1)
    assert verify_literal(secret, headers, body)
    assert verify_svix(secret, headers, body)
    assert headers["svix-id"] == json.loads(body)["eventId"]
    assert not verify_literal(secret, headers, body + b" ")


async def test_8_the_secret_is_shown_once(own, subscribe):
    made = await subscribe()
    for path in ("/v1/webhooks", f"/v1/webhooks/{made['id']}"):
        assert made["secret"] not in (await own.get(path)).text


@pytest.mark.parametrize(
    "url",
    ["http://example.com/hook", "ftp://example.com/", "https://user:pw@example.com/", "nowhere", "https://10.0.0.1/x"],
)
async def test_8_only_https_and_no_private_addresses(own, refused, url):
    assert "url" in refused(await own.post("/v1/webhooks", json={"name": "x", "url": url}), 400)["message"]


async def test_8_a_name_that_leads_to_a_private_address_is_refused_when_connecting(own):
    made = (await own.post("/v1/webhooks", json={"name": "x", "url": "https://localhost/x"})).json()
    if "id" in made:
        told = (await own.post(f"/v1/webhooks/{made['id']}/test", json={})).json()
        assert (told["success"], told["error"]) == (False, "address_refused")
    else:
        assert "url" in made["message"]


async def test_8_redirects_are_not_followed(own, movable, subscribe, receiver):
    receiver.answers = [302, 200]
    await subscribe()
    await act(own, movable, "start")
    posts = await receiver.posts(2)
    assert len({body for _, body in posts}) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_8_any_2xx_is_success(own, movable, subscribe, receiver, status):
    receiver.answers = [status]
    made = await subscribe()
    await act(own, movable, "start")
    delivered = await log_of(own, made["id"], "delivered")
    assert [attempt["statusCode"] for attempt in delivered["attempts"]] == [status]


async def test_8_a_retry_has_the_same_id_and_body(own, movable, subscribe, receiver):
    receiver.answers = [500, 404, 200]
    made = await subscribe()
    await act(own, movable, "start")
    posts = await receiver.posts(3)
    assert len({body for _, body in posts}) == 1
    assert len({headers["svix-id"] for headers, _ in posts}) == 1
    delivered = await log_of(own, made["id"], "delivered")
    assert [attempt["statusCode"] for attempt in delivered["attempts"]] == [500, 404, 200]
    assert all(set(attempt) >= {"at", "statusCode", "error", "durationMs"} for attempt in delivered["attempts"])


async def test_8_later_events_of_a_lead_wait_for_the_earlier_one(own, lead, subscribe, receiver):
    receiver.answers = [500, 200]
    await subscribe(events=["lead.updated"])
    for status in ("OPPORTUNITY", "MEETING_BOOKED", "DONE"):
        await own.patch(f"/v1/leads/{lead}/status", json={"status": status})
    told = [event["data"]["newStatus"] for event in await receiver.events(4)]
    assert told == ["OPPORTUNITY", "OPPORTUNITY", "MEETING_BOOKED", "DONE"]


async def test_8_410_disables_the_endpoint(own, movable, subscribe, receiver):
    receiver.answers = [410]
    made = await subscribe()
    await act(own, movable, "start")
    async with asyncio.timeout(60):
        while (await own.get(f"/v1/webhooks/{made['id']}")).json()["enabled"]:
            pass
    assert len(receiver.got) == 1


async def test_8_an_outage_loses_nothing_and_what_was_missed_comes_in_order(own, movable, subscribe, receiver):
    receiver.answers = [500]
    made = await subscribe()
    await act(own, movable, "start")
    async with asyncio.timeout(60):
        while (await own.get(f"/v1/webhooks/{made['id']}")).json()["status"] != "paused":
            pass
    await act(own, movable, "pause", "resume")
    receiver.answers = [200]
    await own.post(f"/v1/webhooks/{made['id']}/enable")
    async with asyncio.timeout(60):
        while [json.loads(body)["eventType"] for _, body in receiver.got[-3:]] != [
            "campaign.started", "campaign.paused", "campaign.resumed",
        ]:  # fmt: skip
            await receiver.posts(len(receiver.got) + 1)


async def test_8_after_a_rotation_both_secrets_verify(own, movable, subscribe, receiver):
    made = await subscribe()
    rotated = (await own.post(f"/v1/webhooks/{made['id']}/rotate-secret")).json()
    assert rotated["secret"] != made["secret"]
    await act(own, movable, "start")
    [(headers, body)] = await receiver.posts(1)
    assert verify_svix(made["secret"], headers, body)
    assert verify_svix(rotated["secret"], headers, body)
    assert headers["webhook-signature"].count("s=") == 1


async def test_8_after_a_401_the_same_attempt_is_repeated_with_the_other_secret(own, movable, subscribe, receiver):
    made = await subscribe()
    rotated = (await own.post(f"/v1/webhooks/{made['id']}/rotate-secret")).json()
    for wanted in (made["secret"], rotated["secret"]):
        receiver.got.clear()
        receiver.answers = [lambda post, key=wanted: web.Response(status=200 if verify_literal(key, *post) else 401)]
        await act(own, movable, "start" if wanted == made["secret"] else "pause")
        delivered = await log_of(own, made["id"], "delivered")
        async with asyncio.timeout(60):
            while not any(verify_literal(wanted, *post) for post in receiver.got):
                await receiver.posts(len(receiver.got) + 1)
        assert delivered["attempts"][-1]["statusCode"] == 200
        assert len(receiver.got) <= 2


async def test_8_endpoints_are_listed_edited_and_deleted(own, subscribe, refused):
    made = await subscribe(events=["lead.updated"])
    assert [each["id"] for each in (await own.get("/v1/webhooks")).json()["webhooks"]] == [made["id"]]
    edited = await own.patch(f"/v1/webhooks/{made['id']}", json={"enabled": False})
    assert (edited.json()["enabled"], edited.json()["events"]) == (False, ["lead.updated"])
    assert (await own.delete(f"/v1/webhooks/{made['id']}")).status_code == 200
    refused(await own.get(f"/v1/webhooks/{made['id']}"), 404)


async def test_10_a_test_delivery_says_how_it_was_taken(own, subscribe, receiver):
    made = await subscribe(events=["campaign.started"])
    told = (await own.post(f"/v1/webhooks/{made['id']}/test", json={"eventType": "reply.received"})).json()
    assert (told["success"], told["statusCode"]) == (True, 200)
    [(headers, body)] = await receiver.posts(1)
    assert json.loads(body)["eventType"] == "reply.received"
    assert verify_literal(made["secret"], headers, body)


async def test_10_a_delivery_is_sent_again_when_asked(own, movable, subscribe, receiver):
    made = await subscribe()
    await act(own, movable, "start")
    delivered = await log_of(own, made["id"], "delivered")
    assert {"id", "eventId", "eventType", "status", "attempts", "nextAttemptAt"} <= delivered.keys()
    again = await own.post(f"/v1/webhooks/{made['id']}/deliveries/{delivered['id']}/redeliver")
    assert again.status_code == 202
    first, second = await receiver.posts(2)
    assert first[1] == second[1]


async def test_10_the_log_is_read_by_status_and_cursor(own, movable, subscribe, receiver):
    made = await subscribe()
    await act(own, movable, "start", "pause", "resume")
    await receiver.posts(3)
    await log_of(own, made["id"], "delivered")
    path = f"/v1/webhooks/{made['id']}/deliveries"
    assert (await own.get(path, params={"status": "failed"})).json() == {"deliveries": [], "nextCursor": None}
    first = (await own.get(path, params={"limit": 2})).json()
    rest = (await own.get(path, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert len({each["id"] for each in first["deliveries"] + rest["deliveries"]}) == 3
    assert rest["nextCursor"] is None


async def test_10_the_feed_is_followed_by_its_cursor(own, movable):
    await act(own, movable, "start", "pause")
    seen: list[str] = []
    cursor = ""
    async with asyncio.timeout(60):
        while len(seen) < 2:
            page = (await own.get("/v1/events", params={"after": cursor, "limit": 1})).json()
            assert set(page) == {"events", "nextCursor", "hasMore"}
            assert all("cursor" in event for event in page["events"])
            seen += [event["eventType"] for event in page["events"]]
            cursor = page["nextCursor"]
    assert seen == ["campaign.started", "campaign.paused"]
    last = (await own.get("/v1/events", params={"after": cursor})).json()
    assert (last["events"], last["nextCursor"], last["hasMore"]) == ([], cursor, False)
