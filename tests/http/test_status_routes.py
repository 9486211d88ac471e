"""The routes without a key: alive, ready, measured, documented; and from where the metrics may be read."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from leadwright.http.clients import client_address, is_loopback, is_on_this_machine
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

Refused = Callable[..., dict[str, Any]]


def request_from(address: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", hops.encode()) for hops in forwarded]
    return Request({"type": "http", "client": (address, 40000), "headers": headers})


async def test_the_process_is_alive_and_ready(anonymous: httpx.AsyncClient) -> None:
    alive, ready = await anonymous.get("/healthz"), await anonymous.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_may_ask_for_the_head_alone(anonymous: httpx.AsyncClient, path: str) -> None:
    head, whole = await anonymous.head(path), await anonymous.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_a_database_without_migrations_is_not_ready(
    make_database: Callable[..., str], serve: Any, refused: Refused
) -> None:
    database = Database(await asyncio.to_thread(make_database, migrated=False))
    await database.open()
    try:
        async with serve(database) as caller:
            assert (await caller.get("/healthz")).status_code == 200
            answer = await caller.get("/readyz")
    finally:
        await database.close()
    assert "leadwright db migrate" in refused(answer, 503)["message"]
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_database_of_a_newer_program_is_not_ready(
    make_database: Callable[..., str], serve: Any, refused: Refused
) -> None:
    database = Database(await asyncio.to_thread(make_database))
    await database.open()
    try:
        async with database.session() as connection:
            await connection.execute("INSERT INTO schema_migration VALUES (9999, 'later', '')")
        async with serve(database) as caller:
            answer = await caller.get("/readyz")
    finally:
        await database.close()
    assert "9999" in refused(answer, 503)["message"]


async def test_without_a_database_the_process_is_alive_but_serves_nothing(
    make_database: Callable[..., str], serve: Any, refused: Refused
) -> None:
    database = Database(await asyncio.to_thread(make_database))
    await database.open()
    async with serve(database) as caller:
        await database.close()
        assert (await caller.get("/healthz")).status_code == 200
        answers = [
            await caller.get("/readyz"),
            await caller.get("/v1/campaigns", headers={"X-API-Key": "lw_live_any"}),
            await caller.post("/v1/leads", json={}, headers={"X-API-Key": "lw_live_any"}),
        ]
    for answer in answers:
        assert refused(answer, 503)["code"] == "database_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_fault_of_ours_is_a_500_that_tells_nothing(
    make_database: Callable[..., str], serve: Any, refused: Refused
) -> None:
    database = Database(await asyncio.to_thread(make_database))
    await database.open()
    try:
        async with database.session() as connection:
            await connection.execute("DROP TABLE api_key CASCADE")
        async with serve(database) as caller:
            answer = await caller.get("/v1/campaigns", headers={"X-API-Key": "lw_live_any"})
    finally:
        await database.close()
    assert refused(answer, 500)["code"] == "internal_error"
    assert "api_key" not in answer.text


def counted(metrics: str, route: str) -> float:
    labels = f'method="GET",route="{route}",status="404"'
    line = re.search(rf"^leadwright_http_requests_total{{{re.escape(labels)}}} (\S+)$", metrics, re.MULTILINE)
    return float(line[1]) if line else 0.0


async def test_metrics_count_requests_by_route(anonymous: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    before = (await anonymous.get("/metrics")).text
    for path in ("/v1/leads/lead_jane", "/api/v1/leads/lead_jane", "/v1/leads/lead_john", "/pots/jane"):
        await client.get(path)
    answer = await anonymous.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert counted(answer.text, "/v1/leads/{lead_id}") == counted(before, "/v1/leads/{lead_id}") + 3
    assert counted(answer.text, "none") == counted(before, "none") + 1
    assert "jane" not in answer.text


@pytest.mark.parametrize(
    ("setting", "forwarded", "status"),
    [
        ("loopback", None, 200),
        ("loopback", "203.0.113.9", 404),
        ("loopback", "127.0.0.1", 404),
        ("open", "203.0.113.9", 200),
        ("off", None, 404),
    ],
)
async def test_who_may_read_the_metrics(
    serve: Any, database: Database, refused: Refused, setting: Any, forwarded: str | None, status: int
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    async with serve(database, Settings(metrics=setting)) as caller:
        answer = await caller.get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 404:
        refused(answer, 404, "Cannot GET /metrics")


async def test_a_trusted_proxy_is_believed(serve: Any, database: Database) -> None:
    async with serve(database, Settings(trusted_proxies="127.0.0.0/8")) as caller:  # type: ignore[arg-type]
        statuses = [
            (await caller.get("/metrics", headers={"X-Forwarded-For": hops})).status_code
            for hops in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "203.0.113.9, 127.0.0.2", "127.0.0.1")
        ]
    assert statuses == [404, 404, 404, 200]


@pytest.mark.parametrize(
    ("request_", "trusted", "address"),
    [
        (request_from("198.51.100.1"), (), "198.51.100.1"),
        (request_from("198.51.100.1", "203.0.113.9"), (), "198.51.100.1"),
        (request_from("10.0.0.1", "203.0.113.9"), ("10.0.0.0/8",), "203.0.113.9"),
        (request_from("10.0.0.1", "127.0.0.1, 203.0.113.9, 10.0.0.2"), ("10.0.0.0/8",), "203.0.113.9"),
        (request_from("10.0.0.1", "127.0.0.1", "203.0.113.9"), ("10.0.0.1",), "203.0.113.9"),
        (request_from("10.0.0.1", "10.0.0.2"), ("10.0.0.0/8",), "10.0.0.2"),
        (request_from("10.0.0.1", "unknown"), ("10.0.0.0/8",), "unknown"),
        (request_from("10.0.0.1", ""), ("10.0.0.0/8",), "10.0.0.1"),
        (request_from("fd00::1", "2001:db8::9"), ("fd00::/8",), "2001:db8::9"),
        (request_from("::ffff:10.0.0.1", "203.0.113.9"), ("10.0.0.0/8",), "203.0.113.9"),
    ],
)
def test_the_address_of_a_caller(request_: Request, trusted: tuple[str, ...], address: str) -> None:
    assert client_address(request_, trusted) == address


def test_what_is_a_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("", "localhost", "10.0.0.1", "127.0.0.1:80", "::2", "unknown")))


def test_a_proxy_on_this_machine_does_not_pass_for_its_callers() -> None:
    assert is_on_this_machine(request_from("127.0.0.1"), ())
    assert not is_on_this_machine(request_from("127.0.0.1", "127.0.0.1"), ())
    assert not is_on_this_machine(request_from("127.0.0.1", "203.0.113.9"), ("127.0.0.1",))
    assert is_on_this_machine(request_from("127.0.0.1", "127.0.0.1"), ("127.0.0.1",))


async def test_the_bare_address_leads_to_the_docs(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/docs")


async def test_the_docs_page_asks_no_other_host_for_anything(anonymous: httpx.AsyncClient) -> None:
    page = (await anonymous.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"docs/assets/{asset}" in page
        assert (await anonymous.get(f"/docs/assets/{asset}")).status_code == 200
