"""An answer that was lost never sends twice under one key: the retry tells what has become of the deed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

HEADER = "Idempotent-Replayed"


async def test_a_retry_is_answered_as_the_first(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    first = await desk.send(sender, "jane", key="once")
    again = await desk.send(sender, "jane", key="once")
    assert (again.status_code, again.json(), again.headers[HEADER]) == (200, first.json(), "true")
    assert [deed["content"] for deed in operator.done] == [{"text": "Hello"}]
    other = await desk.send(sender, "jane", key="once", message="Another")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_twenty_at_once_under_one_key_send_once(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    answers = await asyncio.gather(*[desk.send(sender, "jane", key="together") for _ in range(20)])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["messageId"] for answer in answers}) == len(operator.done) == 1


async def test_after_a_lost_answer_nothing_is_sent_again_and_the_retry_learns_the_outcome(
    desk: Any, operator: Any
) -> None:
    """The operator has done it and hung up: uncertain, until it is asked."""
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    operator.answers = [None, {"status": "done"}]
    lost = await desk.send(sender, "jane", key="lost")
    assert (lost.status_code, lost.json()["status"]) == (202, "uncertain")
    retried = await desk.send(sender, "jane", key="lost")
    assert (retried.status_code, retried.json(), retried.headers[HEADER]) == (202, lost.json(), "true")
    assert len(operator.done) == 1
    await desk.reconcile(datetime.now(UTC) + timedelta(minutes=6))
    assert operator.asked == 1
    known = await desk.send(sender, "jane", key="lost")
    assert (known.status_code, known.json()["status"]) == (200, "sent")
    assert known.json()["messageId"] == lost.json()["messageId"]
    assert (await desk.send(sender, "jane", key="lost")).json() == known.json()
    assert len(operator.done) == len(await desk.events("message.sent")) == 1
    [message] = await desk.messages(known.json()["conversationId"], sender)
    assert message["id"] == lost.json()["messageId"]


async def test_what_certainly_did_not_happen_is_tried_anew_under_the_same_ids(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    operator.answers = [{"status": "temporary"}, {"status": "done"}]
    refused = await desk.send(sender, "jane", key="anew")
    assert refused.status_code == 503
    retried = await desk.send(sender, "jane", key="anew")
    assert (retried.status_code, retried.json()["status"]) == (200, "sent")
    assert len(operator.done) == 1
    assert operator.done[0]["attempt"] == 2
    assert operator.done[0]["id"] == retried.json()["actionId"]


async def test_an_uncertain_deed_that_did_not_happen_is_done_by_the_retry(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    operator.answers = [500, {"status": "done"}]
    unknown = await desk.send(sender, "jane", key="not")
    assert (unknown.status_code, unknown.json()["status"]) == (202, "uncertain")
    await desk.reconcile(datetime.now(UTC) + timedelta(minutes=6))
    retried = await desk.send(sender, "jane", key="not")
    assert (retried.status_code, retried.json()["messageId"]) == (200, unknown.json()["messageId"])
    assert len(operator.done) == len(await desk.events("message.sent")) == 1


async def test_a_refusal_of_the_channel_is_kept_for_the_retry(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    await desk.connect(sender, "jane")
    operator.answers = [{"status": "failed", "code": "blocked"}, {"status": "done"}]
    first = await desk.send(sender, "jane", key="refused")
    again = await desk.send(sender, "jane", key="refused")
    assert (again.status_code, again.json()["code"], again.headers[HEADER]) == (400, first.json()["code"], "true")
    assert operator.done == []


async def test_a_limit_is_not_kept_for_the_retry(desk: Any) -> None:
    sender = await desk.sender(limits={"messagesPerDay": 1})
    await desk.connect(sender, "jane")
    assert (await desk.send(sender, "jane")).status_code == 200
    assert (await desk.send(sender, "jane", key="later")).status_code == 429
    await desk.client.patch(f"/v1/senders/{sender}", json={"limits": {"messagesPerDay": 2}})
    assert (await desk.send(sender, "jane", key="later")).status_code == 200


async def test_a_later_outcome_is_told_to_the_retry(desk: Any, operator: Any) -> None:
    """The operator takes it and reports later; the invitation keeps the id that its caller was promised."""
    sender = await desk.operated_by(operator)
    operator.answers = [{"status": "accepted"}]
    body = {"senderId": sender, "recipientLinkedinUrl": "in/jane"}
    taken = await desk.post("connect", body, "taken")
    assert (taken.status_code, taken.json()["status"]) == (202, "queued")
    retried = await desk.post("connect", body, "taken")
    assert (retried.status_code, retried.json()) == (202, taken.json())
    assert operator.done == []


async def test_twenty_at_once_without_a_key_invite_once(desk: Any, operator: Any) -> None:
    """Each is told of the one invitation: that it is under way, or that it has gone out."""
    sender = await desk.operated_by(operator)
    body = {"senderId": sender, "recipientLinkedinUrl": "in/jane"}
    answers = await asyncio.gather(*[desk.post("connect", body) for _ in range(20)])
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["actionId"] for answer in answers} - {None}) == 1
    assert len(operator.done) == len(await desk.events("connection_request.sent")) == 1


async def test_an_invitation_of_which_nobody_knows_is_not_sent_again(desk: Any, operator: Any) -> None:
    sender = await desk.operated_by(operator)
    body = {"senderId": sender, "recipientLinkedinUrl": "in/jane"}
    operator.answers = [None]
    lost = await desk.post("connect", body)
    again = await desk.post("connect", body)
    assert (again.status_code, again.json()) == (lost.status_code, lost.json()) == (202, lost.json())
    assert lost.json()["status"] == "uncertain"
    assert len(operator.done) == 1
