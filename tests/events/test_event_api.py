"""GET /v1/events over HTTP."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.events import service, store
from leadwright.events.model import EventType, cursor_at
from leadwright.postgres.pool import Database

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
async def reader(database: Database, make_key: Any) -> tuple[str, dict[str, str]]:
    """A workspace of its own for each test, and a key that may read its events and nothing else."""
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Events", NOW)
    return workspace.id, await make_key("events:read", workspace_id=workspace.id)


async def tell(database: Database, workspace_id: str, *types: EventType, simulated: bool = False) -> None:
    """Records one campaign event a type and publishes them all."""
    async with database.transaction() as connection:
        for number, event_type in enumerate(types):
            data = {"campaignId": "camp_1", "campaignName": "A", "totalLeads": number, "startedAt": "then"}
            data |= {"pausedAt": "then", "pausedBy": "api"}
            await service.record(connection, workspace_id, type=event_type, data=data, now=NOW, simulated=simulated)
    await publish_all(database)


async def publish_all(database: Database) -> None:
    """Waits for the server's own publisher, then publishes what is left."""
    async with database.transaction() as connection:
        await connection.execute("SELECT 1 FROM duty WHERE name = 'publish_events' FOR UPDATE")
        await store.give_positions(connection, 1000)


async def test_an_event_in_its_envelope(
    database: Database, anonymous: httpx.AsyncClient, reader: tuple[str, dict[str, str]]
) -> None:
    workspace_id, key = reader
    await tell(database, workspace_id, EventType.CAMPAIGN_PAUSED, simulated=True)
    answer = await anonymous.get("/v1/events", headers=key)
    assert answer.status_code == 200
    (event,) = answer.json()["events"]
    assert list(event) == [
        "eventId",
        "eventType",
        "timestamp",
        "workspaceId",
        "data",
        "simulated",
        "cursor",
    ]
    assert event["eventId"].startswith("evt_")
    assert event["eventType"] == "campaign.paused"
    assert event["timestamp"] == "2026-03-01T09:30:00.000Z"
    assert event["workspaceId"] == f"ws_{workspace_id}"
    assert list(event["data"])[:4] == ["campaignId", "campaignName", "pausedAt", "pausedBy"]
    assert event["simulated"] is True
    assert answer.json() == {"events": [event], "nextCursor": event["cursor"], "hasMore": False}


async def test_following_the_feed_page_by_page(
    database: Database, anonymous: httpx.AsyncClient, reader: tuple[str, dict[str, str]]
) -> None:
    workspace_id, key = reader
    await tell(database, workspace_id, *[EventType.CAMPAIGN_STARTED] * 5)
    seen: list[int] = []
    after, more = "", True
    while more:
        page = (await anonymous.get("/v1/events", params={"after": after, "limit": 2}, headers=key)).json()
        seen += [event["data"]["totalLeads"] for event in page["events"]]
        assert all("simulated" not in event for event in page["events"])
        after, more = page["nextCursor"], page["hasMore"]
    assert seen == [0, 1, 2, 3, 4]
    again = (await anonymous.get("/v1/events", params={"after": after}, headers=key)).json()
    assert again == {"events": [], "nextCursor": after, "hasMore": False}
    await tell(database, workspace_id, EventType.CAMPAIGN_PAUSED)
    news = (await anonymous.get("/v1/events", params={"after": after}, headers=key)).json()
    assert [event["eventType"] for event in news["events"]] == ["campaign.paused"]


async def test_each_events_own_cursor_goes_on_behind_it(
    database: Database, anonymous: httpx.AsyncClient, reader: tuple[str, dict[str, str]]
) -> None:
    workspace_id, key = reader
    await tell(database, workspace_id, *[EventType.CAMPAIGN_STARTED] * 3)
    page = (await anonymous.get("/v1/events", headers=key)).json()
    middle = page["events"][1]["cursor"]
    rest = (await anonymous.get("/v1/events", params={"after": middle}, headers=key)).json()
    assert rest["events"] == page["events"][2:]


async def test_only_some_types(
    database: Database, anonymous: httpx.AsyncClient, reader: tuple[str, dict[str, str]]
) -> None:
    workspace_id, key = reader
    await tell(
        database,
        workspace_id,
        EventType.CAMPAIGN_STARTED,
        EventType.CAMPAIGN_PAUSED,
        EventType.CAMPAIGN_STARTED,
    )
    for types in ("campaign.paused,lead.updated", ["campaign.paused", "lead.updated"]):
        page = (await anonymous.get("/v1/events", params={"types": types}, headers=key)).json()
        assert [event["eventType"] for event in page["events"]] == ["campaign.paused"]
        assert page["nextCursor"] == cursor_at(workspace_id, 3)
        assert page["hasMore"] is False


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=garbage", "after"),
        ("after=0", "after"),
        ("after=%00", "after"),
        ("after=%ED%A0%80", "after"),
        ("types=lead.moved", "types"),
        ("types=lead.updated,%00", "types"),
        ("types=*", "types"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=99999999999999999999", "limit"),
    ],
)
async def test_bad_queries_name_their_field(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/v1/events?{query}")
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == [field]
    assert field in answer.json()["message"]


async def test_a_cursor_of_another_workspace_and_one_beyond_the_end_are_refused(
    database: Database, anonymous: httpx.AsyncClient, reader: tuple[str, dict[str, str]]
) -> None:
    workspace_id, key = reader
    await tell(database, workspace_id, EventType.CAMPAIGN_STARTED)
    for cursor in (cursor_at(ids.new_id(), 1), cursor_at(workspace_id, 2)):
        answer = await anonymous.get("/v1/events", params={"after": cursor}, headers=key)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["path"] == "after"


async def test_other_workspaces_see_nothing_of_it(
    database: Database,
    anonymous: httpx.AsyncClient,
    reader: tuple[str, dict[str, str]],
    other_headers: dict[str, str],
) -> None:
    await tell(database, reader[0], EventType.CAMPAIGN_STARTED)
    page = (await anonymous.get("/v1/events", headers=other_headers)).json()
    assert page["events"] == []


async def test_the_scope_is_needed(anonymous: httpx.AsyncClient, make_key: Any) -> None:
    answer = await anonymous.get("/v1/events", headers=await make_key("leads:read"))
    assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks events:read")
    assert (await anonymous.get("/v1/events")).status_code == 401
