"""Erasing one person leaves nothing of them anywhere, keeps them suppressed, and takes nothing of anybody else."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.privacy.conftest import EMAIL, MARK, NOW, TOKEN, URL, Planted, columns, post

from leadwright import ids
from leadwright.channels.channel import InboundFact
from leadwright.engine import service as engine
from leadwright.identity import linkedin_identity
from leadwright.postgres.pool import Database
from leadwright.privacy.model import ERASED
from leadwright.suppression import service as suppression

ERASE = "/v1/privacy/erase"
PLANTED = {
    "action.content", "action.error_message", "action.external_id", "action.identity_key", "action.linkedin_url",
    "alias.key", "alias.person_key", "company_reply.company", "conversation.identity_key", "conversation.last_content",
    "conversation.participant_name", "conversation.participant_url", "enrolment.hold_detail", "event.data",
    "former_lead.identity_key", "history.detail", "idempotency_record.body", "idempotency_record.key",
    "inbound_fact.external_id", "lead.company", "lead.custom", "lead.email", "lead.first_name", "lead.identity_key",
    "lead.last_name", "lead.linkedin_url", "lead.profile", "lead.tags", "lead.title",
    "lead_import_outcome.identity_key", "message.content", "message.external_id",
    "relationship.identity_key", "simulated_fact.external_id", "simulated_fact.linkedin_url", "simulated_fact.text",
    "suppression.reason", "suppression.shown", "suppression.value", "webhook_delivery.attempts",
}  # fmt: skip
"""Every column in which something of a person can stand: the list that erasing has to know."""

NOT_OF_A_PERSON = {
    "workspace", "api_key", "audit_entry", "campaign", "campaign_counter", "campaign_counter_delta",
    "campaign_sequence", "duty", "erased_person", "erasure_key", "lane", "schema_migration", "sender", "sender_quota",
    "webhook", "webhook_stream",
}  # fmt: skip
"""Tables that speak of the operator's own: names, settings, counts, secrets, digests. The audit log keeps ids alone."""

WORDS_OF_OURS = {
    "action.awaiting", "action.error_code", "action.kind", "action.quota", "action.step_id",
    "conversation.last_direction", "enrolment.custom_status", "enrolment.hold_rule", "enrolment.step_id",
    "event.stream", "history.step_id", "history.type", "idempotency_record.request_hash", "inbound_fact.type",
    "lead_import_outcome.code", "lead_import_outcome.outcome", "message.direction", "simulated_fact.type",
    "webhook_delivery.event_type", "webhook_delivery.stream", "webhook_delivery.test_body",
}  # fmt: skip
"""Columns of the other tables that hold ids and words of a fixed vocabulary, and the sample of a webhook's test."""


async def test_every_column_that_can_hold_a_text_has_been_decided_about(database: Database) -> None:
    async with database.session() as connection:
        there_are = {(table, f"{table}.{column}") for table, column in await columns(connection)}
    open_ones = {name for table, name in there_are if table not in NOT_OF_A_PERSON} - PLANTED - WORDS_OF_OURS
    assert open_ones == set(), "can something of a person stand there? then plant it, and let erasing redact it"
    assert {name for _, name in there_are} >= PLANTED | WORDS_OF_OURS
    assert {table for table, _ in there_are} >= NOT_OF_A_PERSON


@pytest.mark.parametrize("named", [{"linkedinUrl": URL}, {"linkedinUrl": f"in/{TOKEN}"}, {"email": EMAIL.upper()}])
async def test_nothing_is_left_of_the_person(planted: Planted, search: Any, named: dict[str, str]) -> None:
    assert await search() == PLANTED
    assert await post(planted.client, ERASE, named) == {"leadsErased": 3, "messagesErased": 1, "suppressed": True}
    assert await search() == set()
    assert await post(planted.client, ERASE, named) == {"leadsErased": 0, "messagesErased": 0, "suppressed": True}


async def test_the_person_stays_suppressed_under_every_key_and_address(planted: Planted, database: Database) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    rows = [
        {"linkedinUrl": URL},
        {"linkedinUrl": f"in/{TOKEN}"},
        {"linkedinUrl": "in/somebody-new", "email": EMAIL.lower()},
        {"linkedinUrl": "in/stranger"},
        {"linkedinUrl": "in/somebody-else", "email": "x@example.com"},
    ]
    body = {"campaignId": planted.campaign, "leads": rows}
    for mode in ("skip", "fill", "overwrite"):
        told = await post(planted.client, "/v1/leads?report=full", body | {"onDuplicate": mode}, key="")
        outcomes = [result["outcome"] for result in told["results"]]
        assert outcomes[:4] == ["suppressed"] * 3 + ["duplicate"]
    slug = linkedin_identity(URL)
    async with database.session() as connection:
        asked = [
            suppression.Approached("person", f"slug:{slug.key}", None, None),  # type: ignore[union-attr]
            suppression.Approached("address", "slug:x", EMAIL, None),
            suppression.Approached("nobody", "slug:x", "x@example.com", None),
        ]
        found = await suppression.suppressed(connection, planted.workspace_id, asked)
    assert found == {"person", "address"}


async def test_whoever_asks_about_the_person_hears_that_it_is_suppressed(planted: Planted) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    urls = [URL, f"in/{TOKEN}", "in/stranger", "nobody at all"]
    answer = await post(planted.client, "/v1/identity/resolve", {"linkedinUrls": urls})
    assert [one["suppressed"] for one in answer["results"]] == [True, True, False, False]


async def test_another_workspace_may_know_the_person(
    planted: Planted, anonymous: httpx.AsyncClient, other_headers: dict[str, str]
) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    made = await anonymous.post("/v1/campaigns", json={"name": "Theirs"}, headers=other_headers)
    body = {"campaignId": made.json()["id"], "leads": [{"linkedinUrl": URL, "firstName": "Kept"}]}
    assert (await anonymous.post("/v1/leads", json=body, headers=other_headers)).json()["leadsAdded"] == 1
    told = await post(planted.client, ERASE, {"linkedinUrl": URL})
    assert told["leadsErased"] == 0
    leads = (await anonymous.get("/v1/leads", headers=other_headers)).json()["leads"]
    assert [lead["firstName"] for lead in leads] == ["Kept"]
    gone = await anonymous.post(ERASE, json={"linkedinUrl": URL}, headers=other_headers)
    assert gone.json()["leadsErased"] == 1


async def test_others_lose_nothing_and_the_counts_stay(planted: Planted) -> None:
    async def all_of_it() -> tuple[Any, Any, Any]:
        stranger = (await planted.client.get(f"/v1/leads/{planted.stranger}", params={"full": "true"})).json()
        history = (await planted.client.get(f"/v1/leads/{planted.stranger}/history")).json()
        campaign = (await planted.client.get(f"/v1/campaigns/{planted.campaign}")).json()
        return stranger, history, campaign["totalLeads"]

    before = await all_of_it()
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    assert await all_of_it() == before
    stats = (await planted.client.get(f"/v1/campaigns/{planted.campaign}/stats")).json()
    assert stats["funnel"]["activeLeads"] == 1


async def test_an_erased_lead_has_stopped_and_says_so(planted: Planted) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    lead = (await planted.client.get(f"/v1/leads/{planted.leads[0]}", params={"full": "true"})).json()
    assert (lead["status"], lead["linkedinUrl"], lead["firstName"], lead["data"]) == ("STOPPED", ERASED, None, {})
    entries = (await planted.client.get(f"/v1/leads/{planted.leads[0]}/history")).json()["entries"]
    assert (entries[0]["type"], entries[-1]["type"]) == ("added", "erased")


async def test_events_keep_their_id_and_place(planted: Planted, database: Database) -> None:
    async def stored() -> int:
        async with database.session() as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM event WHERE workspace_id = %s", (planted.workspace_id,)
            )
            row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    async def feed() -> list[dict[str, Any]]:
        """All that is stored, when all has got its place."""
        found: list[dict[str, Any]] = []
        cursor, all_of_them = "", await stored()
        async with asyncio.timeout(60):
            while len(found) < all_of_them:
                page = (await planted.client.get("/v1/events", params={"after": cursor})).json()
                found, cursor = found + page["events"], page["nextCursor"]
        return found

    before = await feed()
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    after = await feed()
    assert [(e["eventId"], e["cursor"], e["eventType"]) for e in after[: len(before)]] == [
        (e["eventId"], e["cursor"], e["eventType"]) for e in before
    ]
    assert [list(e["data"]) for e in after[: len(before)]] == [list(e["data"]) for e in before]
    assert {e["data"]["linkedinUrl"] for e in after} == {ERASED}


async def test_what_is_on_its_way_is_cancelled_and_its_worker_fenced_off(planted: Planted, database: Database) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    async with database.session() as connection:
        cursor = await connection.execute(
            "SELECT state, error_code, token, content FROM action WHERE workspace_id = %s", (planted.workspace_id,)
        )
        assert await cursor.fetchall() == [("cancelled", "erased", 1, {})]


async def test_whoever_adds_the_person_meanwhile_is_before_or_after_it(planted: Planted, search: Any) -> None:
    """Each add either is erased with the rest, or finds the person suppressed."""
    body = {"campaignId": planted.campaign, "leads": [{"linkedinUrl": URL, "firstName": MARK}]}
    adds = [planted.client.post("/v1/leads", json=body | {"onDuplicate": "overwrite"}) for _ in range(6)]
    answers = await asyncio.gather(*adds[:3], planted.client.post(ERASE, json={"linkedinUrl": URL}), *adds[3:])
    assert {answer.status_code for answer in answers} == {200}
    assert await search() == set()


async def test_a_stranger_to_us_is_suppressed_all_the_same(planted: Planted) -> None:
    told = await post(planted.client, ERASE, {"linkedinUrl": "in/never-seen"})
    assert told == {"leadsErased": 0, "messagesErased": 0, "suppressed": True}
    body = {"campaignId": planted.campaign, "leads": [{"linkedinUrl": "in/never-seen"}]}
    added = (await post(planted.client, "/v1/leads", body, key=""))["errors"]
    assert [error["code"] for error in added] == ["suppressed"]


async def test_what_an_erased_person_does_later_is_not_kept(planted: Planted, database: Database, search: Any) -> None:
    sender = await post(
        planted.client, "/v1/senders", {"name": "S", "linkedinUrl": "in/sender-s", "channel": "simulator"}
    )
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    bare = ids.bare(ids.Prefix.SENDER, sender["id"])
    for kind, url in (("reply", URL), ("connection_accepted", f"in/{TOKEN}")):
        fact = InboundFact(kind, url, MARK, f"fact {MARK}", NOW)  # type: ignore[arg-type]
        async with database.transaction() as connection:
            told = await engine.receive(connection, planted.workspace_id, bare or "", fact, NOW)
        assert told == engine.Received(False, None)
    assert await search() == set()


async def test_a_key_that_turns_out_to_be_theirs_is_suppressed_too_and_not_kept(planted: Planted, search: Any) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    body = {"linkedinUrl": f"in/ACoAAnew{MARK}", "sameAs": URL}
    assert (await post(planted.client, "/v1/identity/aliases", body, key=""))["learned"] is False
    rows = {"campaignId": planted.campaign, "leads": [{"linkedinUrl": f"in/ACoAAnew{MARK}"}]}
    told = await post(planted.client, "/v1/leads", rows, key="")
    assert [error["code"] for error in told["errors"]] == ["suppressed"]
    assert await search() == set()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "body"),
        ({"linkedinUrl": URL, "email": EMAIL}, "body"),
        ({"linkedinUrl": "https://example.com/in/x"}, "linkedinUrl"),
        ({"email": "x"}, "email"),
        ({"email": 5}, "email"),
    ],
)
@pytest.mark.parametrize("route", ["erase", "export"])
async def test_bad_bodies_name_their_field(client: httpx.AsyncClient, route: str, body: Any, path: str) -> None:
    answer = await client.post(f"/v1/privacy/{route}", json=body)
    assert answer.status_code == 400, answer.text
    assert [detail["path"] for detail in answer.json()["details"]] == [path]


@pytest.mark.parametrize("route", ["erase", "export"])
async def test_the_scope_is_needed(anonymous: httpx.AsyncClient, make_key: Any, route: str) -> None:
    headers = await make_key("leads:write", "suppression:manage")
    answer = await anonymous.post(f"/v1/privacy/{route}", json={"linkedinUrl": URL}, headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (403, "Key lacks privacy:manage")


async def test_an_export_shows_all_that_an_erasure_would_take(planted: Planted) -> None:
    shown = await post(planted.client, "/v1/privacy/export", {"email": EMAIL})
    assert shown["suppressed"] is True
    assert sorted(shown["identityKeys"]) == sorted([f"member_token:{TOKEN}", f"slug:{linkedin_identity(URL).key}"])  # type: ignore[union-attr]
    assert shown["emails"] == [EMAIL.lower()]
    empty = {heading for heading, rows in shown.items() if isinstance(rows, list) and not rows}
    assert empty == set()
    assert {lead["leadId"] for lead in shown["leads"]} == set(planted.leads)
    assert {lead["data"].get(f"field {MARK}") for lead in shown["leads"]} == {MARK, None}
    assert planted.stranger not in str(shown)
    await post(planted.client, ERASE, {"email": EMAIL})
    after = await post(planted.client, "/v1/privacy/export", {"linkedinUrl": URL}, key="")
    assert after["suppressed"] is True
    assert [heading for heading, rows in after.items() if isinstance(rows, list) and rows] == ["identityKeys"]


async def test_the_key_is_the_installations_own_and_is_in_the_database(database: Database) -> None:
    async with database.session() as connection:
        cursor = await connection.execute("SELECT key FROM erasure_key")
        ((key,),) = await cursor.fetchall()
    assert len(key) == 32
    assert ids.new_id() not in key.hex()


async def test_imports_do_not_show_what_stands_in_place_of_the_key(planted: Planted) -> None:
    await post(planted.client, ERASE, {"linkedinUrl": URL})
    imports = (await planted.client.get("/v1/imports")).json()["imports"]
    shown = [(await planted.client.get(f"/v1/imports/{found['id']}")).text for found in imports]
    assert shown
    assert not any("erased " in text for text in shown)
