"""Lists of campaigns over HTTP: filters, pages, cursors, totals."""

import httpx
import pytest
from tests.campaigns.asking import act, create, places
from tests.starting import startable

from leadwright import ids
from leadwright.campaigns import service
from leadwright.postgres.pool import Database


async def test_the_list_is_filtered_by_status(own: httpx.AsyncClient) -> None:
    ready = await startable(own)
    made = {
        "draft": await create(own, name="draft"),
        "started": await create(own, name="started", **ready),
        "paused": await create(own, name="paused", **ready),
        "finished": await create(own, name="finished", **ready),
    }
    await act(own, made["started"], "start")
    await act(own, made["paused"], "start", "pause")
    await act(own, made["finished"], "start", "finish")
    for word, expected in {
        **{name: [name] for name in made},
        "active": ["started"],
        "all": list(made),
    }.items():
        answer = (await own.get("/v1/campaigns", params={"status": word})).json()
        assert [campaign["name"] for campaign in answer["campaigns"]] == expected
        assert [campaign["status"] for campaign in answer["campaigns"]] == expected
        assert answer["pagination"]["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("status=bogus", "status"),
        ("status=STARTED", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("page=0", "page"),
        ("cursor=x", "cursor"),
    ],
)
async def test_a_query_out_of_range_is_refused(client: httpx.AsyncClient, query: str, place: str) -> None:
    assert places(await client.get(f"/v1/campaigns?{query}")) == [place]


async def test_pages_by_number_and_by_cursor(own: httpx.AsyncClient) -> None:
    made = [(await create(own, name=f"{number}"))["id"] for number in range(5)]
    by_number: list[str] = []
    for page in (1, 2, 3, 4):
        answer = (await own.get("/v1/campaigns", params={"page": page, "limit": 2})).json()
        assert answer["pagination"] == {"total": 5, "page": page, "limit": 2, "totalPages": 3}
        assert "nextCursor" not in answer
        by_number += [campaign["id"] for campaign in answer["campaigns"]]
    assert by_number == made
    cursor, by_cursor = "", list[str]()
    while cursor is not None:
        answer = (await own.get("/v1/campaigns", params={"cursor": cursor, "limit": 2})).json()
        assert answer["pagination"]["total"] == 5
        cursor = answer["nextCursor"]
        by_cursor += [campaign["id"] for campaign in answer["campaigns"]]
    assert by_cursor == made


async def test_a_page_far_past_the_end_is_empty(own: httpx.AsyncClient) -> None:
    await create(own)
    for page in (2, 2**31, 2**63, 10**30):
        answer = await own.get("/v1/campaigns", params={"page": page, "limit": 100})
        assert answer.status_code == 200
        assert answer.json()["campaigns"] == []
        assert answer.json()["pagination"] == {"total": 1, "page": page, "limit": 100, "totalPages": 1}


async def test_totals_are_those_of_the_counters(own: httpx.AsyncClient, database: Database) -> None:
    made, idle = await create(own), await create(own)
    async with database.transaction() as connection:
        bare = ids.bare(ids.Prefix.CAMPAIGN, made["id"])
        assert bare is not None
        cursor = await connection.execute("SELECT workspace_id FROM campaign WHERE id = %s", (bare,))
        row = await cursor.fetchone()
        assert row is not None
        counted = {
            "leads": 9,
            "active": 8,
            "leads_contacted": 7,
            "connections_sent": 6,
            "connections_accepted": 5,
            "messages_sent": 4,
            "replies_received": 3,
        }
        await service.add_counts(connection, row[0], bare, counted)
    shown = {
        "totalLeads": 9,
        "leadsContacted": 7,
        "connectionsSent": 6,
        "connectionsAccepted": 5,
        "messagesSent": 4,
        "repliesReceived": 3,
    }
    expected = [{**made, **shown}, idle]
    assert (await own.get("/v1/campaigns")).json()["campaigns"] == expected
    assert (await own.get(f"/v1/campaigns/{made['id']}")).json() == expected[0]
