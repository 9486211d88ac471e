"""Senders over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from leadwright import ids
from leadwright.crypto import SecretBox
from leadwright.postgres.pool import Database
from leadwright.senders import service

Make = Callable[..., Awaitable[dict[str, Any]]]
URL = "https://www.linkedin.com/in/ada-lovelace"
SCHEDULE = {"timeZone": "Europe/Berlin", "days": ["mon", "tue"], "from": "09:00", "to": "17:30", "holidays": []}
SECRETS = SecretBox("a key for tests only")


def sender(**fields: Any) -> dict[str, Any]:
    return {"name": "Ada Lovelace", "linkedinUrl": URL, "channel": "simulator", **fields}


async def test_a_sender_has_the_contracts_defaults(own: httpx.AsyncClient) -> None:
    answer = await own.post("/v1/senders", json=sender())
    assert answer.status_code == 201
    made = answer.json()
    assert made["id"].startswith("sender_")
    assert made["limits"] == {
        "connectionsPerDay": 20,
        "connectionsPerWeek": 100,
        "messagesPerDay": 50,
        "messagesPerWeek": None,
        "visitsPerDay": 80,
        "visitsPerWeek": None,
        "likesPerDay": 30,
        "likesPerWeek": None,
        "emailsPerDay": 50,
        "emailsPerWeek": None,
        "minGap": {"seconds": 0},
    }
    assert (made["firstName"], made["lastName"]) == ("Ada", "Lovelace")
    assert made["config"]["acceptRate"] == 0.35
    assert made["config"]["replyRate"] == 0.1
    assert (made["config"]["seed"], made["config"]["failureRate"]) == (1, 0)
    assert (made["rampUp"], made["schedule"], made["status"]) == (None, None, "active")
    assert made["simulated"] is True
    assert made["secret"] is None
    shown = (await own.get(f"/v1/senders/{made['id']}")).json()
    assert shown == {key: value for key, value in made.items() if key != "secret"}
    listed = (await own.get("/v1/senders")).json()
    assert listed["senders"] == [shown]
    assert listed["pagination"]["total"] == 1


async def test_a_gap_is_kept_by_every_channel_but_the_simulator(make_sender: Make) -> None:
    assert (await make_sender(channel="manual"))["limits"]["minGap"] == {"minutes": 1, "seconds": 30}
    assert (await make_sender(limits={"minGap": {"minutes": 2}}))["limits"]["minGap"] == {"minutes": 2}


async def test_everything_that_was_sent_comes_back(own: httpx.AsyncClient) -> None:
    sent = sender(
        firstName="A.",
        lastName="L.",
        config={"seed": 7, "acceptRate": 1, "acceptAfter": {"hours": 2}, "replyText": "Yes", "rateLimitedAfter": 9},
        limits={"connectionsPerDay": 5, "visitsPerWeek": 70, "messagesPerDay": None},
        rampUp={"start": 2, "addPerWeek": 3, "beginsOn": "2026-03-01"},
        schedule=SCHEDULE,
    )
    made = (await own.post("/v1/senders", json=sent)).json()
    for name in ("name", "firstName", "lastName", "linkedinUrl", "channel", "rampUp", "schedule"):
        assert made[name] == sent[name]
    assert sent["config"].items() <= made["config"].items()
    assert sent["limits"].items() <= made["limits"].items()


async def test_a_ramp_up_begins_on_the_day_it_is_set_and_goes_on_when_sent_again(
    own: httpx.AsyncClient, make_sender: Make
) -> None:
    made = await make_sender(rampUp={"start": 2, "addPerWeek": 3})
    assert made["rampUp"]["beginsOn"] == datetime.now(UTC).date().isoformat()
    path = f"/v1/senders/{made['id']}"
    early = {"start": 2, "addPerWeek": 3, "beginsOn": "2026-01-05"}
    assert (await own.patch(path, json={"rampUp": early})).json()["rampUp"] == early
    again = await own.patch(path, json={"rampUp": {"start": 2, "addPerWeek": 3}})
    assert again.json()["rampUp"] == early
    other = await own.patch(path, json={"rampUp": {"start": 4, "addPerWeek": 3}})
    assert other.json()["rampUp"]["beginsOn"] == datetime.now(UTC).date().isoformat()
    assert (await own.patch(path, json={"rampUp": None})).json()["rampUp"] is None


async def test_an_edit_leaves_what_it_does_not_name(own: httpx.AsyncClient, make_sender: Make) -> None:
    made = await make_sender(config={"acceptRate": 1, "seed": 5}, limits={"messagesPerDay": 7})
    path = f"/v1/senders/{made['id']}"
    edited = (await own.patch(path, json={"limits": {"visitsPerDay": 9}, "config": {"seed": 6}})).json()
    assert edited["limits"] == made["limits"] | {"visitsPerDay": 9}
    assert edited["config"] == made["config"] | {"seed": 6}
    assert edited["name"] == made["name"]
    back = (await own.patch(path, json={"config": {"acceptRate": None}})).json()
    assert back["config"]["acceptRate"] == 0.35


HTTP: dict[str, Any] = {"channel": "http", "config": {"url": "http://127.0.0.1:9/deeds"}}


async def test_a_secret_is_made_shown_once_and_never_again(own: httpx.AsyncClient, make_sender: Make) -> None:
    made = await make_sender(**HTTP)
    assert made["secret"].startswith("whsec_")
    assert made["config"]["secret"] == "••••"
    assert made["secret"] not in (await own.get(f"/v1/senders/{made['id']}")).text
    assert made["secret"] not in (await own.get("/v1/senders")).text


@pytest.mark.parametrize(
    ("sent", "needed"),
    [
        ({}, ["config.headers", "config.secret"]),
        ({"headers": {"Authorization": "••••"}, "secret": "••••"}, ["config.headers", "config.secret"]),
        ({"headers": {"Authorization": "Bearer new"}}, ["config.secret"]),
        ({"headers": None, "secret": "sixteen other letters"}, []),
        ({"headers": {"Authorization": "Bearer new"}, "secret": None}, []),
    ],
)
async def test_secrets_do_not_follow_the_address_to_another_host(
    own: httpx.AsyncClient, make_sender: Make, sent: dict[str, Any], needed: list[str]
) -> None:
    config = HTTP["config"] | {"secret": "sixteen letters and more", "headers": {"Authorization": "Bearer abc"}}
    path = f"/v1/senders/{(await make_sender(channel='http', config=config))['id']}"
    answer = await own.patch(path, json={"config": {"url": "https://elsewhere.example/deeds", **sent}})
    assert answer.status_code == (400 if needed else 200), answer.text
    assert [detail["path"] for detail in answer.json().get("details", [])] == needed


async def test_a_mask_that_comes_back_keeps_the_secret(
    own: httpx.AsyncClient, make_sender: Make, database: Database
) -> None:
    config = HTTP["config"] | {"secret": "sixteen letters and more", "headers": {"Authorization": "Bearer abc"}}
    made = await make_sender(channel="http", config=config)
    assert made["secret"] is None
    assert made["config"] == HTTP["config"] | {"secret": "••••", "headers": {"Authorization": "••••"}}
    path = f"/v1/senders/{made['id']}"
    new = made["config"] | {"url": "http://127.0.0.1:9/other", "headers": {"Authorization": "••••", "X-More": "1"}}
    assert (await own.patch(path, json={"config": new})).json()["config"]["headers"]["X-More"] == "••••"
    bare = ids.bare(ids.Prefix.SENDER, made["id"]) or ""
    async with database.session() as connection:
        found = await service.read(connection, own.workspace_id, SECRETS, bare)  # type: ignore[attr-defined]
        stored = await connection.execute("SELECT config FROM sender WHERE id = %s", (bare,))
        row = await stored.fetchone()
    assert row is not None
    assert "sixteen" not in row[0]
    assert "127.0.0.1" not in row[0]
    assert found.config["secret"] == "sixteen letters and more"
    assert found.config["headers"] == {"Authorization": "Bearer abc", "X-More": "1"}
    rotated = (await own.patch(path, json={"config": {"secret": None}})).json()
    assert rotated["secret"].startswith("whsec_")


async def test_a_replayed_answer_shows_no_secret(own: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "make-http-sender"}
    first = await own.post("/v1/senders", json=sender(**HTTP), headers=headers)
    again = await own.post("/v1/senders", json=sender(**HTTP), headers=headers)
    assert first.json()["secret"] is not None
    assert again.json() == first.json() | {"secret": None}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme"}, "linkedinUrl"),
        ({"linkedinUrl": 5}, "linkedinUrl"),
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "email"}, "channel"),
        ({"channel": "unipile"}, "channel"),
        ({"config": {"acceptRate": 1.5}}, "config.acceptRate"),
        ({"config": {"acceptrate": 1}}, "config.acceptrate"),
        ({"config": {"acceptAfter": {"weeks": 1}}}, "config.acceptAfter"),
        ({"config": {"seed": "x"}}, "config.seed"),
        ({"config": []}, "config"),
        ({"channel": "manual", "config": {"seed": 1}}, "config.seed"),
        ({"channel": "http"}, "config.url"),
        ({"channel": "http", "config": {"url": "http://example.com"}}, "config.url"),
        ({"channel": "http", "config": {"url": "https://10.0.0.1/x"}}, "config.url"),
        ({"channel": "http", "config": {"url": "https://example.com", "secret": "••••"}}, "config.secret"),
        ({"channel": "http", "config": {"url": "https://example.com", "headers": {"Host": "x"}}}, "config.headers"),
        ({"channel": "http", "config": {"url": "https://example.com", "headers": {"X-A": "••••"}}}, "config.headers"),
        ({"limits": {"messagesPerDay": -1}}, "limits.messagesPerDay"),
        ({"limits": {"messagesPerMonth": 1}}, "limits.messagesPerMonth"),
        ({"limits": {"minGap": {"days": 8}}}, "limits.minGap"),
        ({"limits": None}, "limits"),
        ({"rampUp": {"start": 1}}, "rampUp.addPerWeek"),
        ({"schedule": SCHEDULE | {"timeZone": "Mars"}}, "schedule.timeZone"),
    ],
)
async def test_a_fault_names_its_field_and_makes_nothing(
    own: httpx.AsyncClient, fields: dict[str, Any], path: str
) -> None:
    answer = await own.post("/v1/senders", json=sender(**fields))
    assert answer.status_code == 400, answer.text
    assert [detail["path"] for detail in answer.json()["details"]] == [path]
    assert path in answer.json()["message"]
    assert (await own.get("/v1/senders")).json()["pagination"]["total"] == 0


async def test_a_channel_without_an_adapter_says_so(own: httpx.AsyncClient) -> None:
    answer = (await own.post("/v1/senders", json=sender(channel="unipile"))).json()
    assert answer["code"] == "channel_unavailable"
    assert "simulator, manual, http" in answer["message"]


async def test_one_account_has_one_sender_a_channel(own: httpx.AsyncClient) -> None:
    assert (await own.post("/v1/senders", json=sender())).status_code == 201
    again = await own.post("/v1/senders", json=sender(linkedinUrl="uk.linkedin.com/in/ADA-lovelace/?x=1"))
    assert (again.status_code, again.json()["code"]) == (400, "sender_exists")
    manual = await own.post("/v1/senders", json=sender(channel="manual"))
    assert manual.status_code == 201
    other = (await own.post("/v1/senders", json=sender(linkedinUrl="in/other", channel="manual"))).json()
    taken = await own.patch(f"/v1/senders/{other['id']}", json={"linkedinUrl": URL, "name": "Changed"})
    assert (taken.status_code, taken.json()["code"]) == (400, "sender_exists")
    assert (await own.get(f"/v1/senders/{other['id']}")).json() == {k: v for k, v in other.items() if k != "secret"}
    assert (await own.patch(f"/v1/senders/{manual.json()['id']}", json={"linkedinUrl": URL})).status_code == 200


async def test_one_of_two_at_once_is_refused(own: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(own.post("/v1/senders", json=sender()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]


async def test_an_alias_of_an_account_is_the_account(own: httpx.AsyncClient) -> None:
    token = "https://www.linkedin.com/in/ACoAAADaLovelace"
    assert (await own.post("/v1/senders", json=sender())).status_code == 201
    joined = await own.post("/v1/identity/aliases", json={"linkedinUrl": token, "sameAs": URL})
    assert joined.status_code == 200, joined.text
    assert (await own.post("/v1/senders", json=sender(linkedinUrl=token))).json()["code"] == "sender_exists"


async def test_an_alias_that_is_learned_later_is_the_account_too(own: httpx.AsyncClient) -> None:
    token = "https://www.linkedin.com/in/ACoAAADaLovelace"
    assert (await own.post("/v1/senders", json=sender(linkedinUrl=token))).status_code == 201
    assert (await own.post("/v1/identity/aliases", json={"linkedinUrl": token, "sameAs": URL})).status_code == 200
    for url in (token, URL):
        assert (await own.post("/v1/senders", json=sender(linkedinUrl=url))).json()["code"] == "sender_exists"


async def test_disconnecting_and_reconnecting(own: httpx.AsyncClient, make_sender: Make) -> None:
    path = f"/v1/senders/{(await make_sender())['id']}"
    off = (await own.patch(path, json={"status": "disconnected"})).json()
    assert (off["status"], off["statusReason"], off["statusUntil"]) == ("disconnected", "by_person", None)
    on = (await own.patch(path, json={"status": "active"})).json()
    assert (on["status"], on["statusReason"]) == ("active", None)
    refused = await own.patch(path, json={"status": "rate_limited"})
    assert refused.json()["details"][0]["path"] == "status"


async def test_a_channel_stays(own: httpx.AsyncClient, make_sender: Make) -> None:
    path = f"/v1/senders/{(await make_sender())['id']}"
    assert (await own.patch(path, json={"channel": "simulator"})).status_code == 200
    refused = await own.patch(path, json={"channel": "manual"})
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "channel")


async def test_a_removed_sender_is_gone_but_its_row_stays_without_secrets(
    own: httpx.AsyncClient, make_sender: Make, database: Database
) -> None:
    made = await make_sender(**HTTP)
    path = f"/v1/senders/{made['id']}"
    assert (await own.delete(path)).json() == {"success": True, "id": made["id"]}
    for answer in (await own.get(path), await own.delete(path), await own.patch(path, json={"name": "x"})):
        assert (answer.status_code, answer.json()["code"]) == (404, "sender_not_found")
    assert (await own.get("/v1/senders")).json()["senders"] == []
    bare = ids.bare(ids.Prefix.SENDER, made["id"]) or ""
    async with database.transaction() as connection:
        workspace: str = own.workspace_id  # type: ignore[attr-defined]
        kept = (await service.load(connection, SECRETS, workspace, [bare]))[bare]
        assert await service.exists(connection, workspace, [bare]) == frozenset()
    assert kept.removed_at is not None
    assert (kept.name, dict(kept.config)) == ("Ada Lovelace", {})
    again = await own.post("/v1/senders", json=sender(linkedinUrl=made["linkedinUrl"], **HTTP))
    assert again.status_code == 201
    assert again.json()["id"] != made["id"]


async def test_campaigns_take_senders_that_are_there(
    own: httpx.AsyncClient, make_sender: Make, client: httpx.AsyncClient
) -> None:
    made = (await make_sender())["id"]
    campaign = await own.post("/v1/campaigns", json={"name": "x", "senderIds": [made]})
    assert campaign.status_code == 201
    assert campaign.json()["linkedInSenderIds"] == [made]
    foreign = await client.post("/v1/campaigns", json={"name": "x", "senderIds": [made]})
    assert (foreign.status_code, foreign.json()["message"]) == (400, "Invalid request or sender not found")
    await own.delete(f"/v1/senders/{made}")
    late = await own.post("/v1/campaigns", json={"name": "x", "senderIds": [made]})
    assert (late.status_code, late.json()["code"]) == (400, "sender_not_found")
    kept = await own.patch(f"/v1/campaigns/{campaign.json()['id']}", json={"senderIds": [made], "name": "y"})
    assert kept.status_code == 200


async def test_senders_of_another_workspace_are_unknown(
    own: httpx.AsyncClient, make_sender: Make, client: httpx.AsyncClient
) -> None:
    path = f"/v1/senders/{(await make_sender())['id']}"
    for answer in (
        await client.get(path),
        await client.patch(path, json={"name": "x"}),
        await client.delete(path),
        await client.get("/v1/senders/sender_1"),
    ):
        assert (answer.status_code, answer.json()["message"]) == (404, "Sender not found")
    assert (await own.get(path)).status_code == 200


@pytest.mark.parametrize(("scope", "allowed"), [("senders:read", False), ("senders:write", True)])
async def test_scopes(base_url: str, make_key: Any, scope: str, allowed: bool) -> None:
    key = await make_key(scope)
    async with httpx.AsyncClient(base_url=base_url, headers=key, trust_env=False) as limited:
        answers = [
            await limited.post("/v1/senders", json={}),
            await limited.patch("/v1/senders/sender_1", json={}),
            await limited.delete("/v1/senders/sender_1"),
        ]
        read = await limited.get("/v1/senders")
    assert [answer.status_code == 403 for answer in answers] == [not allowed] * 3
    assert (read.status_code == 403) is allowed


async def test_pages_and_cursors(own: httpx.AsyncClient, make_sender: Make) -> None:
    made = [(await make_sender())["id"] for _ in range(3)]
    page = (await own.get("/v1/senders?limit=2&page=2")).json()
    assert [each["id"] for each in page["senders"]] == made[2:]
    first = (await own.get("/v1/senders?limit=2&cursor=")).json()
    rest = (await own.get(f"/v1/senders?limit=2&cursor={first['nextCursor']}")).json()
    assert [each["id"] for each in first["senders"] + rest["senders"]] == made
    assert rest["nextCursor"] is None


async def test_an_account_that_comes_back_has_what_it_had_used(own: httpx.AsyncClient) -> None:
    limits = {"connectionsPerDay": 2, "minGap": {"seconds": 0}}

    async def again() -> str:
        answer = await own.post("/v1/senders", json=sender(linkedinUrl="in/comes-back", limits=limits))
        return str(answer.json()["id"])

    async def invited(sender_id: str, name: str) -> int:
        body = {"senderId": sender_id, "recipientLinkedinUrl": f"in/{name}"}
        return (await own.post("/v1/inbox/connect", json=body)).status_code

    for name in ("one", "two"):
        made = await again()
        assert await invited(made, name) == 200
        assert (await own.delete(f"/v1/senders/{made}")).status_code in (200, 204)
    assert await invited(await again(), "three") == 429
