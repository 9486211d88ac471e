"""The ``http`` channel against a real endpoint: what it sends, and what it makes of every answer."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from svix.webhooks import Webhook, WebhookVerificationError

from leadwright.channels.channel import (
    Done,
    Later,
    Outcome,
    Permanent,
    RateLimited,
    SenderDown,
    Temporary,
    Unknown,
)
from leadwright.channels.conformance import sample_sender
from leadwright.channels.http import Http
from leadwright.channels.http_answers import read_answer
from leadwright.channels.step_webhook import StepWebhook
from leadwright.engine.sequence import StepType
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import Answer, OutboundClient
from leadwright.senders.model import ChannelName

SECRET = "whsec_" + base64.b64encode(b"a key of 24 bytes or more").decode()


@pytest.fixture
def http(outbound: OutboundClient) -> Http:
    return Http(outbound)


async def test_the_deed_is_posted_signed_twice_with_its_own_id(
    http: Http, endpoint: Any, make_sender: Any, make_deed: Any
) -> None:
    sender = make_sender(ChannelName.HTTP, url=endpoint.url, secret=SECRET, headers={"X-Team": "north"})
    deed = make_deed(sender, first_name="Jane", lead_id="1" * 32, campaign_id="2" * 32)
    assert await http.perform(deed) == Done(f"ext-act_{deed.id}")
    [head], [body], [asked] = endpoint.heads, endpoint.bodies, endpoint.asked
    assert (head["Idempotency-Key"], head["svix-id"]) == (f"act_{deed.id}", f"act_{deed.id}")
    assert head["X-Team"] == "north"
    stamp, signature = head["Webhook-Signature"].removeprefix("t=").split(",s=")
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == expected
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"act_{deed.id}.{stamp}.".encode() + body
    again = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert head["svix-signature"] == f"v1,{again}"
    assert asked == {
        "want": "perform",
        "id": f"act_{deed.id}",
        "type": "connect",
        "attempt": 1,
        "at": "2026-03-02T09:00:00.000Z",
        "workspaceId": f"ws_{deed.workspace_id}",
        "campaignId": "camp_" + "2" * 32,
        "leadId": "lead_" + "1" * 32,
        "sender": {"id": f"sender_{sender.id}", "name": "Ada Lovelace", "linkedinUrl": sender.linkedin_url},
        "person": {
            "linkedinUrl": deed.linkedin_url,
            "identityKey": "slug:jane-smith",
            "firstName": "Jane",
            "lastName": None,
        },
        "content": {"text": "Hi Jane"},
        "externalId": None,
    }


async def test_the_known_library_accepts_the_signature(
    http: Http, endpoint: Any, make_sender: Any, make_deed: Any
) -> None:
    sender = make_sender(ChannelName.HTTP, url=endpoint.url, secret=SECRET)
    await http.perform(make_deed(sender, at=datetime.now(UTC)))
    Webhook(SECRET).verify(endpoint.bodies[0], endpoint.heads[0])
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(endpoint.bodies[0] + b" ", endpoint.heads[0])


ANSWERS: list[tuple[Any, Outcome]] = [
    ({"status": "done"}, Done()),
    (
        {"status": "done", "externalId": "e1", "knownAs": ["in/ACoAAx"], "profile": {"about": "x"}, "message": "ok"},
        Done("e1", None, ("in/ACoAAx",), {"about": "x"}, "ok"),
    ),
    ({"status": "already_connected"}, Done(found="already_connected")),
    ({"status": "already_invited"}, Done(found="already_invited")),
    ({"status": "accepted", "externalId": "e2"}, Later("channel", "e2")),
    ({"status": "failed", "code": "blocked", "message": "no"}, Permanent("blocked", "no")),
    ({"status": "failed", "code": "skipped"}, Permanent("refused", "skipped")),
    ({"status": "failed", "code": "of-my-own"}, Permanent("refused", "of-my-own")),
    ({"status": "failed"}, Permanent("refused")),
    ({"status": "temporary", "retryAfter": 90}, Temporary("temporary", None, timedelta(seconds=90))),
    ({"status": "rate_limited", "retryAfter": 3600}, RateLimited(None, timedelta(hours=1))),
    ({"status": "rate_limited", "retryAfter": -1}, RateLimited(None, None)),
    ({"status": "disconnected", "message": "log in"}, SenderDown("log in", None)),
    ({"status": "unknown"}, Unknown("the endpoint does not know")),
    (web.json_response({"status": "failed", "code": "not_connected"}, status=409), Permanent("not_connected")),
    (web.Response(status=202), Later("channel")),
    (
        web.Response(status=200, text="OK"),
        Unknown('the endpoint answered 200 without a body such as {"status": "done"}'),
    ),
    (web.Response(status=400, text="bad"), Permanent("refused", "the endpoint answered 400")),
    (web.Response(status=401), SenderDown("the endpoint answered 401", timedelta(minutes=15))),
    (web.Response(status=404), SenderDown("the endpoint answered 404", timedelta(minutes=15))),
    (
        web.Response(status=302, headers={"Location": "/x"}),
        SenderDown("the endpoint answered 302", timedelta(minutes=15)),
    ),
    (
        web.Response(status=429, headers={"Retry-After": "60"}),
        RateLimited("the endpoint answered 429", timedelta(minutes=1)),
    ),
    (
        web.Response(status=503, headers={"Retry-After": "5"}),
        Temporary("unavailable", "the endpoint answered 503", timedelta(seconds=5)),
    ),
    (web.Response(status=500), Unknown("the endpoint answered 500")),
]


@pytest.mark.parametrize(("answer", "outcome"), ANSWERS, ids=lambda value: type(value).__name__)
async def test_every_answer_has_its_outcome(
    http: Http, endpoint: Any, make_sender: Any, make_deed: Any, answer: Any, outcome: Outcome
) -> None:
    endpoint.answers.append(answer)
    assert await http.perform(make_deed(make_sender(ChannelName.HTTP, url=endpoint.url))) == outcome


async def test_what_the_endpoint_echoes_shows_no_secret(
    http: Http, endpoint: Any, make_sender: Any, make_deed: Any
) -> None:
    endpoint.answers.append({"status": "failed", "message": f"bad secret {SECRET} and token-1234"})
    sender = make_sender(ChannelName.HTTP, url=endpoint.url, secret=SECRET, headers={"X-Token": "token-1234"})
    outcome = await http.perform(make_deed(sender))
    assert outcome == Permanent("refused", "bad secret ••• and •••")


async def test_an_endpoint_that_is_away_rests_the_sender_and_costs_no_lead(
    http: Http, make_sender: Any, make_deed: Any
) -> None:
    gone = await http.perform(make_deed(make_sender(ChannelName.HTTP, url="http://127.0.0.1:9/deeds")))
    assert isinstance(gone, SenderDown)
    assert gone.retry_after == timedelta(minutes=1)


async def test_a_private_address_is_refused_when_connecting(make_sender: Any, make_deed: Any, endpoint: Any) -> None:
    async with OutboundClient(AllowedHosts.parse([])) as strict:
        outcome = await Http(strict).perform(make_deed(make_sender(ChannelName.HTTP, url=endpoint.url)))
    assert isinstance(outcome, SenderDown)
    assert outcome.retry_after is None
    assert endpoint.asked == []


async def test_asking_never_takes_a_failed_question_for_an_answer(
    http: Http, endpoint: Any, make_sender: Any, make_deed: Any
) -> None:
    deed = make_deed(make_sender(ChannelName.HTTP, url=endpoint.url))
    for answer in (web.Response(status=404), web.Response(status=401), "refused", web.Response(status=500)):
        endpoint.answers.append(answer)
        assert isinstance(await http.reconcile(deed), Unknown)
    assert {asked["want"] for asked in endpoint.asked} == {"outcome"}
    away = make_deed(make_sender(ChannelName.HTTP, url="http://127.0.0.1:9/deeds"))
    assert isinstance(await http.reconcile(away), Unknown)


NAMES = st.text("\0ab", max_size=3)


@given(st.dictionaries(NAMES, st.recursive(NAMES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))))
def test_nothing_that_is_kept_of_an_answer_has_nul(profile: dict[str, Any]) -> None:
    told = {"status": "done", "profile": profile, "externalId": "a\0", "message": "b\0"}
    outcome = read_answer(Answer(200, json.dumps(told), None, 0.1))
    assert isinstance(outcome, Done)
    assert "\\u0000" not in json.dumps([outcome.profile, outcome.external_id, outcome.note])


@given(st.text(max_size=200) | st.binary(max_size=50).map(repr), st.integers(200, 599))
def test_no_answer_raises(body: str, status: int) -> None:
    outcome = read_answer(Answer(status, body, None, 0.1))
    assert not isinstance(outcome, Done)


@given(
    st.dictionaries(
        st.sampled_from(["status", "externalId", "knownAs", "profile", "code", "message", "retryAfter"]),
        st.none() | st.text(max_size=5) | st.floats() | st.lists(st.text(max_size=3)) | st.just("done"),
    )
)
def test_no_shape_raises(body: dict[str, Any]) -> None:
    outcome = read_answer(Answer(200, json.dumps(body), None, 0.1))
    assert not isinstance(outcome, Done) or body["status"] == "done"


async def test_a_removed_sender_has_nowhere_to_ask(http: Http, make_deed: Any) -> None:
    deed = make_deed(sample_sender(ChannelName.HTTP, {}))
    assert isinstance(await http.perform(deed), SenderDown)
    assert isinstance(await http.reconcile(deed), Unknown)


async def test_a_webhook_step_posts_the_leads_fields_to_its_own_address(
    outbound: OutboundClient, endpoint: Any, make_sender: Any, make_deed: Any
) -> None:
    content = {"url": endpoint.url, "payload": {"fields": {"firstName": "Jane", "score": 85}}}
    deed = make_deed(make_sender(ChannelName.MANUAL), StepType.WEBHOOK, content=content)
    step = StepWebhook(outbound)
    assert await step.perform(deed) == Done()
    assert endpoint.asked[0]["fields"] == {"firstName": "Jane", "score": 85}
    assert endpoint.heads[0]["Idempotency-Key"] == f"act_{deed.id}"
    for answer, outcome in (
        (web.Response(status=500), Temporary("unavailable", "the address answered 500")),
        (web.Response(status=404), Permanent("refused", "the address answered 404")),
    ):
        endpoint.answers.append(answer)
        assert await step.perform(deed) == outcome
