"""The feed as server-sent events, over real connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.starting import startable

from leadwright.accounts import service as accounts
from leadwright.events import following
from leadwright.events.service import FeedPage

STREAM = {"Accept": "text/event-stream"}


async def sent(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Each block of the stream, by the names of its lines."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            block[name] = value
        else:
            yield block
            block = {}


async def take(client: httpx.AsyncClient, count: int, path: str = "/v1/events", **headers: str) -> list[dict[str, str]]:
    """The first ``count`` events of a stream."""
    async with asyncio.timeout(20), client.stream("GET", path, headers=STREAM | headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        found: list[dict[str, str]] = []
        async with aclosing(sent(answer)) as blocks:
            async for block in blocks:
                if "data" in block:
                    found.append(block)
                if len(found) == count:
                    return found
    raise AssertionError(found)


@pytest.fixture
async def campaign(client: httpx.AsyncClient) -> str:
    return (await client.post("/v1/campaigns", json={"name": "Told", **await startable(client)})).json()["id"]


async def act(client: httpx.AsyncClient, campaign: str, *actions: str) -> None:
    for action in actions:
        assert (await client.patch(f"/v1/campaigns/{campaign}", json={"action": action})).status_code == 200


async def last_cursor(client: httpx.AsyncClient) -> str:
    cursor, more = "", True
    while more:
        page = (await client.get(f"/v1/events?after={cursor}")).json()
        cursor, more = page["nextCursor"], page["hasMore"]
    return cursor


async def test_what_was_and_what_comes_arrives_in_order(client, campaign):
    begin = await last_cursor(client)
    await act(client, campaign, "start", "pause")
    reading = asyncio.create_task(take(client, 4, f"/v1/events?after={begin}"))
    await act(client, campaign, "resume", "pause")
    blocks = await reading
    assert [block["event"] for block in blocks] == [
        "campaign.started", "campaign.paused", "campaign.resumed", "campaign.paused",
    ]  # fmt: skip
    told = [json.loads(block["data"]) for block in blocks]
    assert [event["eventType"] for event in told] == [block["event"] for block in blocks]
    page = (await client.get(f"/v1/events?after={begin}")).json()["events"]
    assert [block["id"] for block in blocks] == [event.pop("cursor") for event in page]
    assert told == page


async def test_it_resumes_behind_the_last_id_and_shows_only_the_types_asked_for(client, campaign):
    begin = await last_cursor(client)
    await act(client, campaign, "start", "pause", "resume", "pause")
    first = await take(client, 1, f"/v1/events?after={begin}")
    rest = await take(client, 3, f"/v1/events?after={begin}", **{"Last-Event-ID": first[0]["id"]})
    assert [block["event"] for block in rest] == ["campaign.paused", "campaign.resumed", "campaign.paused"]
    paused = await take(client, 2, f"/v1/events?after={begin}&types=campaign.paused")
    assert {block["event"] for block in paused} == {"campaign.paused"}


async def test_a_quiet_stream_shows_signs_of_life_that_carry_the_place(client, monkeypatch):
    monkeypatch.setattr(following, "SIGN_OF_LIFE_SECONDS", 0.01)
    begin = await last_cursor(client)
    async with (
        asyncio.timeout(20),
        client.stream("GET", f"/v1/events?after={begin}", headers=STREAM) as answer,
        aclosing(sent(answer)) as blocks,
    ):
        shown = [await anext(blocks) for _ in range(3)]
    assert shown[0] == {"retry": "2000"}
    assert [block["id"] for block in shown[1:]] == [begin, begin]


@pytest.mark.parametrize(
    ("path", "sent_headers", "status"),
    [
        ("/v1/events?after=nonsense", {}, 400),
        ("/v1/events", {"Last-Event-ID": "nonsense"}, 400),
        ("/v1/events?types=lead.vanished", {}, 400),
        ("/v1/events", {"X-API-Key": "lw_live_unknown"}, 401),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_sent(client, path, sent_headers, status):
    answer = await client.get(path, headers=STREAM | sent_headers)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)


async def test_it_wants_the_scope(anonymous, make_key):
    answer = await anonymous.get("/v1/events", headers=STREAM | await make_key("leads:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_another_workspace_sees_nothing_of_it(client, anonymous, other_headers, campaign):
    await act(client, campaign, "start")
    cursor = await last_cursor(client)
    refused = await anonymous.get(f"/v1/events?after={cursor}", headers=STREAM | other_headers)
    assert refused.status_code == 400
    assert (await anonymous.get("/v1/events", headers=other_headers)).json()["events"] == []


async def test_a_revoked_key_ends_its_stream(anonymous, make_key, database, workspace):
    headers = await make_key("events:read")
    async with asyncio.timeout(20), anonymous.stream("GET", "/v1/events", headers=STREAM | headers) as answer:
        assert answer.status_code == 200
        async with database.transaction() as connection:
            keys = await accounts.keys_of(connection, workspace.id)
            newest: Any = max(keys, key=lambda key: key.id)
            await accounts.revoke_key_of(connection, workspace.id, newest.id, newest.created_at)
        async for _ in answer.aiter_lines():
            pass


async def test_streams_hold_no_connection_of_the_pool(client, database):
    """More streams than the pool has connections, and requests go on."""
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        over = asyncio.Event()
        open_streams = asyncio.Semaphore(0)

        async def hold() -> None:
            async with (
                httpx.AsyncClient(base_url=client.base_url, headers=client.headers, trust_env=False) as own,
                own.stream("GET", "/v1/events", headers=STREAM) as answer,
            ):
                assert answer.status_code == 200
                open_streams.release()
                await over.wait()

        for _ in range(50):
            group.create_task(hold())
        for _ in range(50):
            await open_streams.acquire()
        assert (await client.get("/v1/campaigns")).status_code == 200
        over.set()


async def test_there_is_a_most_of_them(client, monkeypatch):
    monkeypatch.setattr(following, "MOST_STREAMS", 0)
    refused = await client.get("/v1/events", headers=STREAM)
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
    assert int(refused.headers["Retry-After"]) >= 1


async def test_streams_at_one_place_look_once_for_all_of_them(client, database):
    """And again after each ring, and in each second."""
    looks, asked = following.Looks(), []
    place = following.Place(database, "key", (), "")
    ring, next_ring = asyncio.Event(), asyncio.Event()

    async def look(name: str) -> FeedPage:
        asked.append(name)
        return FeedPage([], len(asked), has_more=False)

    async def seen(at: following.Place, since: tuple[asyncio.Event, int], name: str) -> int:
        return (await looks.at(at, since, lambda: look(name))).next_position

    assert await asyncio.gather(*(seen(place, (ring, 1), "first") for _ in range(80))) == [1] * 80
    assert await seen(replace(place, key_id="other"), (ring, 1), "other key") == 2
    assert await seen(place, (ring, 2), "next second") == 3
    assert await seen(place, (next_ring, 2), "next ring") == 4
    assert asked == ["first", "other key", "next second", "next ring"]


async def test_many_streams_are_told_the_same(client, campaign):
    begin = await last_cursor(client)
    reading = [asyncio.create_task(take(client, 2, f"/v1/events?after={begin}")) for _ in range(8)]
    await act(client, campaign, "start", "pause")
    told = await asyncio.gather(*reading)
    assert [[block["event"] for block in blocks] for blocks in told] == [["campaign.started", "campaign.paused"]] * 8
