"""Following the event feed: as it goes on, over lost connections, to what will not pass."""

import asyncio
import contextlib
import itertools
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from leadwright.client import AsyncClient, ConnectionFailed, InvalidRequest, Retries, Unauthorized, UnreadableAnswer
from leadwright.client.calls.events import follow
from leadwright.client.following import Following

HEAD = b"retry: 0\n\n"


async def paused(client: httpx.AsyncClient, campaign: str) -> None:
    for action in ("pause", "resume"):
        answer = await client.patch(f"/v1/campaigns/{campaign}", json={"action": action})
        assert answer.status_code == 200, answer.text


async def seen(events: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(60), contextlib.aclosing(events):
        async for event in events:
            found.append(event)
            if len(found) == count:
                return found
    raise AssertionError("a stream has no end")


async def test_events_come_as_they_are_published(direct: AsyncClient, client: Any, startable: str) -> None:
    before = [event.cursor async for event in direct.events.every()][-1:] or [""]
    following = asyncio.create_task(seen(direct.events.follow(before[0], types=["campaign.paused"]), 2))
    await direct.campaigns.start(startable)
    await paused(client, startable)
    await paused(client, startable)
    events = await following
    assert [event.event_type for event in events] == ["campaign.paused"] * 2
    assert events[0].data["campaignId"] == startable
    page = await direct.events.page(before[0], types=["campaign.paused"])
    assert events == page.events


async def test_the_blocking_client_follows_too(blocking: Any, direct: AsyncClient, client: Any, startable: str) -> None:
    before = [event.cursor async for event in direct.events.every()][-1:] or [""]

    def first() -> Any:
        with blocking() as opened:
            return next(opened.events.follow(before[0]))

    following = asyncio.create_task(asyncio.to_thread(first))
    await direct.campaigns.start(startable)
    assert (await following).event_type == "campaign.started"


@pytest.fixture
async def streams(blocking: Any) -> Any:
    """A server that answers each connection with the next of a list of texts, and says what it was asked for."""
    texts: list[bytes] = []
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Last-Event-ID"))
        return web.Response(body=texts.pop(0), headers={"Content-Type": "text/event-stream"})

    application = web.Application()
    application.router.add_get("/v1/events", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", texts, asked
    await runner.cleanup()


def told(number: int) -> dict[str, Any]:
    return {
        "eventId": f"evt_{number}",
        "eventType": "lead.updated",
        "timestamp": "2026-03-01T09:30:00.000Z",
        "workspaceId": "ws_1",
        "data": {"text": "a\u2028line\r\nor\x0btwo"},
    }


def sent(number: int) -> bytes:
    return b"id: c%d\nevent: lead.updated\ndata: %b\n\n" % (number, msgspec.json.encode(told(number)))


async def test_it_goes_on_behind_the_last_event_where_a_connection_ended(streams: Any, waited: Any) -> None:
    url, texts, asked = streams
    texts += [
        HEAD + sent(1) + sent(2)[:-9],
        b"",
        b"retry: 7000\n\n" + sent(2) + b": all is well\nid: c5\n\n",
        HEAD + sent(6),
    ]
    async with AsyncClient(url, "key", sleep=waited.later) as client:
        found = await seen(client.events.follow("c0"), 3)
    assert [(event.event_id, event.cursor) for event in found] == [("evt_1", "c1"), ("evt_2", "c2"), ("evt_6", "c6")]
    assert found[0].data == told(1)["data"]
    assert asked == ["c0", "c1", "c1", "c5"]
    assert waited.seconds == [0, 0, 7]


async def test_streams_that_bring_nothing_are_given_up(streams: Any, waited: Any) -> None:
    url, texts, _ = streams
    texts += [b""] * 9
    with pytest.raises(ConnectionFailed):
        async with AsyncClient(url, "key", retries=Retries(most=2), sleep=waited.later) as client:
            await seen(client.events.follow(), 1)
    assert len(texts) == 6


async def test_what_will_not_pass_is_raised(direct: AsyncClient, base_url: str) -> None:
    with pytest.raises(InvalidRequest):
        await seen(direct.events.follow(types=["no.event"]), 1)
    async with AsyncClient(base_url, "lw_live_wrong") as client:
        with pytest.raises(Unauthorized):
            await seen(client.events.follow(), 1)


async def test_what_is_no_event_is_unreadable(streams: Any) -> None:
    url, texts, _ = streams
    texts.append(b"id: 1\ndata: hello\n\n")
    async with AsyncClient(url, "key") as client:
        with pytest.raises(UnreadableAnswer):
            await seen(client.events.follow(), 1)


@given(st.lists(st.integers(0, 300), max_size=9), st.booleans())
def test_pieces_may_be_cut_anywhere(cuts: list[int], carriage_returns: bool) -> None:
    whole = HEAD + sent(1) + b": all is well\nid: c1\n\n" + sent(2)
    whole = whole.replace(b"\n", b"\r\n") if carriage_returns else whole
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    following = Following(follow("c0"), Retries())
    events = [event for start, end in itertools.pairwise(edges) for event in following.read(whole[start:end])]
    assert [(event.event_id, event.cursor) for event in events] == [("evt_1", "c1"), ("evt_2", "c2")]
    assert following.headers["Last-Event-ID"] == "c2"
