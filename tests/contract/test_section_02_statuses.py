"""Section 2 of the wire contract, and what of the others goes with it: leads that walk, as a client sees them.

A simulator sender without gaps performs at once; with rate 1 everyone accepts, or answers, that long after.
"""

import asyncio
from typing import Any

import pytest

AT_ONCE = {"acceptRate": 1, "acceptAfter": {"seconds": 0}, "replyRate": 0}
ALWAYS_OPEN = {"minGap": {"seconds": 0}}


@pytest.fixture
def walk(own, add, leads_of):
    """Starts a campaign of these steps with one lead; answers the lead, once its status is the one waited for."""

    async def go(steps: list[dict[str, Any]], until: str, config: dict[str, Any] | None = None, **fields: Any) -> Any:
        person = fields.pop("person", {"linkedinUrl": "https://www.linkedin.com/in/jane", "firstName": "Jane"})
        sender = {"name": "Ada Lovelace", "linkedinUrl": "in/ada", "channel": "simulator", "limits": ALWAYS_OPEN}
        made = await own.post("/v1/senders", json=sender | {"config": AT_ONCE | (config or {})})
        assert made.status_code == 201, made.text
        body = {"name": "Walked", "senderIds": [made.json()["id"]], "sequence": {"steps": steps}, **fields}
        campaign = (await own.post("/v1/campaigns", json=body)).json()["id"]
        await add(campaign, [person])
        started = await own.patch(f"/v1/campaigns/{campaign}", json={"action": "start"})
        assert started.status_code == 200, started.text
        return await reached(leads_of, campaign, until)

    return go


async def reached(leads_of, campaign: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(90):
        while True:
            [lead] = await leads_of(campaign, full="1")
            if lead["status"] == status:
                return lead


async def history(own, lead) -> list[str]:
    entries = (await own.get(f"/v1/leads/{lead['id']}/history", params={"limit": 100})).json()["entries"]
    return [entry["detail"]["newStatus"] for entry in entries if entry["type"] == "status_changed"]


def visit(**more: Any) -> dict[str, Any]:
    return {"id": "visit", "type": "visit_profile", **more}


CONNECT = {"id": "invite", "type": "connect", "note": "Hi {{firstName}}"}
HELLO = {"id": "hello", "type": "message", "text": "Thanks {{firstName}}"}
BUMP = {"id": "bump", "type": "message", "text": "Still there, {{firstName}}?"}
LATER = {"id": "later", "type": "message", "after": {"days": 9}, "text": "Much later"}


async def test_2_the_status_is_the_last_thing_that_happened_until_done(own, walk):
    lead = await walk([visit(), CONNECT, HELLO, BUMP], "DONE")
    told = await history(own, lead)
    assert [each for each in told if each != "DONE"] == [
        "PROFILE_VIEWED", "CONNECTION_SENT", "CONNECTION_ACCEPTED", "MESSAGE_SENT", "FOLLOWUP_SENT",
    ]  # fmt: skip
    assert told[-1] == "DONE"
    assert lead["senderId"].startswith("sender_")


async def test_2_who_does_not_accept_in_time_is_not_connected(own, walk):
    never = {"acceptRate": 0}
    lead = await walk([CONNECT, HELLO], "NOT_CONNECTED", never, acceptanceTimeout={"seconds": 0})
    assert (await history(own, lead))[-2:] == ["CONNECTION_SENT", "NOT_CONNECTED"]


async def test_2_taking_a_lead_out_stops_it(own, walk):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    await own.delete(f"/v1/leads/{lead['id']}")
    assert (await own.get(f"/v1/leads/{lead['id']}")).json()["status"] == "STOPPED"


async def test_2_one_that_finished_by_itself_goes_on_with_new_leads(own, walk, add, feed):
    lead = await walk([visit()], "DONE")
    await feed(1, "campaign.finished")
    assert (await own.get(f"/v1/campaigns/{lead['campaignId']}")).json()["finishedBy"] == "system"
    await add(lead["campaignId"], ["in/john"])
    [resumed] = await feed(1, "campaign.resumed")
    assert resumed["data"]["resumedBy"] == "system"


async def test_3_a_campaign_counts_what_was_done(own, walk):
    lead = await walk([visit(), CONNECT, HELLO, BUMP], "DONE")
    campaign = (await own.get(f"/v1/campaigns/{lead['campaignId']}")).json()
    counted = {"totalLeads": 1, "leadsContacted": 1, "connectionsSent": 1, "connectionsAccepted": 1, "messagesSent": 2}
    assert counted.items() <= campaign.items()
    stats = (await own.get(f"/v1/campaigns/{lead['campaignId']}/stats")).json()
    assert stats["funnel"]["messagesSent"] == 2


async def test_4_what_was_done_counts_against_the_quotas(own, walk):
    await walk([CONNECT, HELLO, BUMP], "DONE")
    [sender] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert (sender["messagesSentToday"], sender["connectionsSentToday"]) == (2, 1)
    assert sender["remainingMessages"] == sender["dailyMessageLimit"] - 2


async def test_5_what_was_sent_and_heard_stands_in_the_inbox(own, walk):
    lead = await walk(
        [CONNECT, HELLO, LATER], "REPLY_RECEIVED", {"replyRate": 1, "replyAfter": {"seconds": 1}, "replyText": "Yes!"}
    )
    [conversation] = (await own.get("/v1/inbox/conversations")).json()["conversations"]
    assert conversation["lastMessage"]["content"] == "Yes!"
    path = f"/v1/inbox/conversations/{conversation['id']}/messages"
    messages = (await own.get(path, params={"accountId": lead["senderId"]})).json()["messages"]
    assert [(each["content"], each["direction"]) for each in messages][-2:] == [
        ("Thanks Jane", "sent"),
        ("Yes!", "received"),
    ]


async def test_8_the_events_of_a_lead_on_its_way(own, walk, feed):
    lead = await walk(
        [CONNECT, HELLO, LATER], "REPLY_RECEIVED", {"replyRate": 1, "replyAfter": {"seconds": 1}, "replyText": "Yes!"}
    )
    types = ("connection_request.sent", "connection_request.accepted", "message.sent", "reply.received")
    events = await feed(4, *types)
    assert [event["eventType"] for event in events] == list(types)
    assert all(event["simulated"] is True for event in events)
    invited, accepted, sent, replied = (event["data"] for event in events)
    named = {name: lead[name] for name in ("campaignId", "linkedinUrl", "senderId")} | {"leadId": lead["id"]}
    assert invited == named | {"note": "Hi Jane"}
    assert set(accepted) == {*named, "acceptedAt"}
    assert named.items() <= accepted.items()
    assert sent == named | {"message": "Thanks Jane", "sequenceStep": 2}
    assert replied == named | {"reply": "Yes!"}


async def test_10_inbound_facts_are_taken_once(own, walk):
    lead = await walk([CONNECT, HELLO, LATER], "MESSAGE_SENT")
    fact = {
        "senderId": lead["senderId"],
        "linkedinUrl": "https://www.linkedin.com/in/jane",
        "type": "reply",
        "text": "Hello back",
        "externalId": "ext-1",
    }
    first, again = [(await own.post("/v1/inbox/inbound", json=fact)).json() for _ in range(2)]
    assert first == {"success": True, "duplicate": False, "leadId": lead["id"]}
    assert again == {"success": True, "duplicate": True, "leadId": lead["id"]}
    assert (await own.get(f"/v1/leads/{lead['id']}")).json()["status"] == "REPLY_RECEIVED"


async def test_10_an_inbound_reply_needs_its_text(own, walk, refused):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    fact = {"senderId": lead["senderId"], "linkedinUrl": lead["linkedinUrl"], "type": "reply", "text": " "}
    told = refused(await own.post("/v1/inbox/inbound", json=fact), 400)
    assert told["details"] == [{"path": "text", "message": "is required for a reply"}]


async def test_2_a_reply_stops_the_lead_at_once(own, walk):
    lead = await walk([CONNECT, HELLO, LATER], "REPLY_RECEIVED", {"replyRate": 1, "replyAfter": {"seconds": 1}})
    why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert why["nextStep"] is None
    assert (await history(own, lead))[-1] == "REPLY_RECEIVED"


@pytest.mark.parametrize("verdict", [{"status": "MEETING_BOOKED"}, {"customLeadStatus": "WRONG_PERSON"}])
async def test_2_an_outcome_stops_the_sequence_and_so_does_a_wrong_person(own, walk, verdict):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    assert (await own.get(f"/v1/leads/{lead['id']}/why")).json()["nextStep"] is not None
    await own.patch(f"/v1/leads/{lead['id']}/status", json=verdict)
    why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert why["nextStep"] is None
    assert {held["rule"] for held in why["heldBy"]} <= {"stopped", "finished"}


async def test_3_pausing_keeps_every_leads_position_and_resuming_goes_on_from_it(own, walk):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    before = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    path = f"/v1/campaigns/{lead['campaignId']}"
    await own.patch(path, json={"action": "pause"})
    paused = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert paused["nextStep"] == before["nextStep"]
    assert "paused" in [held["rule"] for held in paused["heldBy"]]
    await own.patch(path, json={"action": "resume"})
    assert (await own.get(f"/v1/leads/{lead['id']}/why")).json()["nextStep"] == before["nextStep"]


async def test_9_a_suppression_holds_also_when_a_deed_is_due(own, walk, feed):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    await own.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/Jane"}]})
    why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert "suppressed" in [held["rule"] for held in why["heldBy"]] or why["nextStep"] is None


async def test_10_why_tells_what_happens_next_and_what_holds_it(own, walk):
    lead = await walk([visit(), LATER], "PROFILE_VIEWED")
    why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
    assert {"leadId", "status", "nextStep", "dueAt", "heldBy"} <= why.keys()
    assert (why["leadId"], why["status"]) == (lead["id"], "PROFILE_VIEWED")
    assert {"id": "later", "type": "message"}.items() <= why["nextStep"].items()
    assert all({"rule", "message", "until"} <= held.keys() for held in why["heldBy"])
    assert why["heldBy"]


async def test_10_a_missing_field_holds_the_lead_and_why_says_so(own, walk, leads_of):
    steps = [visit(), {"id": "hello", "type": "connect", "note": "Hi {{firstName}}"}]
    lead = await walk(steps, "PROFILE_VIEWED", person={"linkedinUrl": "in/nameless"})
    async with asyncio.timeout(60):
        while True:
            why = (await own.get(f"/v1/leads/{lead['id']}/why")).json()
            if [held["rule"] for held in why["heldBy"]] == ["missing_field"]:
                break
    assert "firstName" in why["heldBy"][0]["message"]
