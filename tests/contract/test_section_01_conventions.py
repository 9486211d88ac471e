"""Section 1 of the wire contract: what holds for every route."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadwright.clock import system_clock
from leadwright.crypto import SecretBox
from leadwright.http.server import Server, bind, serving
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

UNKNOWN = "0199c0ffee0070008000000000000001"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LISTS = {"/v1/leads": "leads", "/v1/campaigns": "campaigns", "/v1/suppressions": "suppressions"}


async def test_1_the_same_routes_answer_under_the_older_base_path(own, campaign):
    for path in ("campaigns", f"campaigns/{campaign}", "leads", "me"):
        new, old = await own.get(f"/v1/{path}"), await own.get(f"/api/v1/{path}")
        assert (new.status_code, new.json()) == (old.status_code, old.json()) == (200, new.json())


async def test_1_a_slash_behind_a_path_is_the_same_route(own, refused, campaign):
    for path in ("campaigns", f"campaigns/{campaign}", "me"):
        assert (await own.get(f"/v1/{path}/")).json() == (await own.get(f"/api/v1/{path}/")).json()
        assert (await own.get(f"/v1/{path}/")).json() == (await own.get(f"/v1/{path}")).json()
    refused(await own.get("/v1/nothing/"), 404, "Cannot GET /v1/nothing/")
    refused(await own.get("/v1/campaigns//"), 404, "Cannot GET /v1/campaigns//")


@pytest.mark.parametrize(
    "path", ["/v1/leads/lead_{}", "/v1/campaigns/camp_{}", "/v1/leads?campaignId=camp_{}", "/v1/campaigns/anything"]
)
async def test_1_the_key_is_checked_before_existence(own, anonymous, refused, path):
    path = path.format(UNKNOWN)
    refused(await own.get(path), 404)
    refused(await anonymous.get(path, headers={"X-API-Key": "lw_live_wrong"}), 401)
    refused(await anonymous.get(path), 401)


async def test_1_some_routes_want_no_key(anonymous):
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/metrics"):
        assert (await anonymous.get(path)).status_code == 200


async def test_1_an_error_has_status_message_and_reason_phrase(own, refused):
    body = refused(await own.get(f"/v1/campaigns/camp_{UNKNOWN}"), 404, "Campaign not found")
    assert body | {"code": "", "requestId": ""} == {
        "statusCode": 404, "message": "Campaign not found", "error": "Not Found", "code": "", "requestId": "",
    }  # fmt: skip


async def test_1_an_error_carries_a_machine_word_and_the_request_id(own, refused):
    answer = await own.get(f"/v1/campaigns/camp_{UNKNOWN}")
    body = refused(answer, 404)
    assert body["code"] == "campaign_not_found"
    assert body["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/leads", {"leads": [{}]}, "campaignId"),
        ("POST", "/v1/leads", {"campaignId": "camp_1", "leads": 5}, "leads"),
        ("POST", "/v1/campaigns", {"name": 5}, "name"),
        ("GET", "/v1/leads?limit=0", None, "limit"),
        ("GET", "/v1/leads?status=HAPPY", None, "status"),
    ],
)
async def test_1_the_message_of_a_validation_fault_is_one_text_that_names_the_field(
    own, refused, method, path, body, field
):
    told = refused(await own.request(method, path, json=body), 400)
    assert field in told["message"]
    assert [detail["path"] for detail in told["details"]] == [field]
    assert all(set(detail) == {"path", "message"} for detail in told["details"])


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/inbox/messages"),
        ("PUT", "/v1/leads"),
        ("POST", "/v1/campaigns/camp_1"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/nowhere"),
        ("GET", "/api/v1/nothing"),
    ],
)
async def test_1_an_unknown_route_or_method_is_told_as_such_with_or_without_a_key(
    own, anonymous, refused, keyed, method, path
):
    answer = await (own if keyed else anonymous).request(method, path)
    refused(answer, 404, f"Cannot {method} {path}")


async def test_1_no_error_shows_html_or_a_stack_trace(own, anonymous):
    answers = [
        await own.get("/v1/nothing"),
        await own.post("/v1/leads", content=b"{", headers={"Content-Type": "application/json"}),
        await anonymous.get("/v1/leads"),
        await own.get("/v1/leads?cursor=<script>"),
        await own.get("/%00%ff"),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        assert "<html" not in answer.text.lower()
        assert "Traceback" not in answer.text


async def test_1_created_is_201_and_a_plain_success_200(own, campaign):
    assert (await own.post("/v1/campaigns", json={"name": "New"})).status_code == 201
    assert (await own.post("/v1/keys", json={"name": "New"})).status_code == 201
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    assert (await own.post("/v1/leads", json=body)).status_code == 200


async def test_1_a_lacking_scope_is_403_and_named(connect, refused):
    clerk = await connect("leads:write")
    refused(await clerk.get("/v1/leads"), 403, "Key lacks leads:read")


async def test_1_too_large_a_body_is_413_and_another_kind_415(own, refused):
    content = {"Content-Type": "application/json"}
    refused(await own.post("/v1/leads", content=b" " * 2_000_001, headers=content), 413)
    refused(await own.post("/v1/leads", content=b"a=b", headers={"Content-Type": "text/plain"}), 415)


async def serve(database: Database, settings: Settings) -> tuple[Server, "asyncio.Task[None]", str]:
    """One more server beside the module's own."""
    started = serving(database, settings, system_clock, SecretBox("a key for tests only"))
    server, listening = Server(await started.__aenter__()), bind("127.0.0.1", 0)

    async def run() -> None:
        await server.serve(sockets=[listening])
        await started.__aexit__(None, None, None)

    running = asyncio.create_task(run())
    await server.accepting.wait()
    return server, running, f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_1_too_many_requests_are_429_with_a_time_to_wait(database, headers, refused):
    server, running, url = await serve(database, Settings(rate_limit=2))
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        answers = await asyncio.gather(*(client.get("/v1/me") for _ in range(20)))
    server.stop()
    await running
    limited = [answer for answer in answers if answer.status_code != 200]
    assert limited
    for answer in limited:
        assert refused(answer, 429)["code"] == "rate_limited"
        assert int(answer.headers["Retry-After"]) >= 1


async def test_1_without_its_database_the_server_answers_503_with_a_time_to_wait(
    make_database: Callable[..., str], refused
):
    database = Database(await asyncio.to_thread(make_database))
    await database.open()
    server, running, url = await serve(database, Settings())
    await database.close()
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        answer = await client.get("/v1/leads", headers={"X-API-Key": "lw_live_any"})
    server.stop()
    await running
    refused(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1


async def test_1_an_id_of_another_workspace_is_an_unknown_one(own, stranger, campaign, add, leads_of, refused):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    theirs = {"campaign": campaign, "lead": lead["id"]}
    unknown = {"campaign": f"camp_{UNKNOWN}", "lead": f"lead_{UNKNOWN}"}
    for named in (theirs, unknown):
        refused(await stranger.get(f"/v1/campaigns/{named['campaign']}"), 404, "Campaign not found")
        refused(await stranger.get(f"/v1/leads?campaignId={named['campaign']}"), 404, "Campaign not found")
        refused(await stranger.get(f"/v1/leads/{named['lead']}"), 404, "Lead not found")
        body = {"campaignId": named["campaign"], "leads": [{"linkedinUrl": "in/eve"}]}
        refused(await stranger.post("/v1/leads", json=body), 404, "Campaign not found")
    assert [each["id"] for each in await leads_of(campaign)] == [lead["id"]]


async def test_1_an_unknown_sender_in_a_body_is_400(own, refused):
    body = {"name": "Campaign", "senderIds": [f"sender_{UNKNOWN}"]}
    refused(await own.post("/v1/campaigns", json=body), 400, "Invalid request or sender not found")


async def test_1_times_are_utc_with_milliseconds(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    [entry] = (await own.get(f"/v1/leads/{lead['id']}/history")).json()["entries"]
    made = (await own.get(f"/v1/campaigns/{campaign}")).json()
    for time in (lead["createdAt"], lead["updatedAt"], made["createdAt"], entry["at"]):
        assert MOMENT.fullmatch(time), time


async def test_1_ids_are_prefixed_letters_and_digits(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    workspace = (await own.get("/v1/me")).json()["workspace"]["id"]
    for prefix, named in (("camp", campaign), ("lead", lead["id"]), ("ws", workspace)):
        assert re.fullmatch(rf"{prefix}_[A-Za-z0-9]+", named)


async def test_1_ids_are_in_the_order_of_their_making_and_one_does_not_tell_another(own, make_campaign):
    made = [await make_campaign() for _ in range(5)]
    assert sorted(made) == made
    assert len({each[-16:] for each in made}) == 5
    near = int(made[-1].removeprefix("camp_"), 16)
    for guess in (near - 1, near + 1):
        assert (await own.get(f"/v1/campaigns/camp_{guess:032x}")).status_code == 404


async def fill(own: httpx.AsyncClient, path: str, campaign: str) -> None:
    """Three rows for a list, whichever it is."""
    if path == "/v1/leads":
        body = {"campaignId": campaign, "leads": [{"linkedinUrl": f"in/p{n}"} for n in range(3)]}
        await own.post(path, json=body)
    elif path == "/v1/suppressions":
        await own.post(path, json={"entries": [{"company": f"C {n}"} for n in range(3)]})
    else:
        for _ in range(2):
            await own.post(path, json={"name": "More"})


@pytest.mark.parametrize("path", LISTS)
async def test_1_pages_by_number(own, campaign, path):
    await fill(own, path, campaign)
    pages = [(await own.get(path, params={"limit": 2, "page": page})).json() for page in (1, 2, 3)]
    assert [len(page[LISTS[path]]) for page in pages] == [2, 1, 0]
    assert [page["pagination"] for page in pages] == [
        {"total": 3, "page": page, "limit": 2, "totalPages": 2} for page in (1, 2, 3)
    ]
    assert all("nextCursor" not in page for page in pages)


@pytest.mark.parametrize("path", LISTS)
async def test_1_a_page_past_the_end_is_empty_and_a_limit_outside_its_bounds_400(own, campaign, refused, path):
    assert (await own.get(path, params={"page": 10**9})).json()[LISTS[path]] == []
    for limit in (0, 101, -1, "many"):
        assert "limit" in refused(await own.get(path, params={"limit": limit}), 400)["message"]
    assert (await own.get(path, params={"limit": 100})).status_code == 200


@pytest.mark.parametrize("path", LISTS)
async def test_1_pages_by_cursor_come_in_the_same_order_and_end_with_null(own, campaign, path):
    await fill(own, path, campaign)
    whole = (await own.get(path)).json()[LISTS[path]]
    first = (await own.get(path, params={"cursor": "", "limit": 2})).json()
    last = (await own.get(path, params={"cursor": first["nextCursor"], "limit": 2})).json()
    assert first[LISTS[path]] + last[LISTS[path]] == whole
    assert last["nextCursor"] is None
    assert first["pagination"]["total"] == last["pagination"]["total"] == 3


@pytest.mark.parametrize("path", LISTS)
async def test_1_lists_are_oldest_first(own, campaign, path):
    await fill(own, path, campaign)
    ids = [row["id"] for row in (await own.get(path)).json()[LISTS[path]]]
    assert len(ids) == 3
    assert ids == sorted(ids)


async def test_1_a_campaigns_total_is_exact(own, campaign, add):
    for part in range(3):
        await add(campaign, [f"in/p{part}x{n}" for n in range(100)])
    listed = (await own.get("/v1/leads", params={"campaignId": campaign, "limit": 1})).json()
    assert listed["pagination"] == {"total": 300, "page": 1, "limit": 1, "totalPages": 300}


async def test_1_every_response_carries_a_request_id_of_its_own(own, anonymous):
    answers = [
        await own.get("/v1/me"), await own.get("/v1/nothing"), await anonymous.get("/v1/me"),
        await anonymous.get("/healthz"), await anonymous.get("/openapi.json"),
    ]  # fmt: skip
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


async def test_1_rate_limited_routes_tell_what_is_left(own):
    for path in ("/v1/me", f"/v1/campaigns/camp_{UNKNOWN}"):
        told = (await own.get(path)).headers
        assert int(told["X-RateLimit-Limit"]) > int(told["X-RateLimit-Remaining"]) >= 0
        assert int(told["X-RateLimit-Reset"]) > 1_700_000_000


async def post(client: httpx.AsyncClient, key: str, body: Any, path: str = "/v1/campaigns") -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": key})


async def test_1_a_repeated_post_is_replayed_with_its_effect_once(own):
    first, again = [await post(own, "k", {"name": "Once"}) for _ in range(2)]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert (await own.get("/v1/campaigns")).json()["pagination"]["total"] == 1


async def test_1_a_4xx_is_replayed_too(own):
    first, again = [await post(own, "k", {"name": 5}) for _ in range(2)]
    assert (again.status_code, again.content) == (first.status_code, first.content) == (400, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/campaigns", {"name": "Other"}), ("/v1/campaigns?a=b", {"name": "Once"}), ("/v1/keys", {"name": "Once"})],
)
async def test_1_the_same_key_for_another_request_is_409(own, refused, path, body):
    await post(own, "k", {"name": "Once"})
    assert refused(await post(own, "k", body, path), 409)["code"] == "idempotency_key_reused"


async def test_1_idempotency_keys_are_each_workspaces_own(own, stranger):
    assert (await post(own, "k", {"name": "One"})).status_code == 201
    other = await post(stranger, "k", {"name": "Two"})
    assert (other.status_code, other.json()["name"]) == (201, "Two")


async def test_1_a_second_one_while_the_first_runs_waits_for_it(own, campaign):
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": f"in/p{n}"} for n in range(100)]}
    answers = await asyncio.gather(*(post(own, "k", body, "/v1/leads") for _ in range(8)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert answers[0].json()["leadsAdded"] == 100


async def test_1_a_replay_shows_no_secret(own):
    first, again = [await post(own, "k", {"name": "crm"}, "/v1/keys") for _ in range(2)]
    assert first.json()["secret"].startswith("lw_live_")
    assert again.json() == first.json() | {"secret": None}
    assert '"secret":null' in again.text.replace(" ", "")


async def test_1_answers_are_json_in_camel_case(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign, full="true")
    for body in (lead, (await own.get(f"/v1/campaigns/{campaign}")).json(), (await own.get("/v1/me")).json()):
        assert not [name for name in json.loads(json.dumps(body)) if "_" in name]


PACKED = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("encoding", PACKED)
async def test_1_a_compressed_body_is_unpacked(own, campaign, encoding):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    for path, value, status in (("leads", body, 200), ("campaigns", {"name": "Packed"}, 201)):
        content = PACKED[encoding](json.dumps(value).encode())
        answer = await own.post(f"/v1/{path}", content=content, headers=headers)
        assert answer.status_code == status, answer.text


async def test_1_a_compressed_body_is_refused_when_it_is_too_large_or_none(own, refused):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    whole = gzip.compress(b'{"name": "' + b"a" * 50_000_000 + b'"}')
    refused(await own.post("/v1/campaigns", content=whole, headers=headers), 413)
    for broken in (b"{}", gzip.compress(b"{}")[:-1], gzip.compress(b"{}")[:12]):
        told = refused(await own.post("/v1/campaigns", content=broken, headers=headers), 400)
        assert told["code"] == "invalid_encoding"
    told = await own.post("/v1/campaigns", content=b"{}", headers=headers | {"Content-Encoding": "br"})
    assert "Content-Encoding 'br'" in refused(told, 415)["message"]
