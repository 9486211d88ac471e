"""Section 5 of the wire contract: messages and invitations that a person sends, one by one."""

import asyncio
from typing import Any

import pytest

UNKNOWN = "0199c0ffee0070008000000000000001"
JANE = "https://www.linkedin.com/in/jane"
SEND, CONNECT = "/v1/inbox/send", "/v1/inbox/connect"


@pytest.fixture
def make_sender(own):
    async def make(config: dict[str, Any] | None = None, **limits: Any) -> str:
        body = {
            "name": "Ada Lovelace",
            "linkedinUrl": "in/ada",
            "channel": "simulator",
            "config": {"acceptRate": 1, "acceptAfter": {"seconds": 0}, "replyRate": 0} | (config or {}),
            "limits": {"minGap": {"seconds": 0}, **limits},
        }
        answer = await own.post("/v1/senders", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return make


@pytest.fixture
async def sender(make_sender) -> str:
    return await make_sender()


@pytest.fixture
def befriend(own, feed):
    """Invites somebody, who accepts."""

    async def connect(sender: str, url: str = JANE) -> None:
        answer = await own.post(CONNECT, json={"senderId": sender, "recipientLinkedinUrl": url})
        assert answer.status_code == 200, answer.text
        await feed(1, "connection_request.accepted")

    return connect


def letter(sender: str, message: str = "Hello Jane", **more: Any) -> dict[str, Any]:
    return {"senderId": sender, "recipientLinkedinUrl": JANE, "message": message, **more}


async def test_5_a_message_is_sent_and_answered_so(own, sender, befriend):
    await befriend(sender)
    answer = await own.post(SEND, json=letter(sender))
    assert answer.status_code == 200
    body = answer.json()
    keys = {"success", "messageId", "conversationId", "leadId", "recipientLinkedinUrl", "status", "timestamp"}
    assert keys <= body.keys()
    assert (body["success"], body["status"], body["recipientLinkedinUrl"]) == (True, "sent", JANE)
    assert body["messageId"].startswith("msg_")
    path = f"/v1/inbox/conversations/{body['conversationId']}/messages"
    [message] = (await own.get(path, params={"accountId": sender})).json()["messages"]
    assert (message["id"], message["content"]) == (body["messageId"], "Hello Jane")


async def test_5_the_recipient_must_be_connected(own, sender, refused):
    refused(await own.post(SEND, json=letter(sender)), 400)
    assert (await own.get("/v1/inbox/conversations")).json()["conversations"] == []


async def test_5_the_older_form_takes_a_lead_and_finds_the_sender(own, sender, befriend, campaign, add, leads_of):
    await befriend(sender)
    await add(campaign, [JANE])
    [lead] = await leads_of(campaign)
    for body in (
        {"leadId": lead["id"], "message": "One"},
        {"leadId": lead["id"], "message": "Two", "senderId": sender},
    ):
        answer = await own.post(SEND, json=body)
        assert (answer.status_code, answer.json().get("leadId")) == (200, lead["id"]), answer.text


async def test_5_variables_are_rendered_from_the_lead(own, sender, befriend, campaign, add, leads_of):
    await befriend(sender)
    await add(campaign, [{"linkedinUrl": JANE, "firstName": "Jane", "city": "Rome"}])
    [lead] = await leads_of(campaign)
    body = {"senderId": sender, "message": "Hi {{firstName}} of {{city}}"}
    answer = await own.post(f"{SEND}/lead/{lead['id']}", json=body)
    assert answer.status_code == 200, answer.text
    [conversation] = (await own.get("/v1/inbox/conversations")).json()["conversations"]
    assert conversation["lastMessage"]["content"] == "Hi Jane of Rome"


async def test_5_an_invitation_is_sent_once_and_then_already_connected(own, sender, feed):
    body = {"senderId": sender, "recipientLinkedinUrl": JANE, "message": "Shall we?"}
    first = await own.post(CONNECT, json=body)
    assert first.status_code == 200, first.text
    keys = {"success", "requestId", "recipientLinkedinUrl", "status", "timestamp"}
    assert keys <= first.json().keys()
    assert (first.json()["success"], first.json()["status"]) == (True, "sent")
    assert first.json()["requestId"].startswith("conn_")
    await feed(1, "connection_request.accepted")
    again = await own.post(CONNECT, json=body)
    assert (again.status_code, again.json()["status"]) == (200, "already_connected")


async def test_5_an_open_invitation_is_not_sent_again(own, make_sender, feed):
    sender = await make_sender(config={"acceptRate": 0})
    body = {"senderId": sender, "recipientLinkedinUrl": JANE}
    first, again = [await own.post(CONNECT, json=body) for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in (first, again)] == [(200, "sent")] * 2
    assert again.json()["requestId"].startswith("conn_")
    [told] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert told["connectionsSentToday"] == 1
    other = await own.post(CONNECT, json=body | {"recipientLinkedinUrl": "in/john"})
    assert other.status_code == 200
    events = await feed(2, "connection_request.sent")
    assert [event["data"]["linkedinUrl"] for event in events] == [JANE, "in/john"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (SEND, {"message": "x" * 8001}, "message"),
        (SEND, {"message": ""}, "message"),
        (CONNECT, {"message": "x" * 301}, "message"),
    ],
)
async def test_5_shape_errors_come_before_quota_errors(own, make_sender, refused, path, body, field):
    spent = await make_sender(messagesPerDay=0, connectionsPerDay=0)
    whole = {"senderId": spent, "recipientLinkedinUrl": JANE, **body}
    assert field in refused(await own.post(path, json=whole), 400)["message"]


async def test_5_the_daily_limits_are_429(own, make_sender, befriend, refused):
    sender = await make_sender(messagesPerDay=1, connectionsPerDay=1)
    await befriend(sender)
    assert (await own.post(SEND, json=letter(sender))).status_code == 200
    refused(await own.post(SEND, json=letter(sender)), 429, "Daily message limit exceeded")
    other = {"senderId": sender, "recipientLinkedinUrl": "in/john"}
    refused(await own.post(CONNECT, json=other), 429, "Daily connection limit exceeded")


async def test_5_sending_counts_against_the_senders_quotas(own, sender, befriend):
    await befriend(sender)
    await own.post(SEND, json=letter(sender))
    [told] = (await own.get("/v1/inbox/senders")).json()["senders"]
    assert (told["messagesSentToday"], told["connectionsSentToday"]) == (1, 1)


@pytest.mark.parametrize("path", [SEND, CONNECT])
async def test_5_nobody_on_the_list_is_approached(own, sender, befriend, refused, path):
    await befriend(sender)
    await own.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/Jane"}]})
    refused(await own.post(path, json=letter(sender)), 400)
    assert (await own.get("/v1/inbox/conversations")).json()["conversations"] == []


@pytest.mark.parametrize("path", [SEND, CONNECT])
async def test_1_an_unknown_sender_is_400_where_a_body_names_it(own, stranger, sender, refused, path):
    for caller, named in ((own, f"sender_{UNKNOWN}"), (stranger, sender), (own, "anything")):
        refused(await caller.post(path, json=letter(named)), 400, "Invalid request or sender not found")


async def test_8_one_off_deeds_fire_their_events_without_a_step(own, sender, befriend, feed):
    await befriend(sender)
    await own.post(SEND, json=letter(sender))
    invited, sent = await feed(2, "connection_request.sent", "message.sent")
    nobodys = {"leadId": None, "campaignId": None, "linkedinUrl": JANE, "senderId": sender}
    assert invited["data"] == nobodys | {"note": None}
    assert sent["data"] == nobodys | {"message": "Hello Jane", "sequenceStep": None}


async def test_1_under_one_idempotency_key_a_message_goes_out_once(own, sender, befriend):
    await befriend(sender)
    key = {"Idempotency-Key": "letter"}
    answers = await asyncio.gather(*(own.post(SEND, json=letter(sender), headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["messageId"] for answer in answers}) == 1
    [conversation] = (await own.get("/v1/inbox/conversations")).json()["conversations"]
    path = f"/v1/inbox/conversations/{conversation['id']}/messages"
    assert len((await own.get(path, params={"accountId": sender})).json()["messages"]) == 1
