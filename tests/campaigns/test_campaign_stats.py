"""What a campaign has come to, by step, variant, sender and day: told over HTTP from counters that are folded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.campaigns import counters, service
from leadwright.campaigns.model import MOST_DAYS, Counter, Tally, Totals, read_dimensions
from leadwright.postgres.pool import Database

MONDAY = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
SENDER = "0" * 31 + "1"
SEQUENCE = {
    "steps": [
        {"id": "invite", "type": "connect"},
        {"id": "asked", "type": "condition", "when": "connected", "within": {"days": 7}, "then": [
            {"id": "a:b", "type": "message", "variants": [{"text": "One"}, {"text": "Two"}]}]},
    ]
}  # fmt: skip
ZEROS = {
    "deedsDone": 0, "deedsFailed": 0, "leadsContacted": 0, "connectionsSent": 0, "connectionsAccepted": 0,
    "messagesSent": 0, "repliesReceived": 0,
}  # fmt: skip


@pytest.fixture
async def campaign(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/campaigns", json={"name": "Counted", "sequence": SEQUENCE})
    return answer.json()["id"]


async def happen(database: Database, workspace: Workspace, campaign: str, now: datetime, *what: Any) -> None:
    bare = service.known_id(campaign)
    async with database.transaction() as connection:
        await service.tally(connection, workspace.id, [Tally(bare, *each) for each in what], now)


async def fold(database: Database) -> None:
    async with database.transaction() as connection:
        while await counters.fold(connection):
            pass


async def stats(client: httpx.AsyncClient, campaign: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/campaigns/{campaign}/stats")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_new_campaign_has_zeros_for_every_step(client: httpx.AsyncClient, campaign: str) -> None:
    body = await stats(client, campaign)
    assert set(body) == {"campaignId", "funnel", "steps", "senders", "days"}
    assert set(body["funnel"].values()) == {0}
    assert body["steps"] == [
        {"stepId": "invite", "type": "connect", "variants": [], **ZEROS},
        {"stepId": "a:b", "type": "message", "variants": [], **ZEROS},
    ]
    assert (body["senders"], body["days"]) == ([], [])


async def test_what_happens_is_counted_where_it_belongs_before_and_after_folding(
    client: httpx.AsyncClient, database: Database, workspace: Workspace, campaign: str
) -> None:
    await happen(
        database,
        workspace,
        campaign,
        MONDAY,
        (Counter.CONNECTIONS_SENT, 1, "invite", None, SENDER),
        (Counter.CONNECTIONS_SENT, 1, "invite", None, SENDER),
        (Counter.DEEDS_DONE, 1, "invite", None, SENDER),
        (Counter.DEEDS_FAILED, 1, "gone", None, SENDER),
    )
    await happen(
        database,
        workspace,
        campaign,
        MONDAY + timedelta(hours=1),
        (Counter.MESSAGES_SENT, 1, "a:b", 1, SENDER),
        (Counter.REPLIES_RECEIVED, 1, "a:b", 1, None),
        (Counter.ACTIVE, -1),
    )
    before = await stats(client, campaign)
    await fold(database)
    assert await stats(client, campaign) == before
    assert before["funnel"]["connectionsSent"] == 2
    assert before["funnel"]["repliesReceived"] == 1
    invite, message, gone = before["steps"]
    assert invite == {
        "stepId": "invite", "type": "connect", "variants": [], **ZEROS, "connectionsSent": 2, "deedsDone": 1,
    }  # fmt: skip
    assert message["variants"] == [{"variant": 1, **ZEROS, "messagesSent": 1, "repliesReceived": 1}]
    assert gone == {"stepId": "gone", "type": None, "variants": [], **ZEROS, "deedsFailed": 1}
    assert before["senders"] == [
        {"senderId": f"sender_{SENDER}", **ZEROS, "connectionsSent": 2, "deedsDone": 1, "deedsFailed": 1,
         "messagesSent": 1},
    ]  # fmt: skip
    assert [(day["day"], day["connectionsSent"], day["messagesSent"]) for day in before["days"]] == [
        ("2026-03-02", 2, 0),
        ("2026-03-03", 0, 1),
    ]


async def test_leads_that_are_added_count_for_their_day(client: httpx.AsyncClient, campaign: str) -> None:
    leads = [{"linkedinUrl": f"in/stats-{n}"} for n in range(3)]
    await client.post("/v1/leads", json={"campaignId": campaign, "leads": leads})
    body = await stats(client, campaign)
    assert (body["funnel"]["totalLeads"], body["funnel"]["activeLeads"]) == (3, 3)
    assert [day["leadsAdded"] for day in body["days"]] == [3]


async def test_another_workspace_learns_nothing(
    anonymous: httpx.AsyncClient, other_headers: dict[str, str], campaign: str
) -> None:
    for name in (campaign, ids.public(ids.Prefix.CAMPAIGN, "0" * 32), "camp_x"):
        answer = await anonymous.get(f"/v1/campaigns/{name}/stats", headers=other_headers)
        assert (answer.status_code, answer.json()["message"]) == (404, "Campaign not found")


async def test_a_tally_of_nothing_writes_nothing(database: Database, workspace: Workspace, campaign: str) -> None:
    await fold(database)
    await happen(database, workspace, campaign, MONDAY, (Counter.ACTIVE, 1), (Counter.ACTIVE, -1))
    async with database.session() as connection:
        cursor = await connection.execute("SELECT count(*) FROM campaign_counter_delta")
        assert await cursor.fetchone() == (0,)


@given(st.lists(st.dates(), unique=True, min_size=MOST_DAYS - 2, max_size=MOST_DAYS + 5))
def test_only_the_last_days_are_shown_and_in_order(days: list[Any]) -> None:
    found = read_dimensions({f"day:{day.isoformat()}": Totals(leads=1) for day in days})
    assert [part.day for part in found.days] == sorted(days)[-MOST_DAYS:]
