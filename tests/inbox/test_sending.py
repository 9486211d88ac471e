"""Sending messages and invitations while the caller waits: the contract's answers, its rules, and what they leave."""

import asyncio
from typing import Any

import pytest

NOBODY = "sender_" + "0" * 32


async def test_a_message_goes_out_and_is_kept_told_and_counted(desk: Any) -> None:
    sender = await desk.sender()
    await desk.connect(sender, "jane")
    answer = await desk.send(sender, "jane", message="Hello Jane")
    body = answer.json()
    assert answer.status_code == 200
    assert body.pop("timestamp").endswith("Z")
    assert body.pop("actionId").startswith("act_")
    assert {name: value for name, value in body.items() if name not in ("messageId", "conversationId")} == {
        "success": True,
        "leadId": None,
        "recipientLinkedinUrl": "in/jane",
        "status": "sent",
    }
    [message] = await desk.messages(body["conversationId"], sender)
    assert (message["id"], message["content"], message["direction"]) == (body["messageId"], "Hello Jane", "sent")
    assert message["recipient"]["profileUrl"] == "https://www.linkedin.com/in/jane"
    [event] = await desk.events("message.sent")
    assert event["stream"] == body["conversationId"]
    assert event["data"] == {
        "leadId": None,
        "campaignId": None,
        "linkedinUrl": "in/jane",
        "senderId": sender,
        "message": "Hello Jane",
        "sequenceStep": None,
    }
    assert await desk.used(sender, "messages") == 1


async def test_a_message_to_a_lead_counts_for_it(desk: Any) -> None:
    sender = await desk.sender()
    campaign, [lead] = await desk.leads({"linkedinUrl": "in/jane"})
    await desk.connect(sender, "jane")
    body = (await desk.send(sender, "jane", campaignId=campaign)).json()
    assert body["leadId"] == lead
    assert (await desk.client.get(f"/v1/leads/{lead}")).json()["status"] == "MESSAGE_SENT"
    [event] = await desk.events("message.sent")
    assert (event["data"]["leadId"], event["data"]["campaignId"], event["stream"]) == (lead, campaign, lead)
    found = (await desk.client.get(f"/v1/campaigns/{campaign}")).json()
    assert (found["messagesSent"], found["leadsContacted"]) == (1, 1)
    [kept] = await desk.messages(body["conversationId"], sender)
    assert kept["leadId"] == lead
    entries = (await desk.client.get(f"/v1/leads/{lead}/history")).json()["entries"]
    assert "performed" in [entry["type"] for entry in entries]


async def test_the_older_form_takes_the_leads_sender_or_one_that_is_connected(desk: Any) -> None:
    _, [lead] = await desk.leads({"linkedinUrl": "in/jane"})
    await desk.sender()
    nobody = await desk.send(None, None, leadId=lead)
    assert (nobody.status_code, nobody.json()["code"]) == (400, "recipient_not_connected")
    connected = await desk.sender(name="Sam Roe")
    await desk.connect(connected, "jane")
    body = (await desk.send(None, None, leadId=lead)).json()
    assert (body["leadId"], body["recipientLinkedinUrl"], body["status"]) == (lead, "in/jane", "sent")
    [event] = await desk.events("message.sent")
    assert event["data"]["senderId"] == connected


async def test_variables_are_rendered_from_the_lead(desk: Any) -> None:
    sender = await desk.sender()
    _, [lead] = await desk.leads({"linkedinUrl": "in/jane", "firstName": "Jane", "Job Title": "CEO"})
    await desk.connect(sender, "jane")
    text = "{Hi|Hi} {{firstName}}, {{ Job Title }} of {{company | default: 'it'}}. {{sender.firstName}}"
    answer = await desk.post(f"send/lead/{lead}", {"senderId": sender, "message": text})
    assert answer.status_code == 200, answer.text
    [message] = await desk.messages(answer.json()["conversationId"], sender)
    assert message["content"] == "Hi Jane, CEO of it. Alex"


@pytest.mark.parametrize(
    ("text", "told"), [("Hi {{firstName}}", "firstName"), ("Hi {{", ""), ("{{company | default: ''}}", "expected 1")]
)
async def test_what_cannot_be_rendered_is_not_sent(desk: Any, text: str, told: str) -> None:
    sender = await desk.sender()
    _, [lead] = await desk.leads({"linkedinUrl": "in/jane"})
    await desk.connect(sender, "jane")
    answer = await desk.post(f"send/lead/{lead}", {"senderId": sender, "message": text})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "message")
    assert told in answer.json()["message"]
    assert await desk.events("message.sent") == []


async def test_only_connections_are_written_to(desk: Any) -> None:
    sender = await desk.sender()
    stranger = await desk.send(sender, "jane")
    assert (stranger.status_code, stranger.json()["code"]) == (400, "recipient_not_connected")
    await desk.connect(await desk.sender(name="Sam Roe"), "jane")
    assert (await desk.send(sender, "jane")).status_code == 400


async def test_an_alias_of_a_connection_is_the_connection(desk: Any) -> None:
    sender = await desk.sender()
    await desk.connect(sender, "jane")
    await desk.client.post("/v1/identity/aliases", json={"linkedinUrl": "in/jane", "sameAs": "in/ACoAAjane"})
    assert (await desk.send(sender, "ACoAAjane")).json()["status"] == "sent"


@pytest.mark.parametrize("route", ["send", "connect", "lead"])
async def test_nobody_on_the_do_not_contact_list_is_approached(desk: Any, route: str) -> None:
    sender = await desk.sender()
    _, [lead] = await desk.leads({"linkedinUrl": "in/jane", "company": "Acme Inc"})
    await desk.connect(sender, "jane", "bob")
    entries = [{"company": "acme inc"}, {"linkedinUrl": "in/bob"}]
    await desk.client.post("/v1/suppressions", json={"entries": entries})
    if route == "lead":
        answers = [await desk.post(f"send/lead/{lead}", {"senderId": sender, "message": "Hi"})]
    else:
        bodies = [{"senderId": sender, "recipientLinkedinUrl": f"in/{who}", "message": "Hi"} for who in ("jane", "bob")]
        answers = [await desk.post(route, body) for body in bodies]
    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(400, "recipient_suppressed")] * len(answers)
    assert await desk.events("message.sent", "connection_request.sent") == []


async def test_the_daily_limit_holds_and_says_when_to_come_back(desk: Any) -> None:
    sender = await desk.sender(limits={"messagesPerDay": 2, "connectionsPerDay": 1})
    await desk.connect(sender, "jane")
    answers = await asyncio.gather(*[desk.send(sender, "jane", message=f"Message {n}") for n in range(5)])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == "Daily message limit exceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
    invite = {"senderId": sender, "message": "Hi"}
    assert (await desk.post("connect", {**invite, "recipientLinkedinUrl": "in/ann"})).status_code == 200
    second = await desk.post("connect", {**invite, "recipientLinkedinUrl": "in/bob"})
    assert (second.status_code, second.json()["message"]) == (429, "Daily connection limit exceeded")
    misshapen = await desk.send(sender, "jane", message="x" * 8001)
    assert (misshapen.status_code, misshapen.json()["details"][0]["path"]) == (400, "message")


async def test_the_gap_between_two_deeds_holds(desk: Any) -> None:
    sender = await desk.sender(limits={"minGap": {"seconds": 600}})
    await desk.connect(sender, "jane")
    assert (await desk.send(sender, "jane")).status_code == 200
    soon = await desk.send(sender, "jane")
    assert (soon.status_code, soon.json()["code"]) == (429, "sender_gap")
    assert 590 <= int(soon.headers["Retry-After"]) <= 751


async def test_an_invitation_goes_out_once(desk: Any) -> None:
    sender = await desk.sender()
    body = {"senderId": sender, "recipientLinkedinUrl": "in/jane", "message": "Hi Jane"}
    answer = await desk.post("connect", body)
    told = answer.json()
    assert (answer.status_code, told["success"], told["status"]) == (200, True, "sent")
    assert told["requestId"].startswith("conn_")
    assert told["recipientLinkedinUrl"] == "in/jane"
    [event] = await desk.events("connection_request.sent")
    assert (event["data"]["note"], event["data"]["leadId"]) == ("Hi Jane", None)
    await desk.connect(sender, "jane")
    again = (await desk.post("connect", body)).json()
    assert (again["status"], again["actionId"]) == ("already_connected", None)
    assert len(await desk.events("connection_request.sent")) == 1


async def test_an_invitation_without_a_note(desk: Any) -> None:
    sender = await desk.sender()
    for note in ({}, {"message": None}, {"message": "  "}):
        answer = await desk.post("connect", {"senderId": sender, "recipientLinkedinUrl": f"in/p{len(note)}", **note})
        assert answer.status_code in (200, 429), answer.text
    assert {event["data"]["note"] for event in await desk.events("connection_request.sent")} == {None}


async def test_a_channel_that_finds_them_connected_gives_the_quota_back(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    operator.answers = [{"status": "already_connected"}]
    told = (await desk.post("connect", {"senderId": sender, "recipientLinkedinUrl": "in/jane"})).json()
    assert told["status"] == "already_connected"
    assert await desk.used(sender, "connections") == 0
    assert await desk.events("connection_request.sent") == []
    assert (await desk.send(sender, "jane")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"senderId": NOBODY, "recipientLinkedinUrl": "in/jane", "message": "Hi"}, 400, "senderId"),
        ({"senderId": "x", "recipientLinkedinUrl": "in/jane", "message": "Hi"}, 400, "senderId"),
        ({"recipientLinkedinUrl": "in/jane", "message": "Hi"}, 400, "senderId"),
        ({"senderId": NOBODY, "message": "Hi"}, 400, "recipientLinkedinUrl"),
        (
            {"senderId": NOBODY, "recipientLinkedinUrl": "https://example.com", "message": "Hi"},
            400,
            "recipientLinkedinUrl",
        ),
        ({"senderId": NOBODY, "recipientLinkedinUrl": "in/jane"}, 400, "message"),
        ({"senderId": NOBODY, "recipientLinkedinUrl": "in/jane", "message": " \n"}, 400, "message"),
        ({"senderId": NOBODY, "recipientLinkedinUrl": "in/jane", "message": 5}, 400, "message"),
    ],
)
async def test_bad_bodies_name_their_field(desk: Any, body: dict[str, Any], status: int, path: str) -> None:
    answer = await desk.post("send", body)
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (status, path)


async def test_an_unknown_sender_reads_as_the_contract_says(desk: Any, make_box: Any) -> None:
    theirs = "sender_" + (await make_box()).sender_id
    for sender in (NOBODY, theirs):
        for route in ("send", "connect"):
            answer = await desk.post(route, {"senderId": sender, "recipientLinkedinUrl": "in/jane", "message": "Hi"})
            assert (answer.status_code, answer.json()["message"]) == (400, "Invalid request or sender not found")


async def test_unknown_leads_and_campaigns_are_not_found(desk: Any) -> None:
    sender = await desk.sender()
    for field, told in (("leadId", "Lead not found"), ("campaignId", "Campaign not found")):
        for name in ("x", field.removesuffix("Id").replace("campaign", "camp") + "_" + "0" * 32):
            answer = await desk.send(sender, "jane", **{field: name})
            assert (answer.status_code, answer.json()["message"]) == (404, told)
    lead = await desk.post("send/lead/lead_x", {"senderId": sender, "message": "Hi"})
    assert (lead.status_code, lead.json()["message"]) == (404, "Lead not found")


async def test_a_lead_that_is_somebody_else_is_refused(desk: Any) -> None:
    sender = await desk.sender()
    campaign, [jane, bob] = await desk.leads({"linkedinUrl": "in/jane"}, {"linkedinUrl": "in/bob"})
    other, _ = await desk.leads({"linkedinUrl": "in/ann"})
    await desk.connect(sender, "jane", "bob")
    for more in ({"leadId": bob}, {"leadId": jane, "campaignId": other}):
        answer = await desk.send(sender, "jane", **more)
        assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "leadId")
    assert (await desk.send(sender, "jane", leadId=jane, campaignId=campaign)).status_code == 200


async def test_a_sender_that_cannot_act_is_not_used(desk: Any) -> None:
    sender = await desk.sender()
    await desk.connect(sender, "jane")
    await desk.client.patch(f"/v1/senders/{sender}", json={"status": "disconnected"})
    answer = await desk.send(sender, "jane")
    assert (answer.status_code, answer.json()["code"]) == (400, "sender_unavailable")


async def test_a_person_at_a_task_list_does_it_later(desk: Any) -> None:
    sender = await desk.sender(channel="manual")
    await desk.connect(sender, "jane")
    answer = await desk.send(sender, "jane")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    listed = (await desk.client.get("/v1/inbox/conversations")).json()["conversations"]
    assert listed == []
    assert await desk.events("message.sent") == []


@pytest.mark.parametrize(
    ("answers", "status", "code"),
    [
        ([{"status": "failed", "code": "not_connected"}], 400, "recipient_not_connected"),
        ([{"status": "failed", "code": "blocked"}], 400, "channel_refused"),
        ([{"status": "temporary", "retryAfter": 90}], 503, "channel_failed"),
        ([{"status": "rate_limited", "retryAfter": 90}], 429, "sender_rate_limited"),
        ([{"status": "disconnected"}], 503, "channel_failed"),
    ],
)
async def test_what_the_channel_did_not_do_is_told_and_costs_no_quota(
    desk: Any, operator: Any, answers: Any, status: int, code: str
) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    operator.answers = answers
    answer = await desk.send(sender, "jane")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status != 400:
        assert int(answer.headers["Retry-After"]) >= 60
    assert await desk.used(sender, "messages") == 0
    assert await desk.events("message.sent") == []


async def test_sending_needs_its_scope(desk: Any, make_key: Any) -> None:
    key = await make_key("inbox:read", workspace_id=desk.box.workspace_id)
    for route in ("send", "send/lead/lead_x", "connect"):
        answer = await desk.client.post(f"/v1/inbox/{route}", json={}, headers=key)
        assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks inbox:send")
