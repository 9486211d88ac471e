"""What people say of a lead: outcome status, custom status, notes and tags, over HTTP."""

from itertools import count

import httpx
import pytest

NUMBERS = count()

OUTCOMES = ("OPPORTUNITY", "MEETING_BOOKED", "NOT_INTERESTED", "DONE", "UNSUBSCRIBED", "IRRELEVANT")


@pytest.fixture
async def lead(client: httpx.AsyncClient, campaign, add) -> str:
    """A person of its own for each test: one who unsubscribes is suppressed in all that follow."""
    await add(campaign, [f"in/jane-smith-{next(NUMBERS)}"])
    return (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"][0]["id"]


async def history(client: httpx.AsyncClient, lead: str) -> list[dict[str, object]]:
    return (await client.get(f"/v1/leads/{lead}/history")).json()["entries"]


@pytest.mark.parametrize("status", OUTCOMES)
async def test_every_outcome_status_is_set_and_answered(client, lead, status):
    answer = await client.patch(f"/v1/leads/{lead}/status", json={"status": status})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "leadId": lead,
        "status": status,
        "message": f"Lead status updated to '{status}'",
    }
    assert (await client.get(f"/v1/leads/{lead}")).json()["status"] == status


async def test_an_outcome_ends_the_way_once(client, campaign, lead, database):
    for status in ("DONE", "OPPORTUNITY", "OPPORTUNITY"):
        assert (await client.patch(f"/v1/leads/{lead}/status", json={"status": status})).status_code == 200
    async with database.session() as connection:
        found = await connection.execute(
            "SELECT state, (SELECT sum(delta) FROM (SELECT delta FROM campaign_counter_delta WHERE campaign_id = "
            "e.campaign_id AND counter = 'active' UNION ALL SELECT value FROM campaign_counter WHERE campaign_id = "
            "e.campaign_id AND counter = 'active') AS counted) FROM enrolment e WHERE 'lead_' || "
            "replace(lead_id::text, '-', '') = %s",
            (lead,),
        )
        assert await found.fetchone() == ("done", 0)
    told = [entry["detail"] for entry in await history(client, lead) if entry["type"] == "status_changed"]
    assert [detail["newStatus"] for detail in told] == ["DONE", "OPPORTUNITY"]


async def test_the_custom_status_alone_leaves_the_way_open_unless_it_is_the_wrong_person(client, lead, database):
    async def state() -> str:
        async with database.session() as connection:
            found = await connection.execute(
                "SELECT state::text FROM enrolment WHERE 'lead_' || replace(lead_id::text, '-', '') = %s", (lead,)
            )
            row = await found.fetchone()
            assert row is not None
            return row[0]

    answer = await client.patch(f"/v1/leads/{lead}/status", json={"customLeadStatus": "INTERESTED", "note": "Called"})
    assert answer.json()["status"] == "PENDING"
    assert await state() == "due"
    assert (await client.get(f"/v1/leads/{lead}")).json()["customLeadStatus"] == "INTERESTED"
    assert (await history(client, lead))[-1]["detail"]["note"] == "Called"
    await client.patch(f"/v1/leads/{lead}/status", json={"customLeadStatus": "WRONG_PERSON"})
    assert await state() == "done"


async def test_unsubscribing_suppresses_the_person(client, campaign, make_campaign, lead, add):
    slug = (await client.get(f"/v1/leads/{lead}")).json()["linkedinUrl"]
    await client.patch(f"/v1/leads/{lead}/status", json={"status": "UNSUBSCRIBED"})
    elsewhere = await add(await make_campaign(), [f"https://uk.linkedin.com/{slug}/".replace("jane", "Jane")])
    assert elsewhere["errors"][0]["code"] == "suppressed"
    listed = (await client.get("/v1/suppressions?limit=100")).json()["suppressions"]
    assert [entry["reason"] for entry in listed if entry["linkedinUrl"] == slug] == ["unsubscribed"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "At least one of status or customLeadStatus is required"),
        ({"note": "x"}, "At least one of status or customLeadStatus is required"),
        ({"status": None, "customLeadStatus": None}, "At least one of status or customLeadStatus is required"),
        ({"status": "MESSAGE_SENT"}, "status"),
        ({"status": "PENDING"}, "status"),
        ({"status": "opportunity"}, "status"),
        ({"status": ["DONE"]}, "status"),
        ({"customLeadStatus": "MAYBE"}, "customLeadStatus"),
        ({"status": "DONE", "note": 5}, "note"),
    ],
)
async def test_what_cannot_be_set_is_refused_by_name_and_changes_nothing(client, lead, body, named):
    answer = await client.patch(f"/v1/leads/{lead}/status", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert (await client.get(f"/v1/leads/{lead}")).json()["status"] == "PENDING"


async def test_the_lead_of_another_workspace_is_unknown(client, lead, other_headers):
    for path, method, body in (
        (f"/v1/leads/{lead}/status", "PATCH", {"status": "DONE"}),
        (f"/v1/leads/{lead}/tags", "POST", {"tag": "x"}),
        (f"/v1/leads/{lead}/tags/x", "DELETE", None),
    ):
        answer = await client.request(method, path, json=body, headers=other_headers)
        assert (answer.status_code, answer.json()["message"]) == (404, "Lead not found")
    assert (await client.get(f"/v1/leads/{lead}")).json()["status"] == "PENDING"


async def test_tags_are_added_and_taken_off_and_told(client, lead):
    for tag in ("hot", "berlin", "hot"):
        answer = await client.post(f"/v1/leads/{lead}/tags", json={"tag": tag})
        assert answer.status_code == 200
    assert answer.json() == {"success": True, "leadId": lead, "tags": ["hot", "berlin"]}
    gone = await client.delete(f"/v1/leads/{lead}/tags/hot")
    assert gone.json()["tags"] == ["berlin"]
    assert (await client.get(f"/v1/leads/{lead}?full=1")).json()["tags"] == ["berlin"]
    told = [entry["detail"] for entry in await history(client, lead) if entry["type"] == "tags_changed"]
    assert [(each["newTag"], each["previousTag"]) for each in told] == [("hot", None), ("berlin", None), (None, "hot")]


@pytest.mark.parametrize("tag", ["", "   ", "x" * 101, 5, None])
async def test_a_tag_is_a_short_text(client, lead, tag):
    answer = await client.post(f"/v1/leads/{lead}/tags", json={"tag": tag})
    assert answer.status_code == 400
    assert "tag" in answer.json()["message"]


async def test_a_lead_has_at_most_50_tags(client, lead):
    for number in range(50):
        assert (await client.post(f"/v1/leads/{lead}/tags", json={"tag": f"tag {number}"})).status_code == 200
    assert (await client.post(f"/v1/leads/{lead}/tags", json={"tag": "one more"})).status_code == 400
