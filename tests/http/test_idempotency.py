"""A POST under an Idempotency-Key happens once, whoever retries it, whenever within a day, and whatever broke."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from psycopg.errors import UndefinedTable

from leadwright.errors import Conflict
from leadwright.http import idempotency
from leadwright.ids import new_id
from leadwright.postgres.pool import Database

Refused = Callable[..., dict[str, Any]]

REPLAYED = "Idempotent-Replayed"


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def named(client: httpx.AsyncClient, name: str) -> int:
    """How many campaigns have a name."""
    found = 0
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get("/v1/campaigns", params={"limit": 100, "cursor": cursor})).json()
        found += sum(campaign["name"] == name for campaign in page["campaigns"])
        cursor = page["nextCursor"]
    return found


async def test_the_first_answer_is_given_again_to_the_byte(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/campaigns", json={"name": "Once"}, headers=under("once"))
    again = await client.post("/v1/campaigns", json={"name": "Once"}, headers=under("once"))
    assert (first.status_code, REPLAYED in first.headers) == (201, False)
    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert await named(client, "Once") == 1


async def test_both_base_paths_are_one(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/campaigns", json={"name": "Paths"}, headers=under("paths"))
    again = await client.post("/api/v1/campaigns", json={"name": "Paths"}, headers=under("paths"))
    assert again.content == first.content
    assert again.headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/campaigns", b'{"name": "Another"}'),
        ("/v1/campaigns", b'{"name":"Reused"}'),
        ("/v1/campaigns?x=1", b'{"name": "Reused"}'),
        ("/v1/suppressions", b'{"name": "Reused"}'),
        ("/v1/campaigns", b"{"),
    ],
)
async def test_the_key_of_another_request_is_a_conflict(
    client: httpx.AsyncClient, refused: Refused, path: str, body: bytes
) -> None:
    key = under(f"reused {path} {len(body)}")
    assert (await client.post("/v1/campaigns", content=b'{"name": "Reused"}', headers=key)).is_success
    told = refused(await client.post(path, content=body, headers=key), 409)
    assert told["code"] == "idempotency_key_reused"
    assert await named(client, "Another") == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/campaigns", b'{"name": 5}', 400),
        ("/v1/campaigns", b"{", 400),
        ("/v1/campaigns", b"", 400),
        ("/v1/leads", b'{"campaignId": "camp_1", "leads": [{}]}', 404),
        ("/v1/leads", b"{}", 400),
    ],
)
async def test_a_4xx_is_an_answer_too(
    client: httpx.AsyncClient, refused: Refused, path: str, body: bytes, status: int
) -> None:
    key = under(f"refused {path} {body!r}")
    first = await client.post(path, content=body, headers=key)
    again = await client.post(path, content=body, headers=key)
    refused(first, status)
    assert (again.status_code, again.headers[REPLAYED], again.content) == (status, "true", first.content)
    other = await client.post("/v1/campaigns", json={"name": "Refused"}, headers=key)
    assert other.status_code == 409


async def test_what_a_refused_request_did_is_undone_though_its_answer_is_kept(
    client: httpx.AsyncClient, database: Database
) -> None:
    body = {"name": "Undone", "senderIds": ["sender_1"]}
    answer = await client.post("/v1/campaigns", json=body, headers=under("undone"))
    assert answer.status_code == 400
    assert await named(client, "Undone") == 0


async def test_two_at_once_have_one_effect(client: httpx.AsyncClient) -> None:
    asked = [client.post("/v1/campaigns", json={"name": "Twins"}, headers=under("twins")) for _ in range(20)]
    answers: list[httpx.Response] = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED in answer.headers for answer in answers) == 19
    assert await named(client, "Twins") == 1


async def test_two_processes_have_one_effect(
    client: httpx.AsyncClient, serve: Any, database: Database, headers: dict[str, str]
) -> None:
    async with serve(database) as another:
        asked = [
            caller.post("/v1/campaigns", json={"name": "Apart"}, headers=headers | under("apart"))
            for caller in (client, another)
            for _ in range(5)
        ]
        answers: list[httpx.Response] = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await named(client, "Apart") == 1


async def test_after_a_day_the_key_is_fresh(
    serve: Any, database: Database, headers: dict[str, str], clock: Any
) -> None:
    async with serve(database, clock=clock) as caller:

        async def ask(name: str) -> httpx.Response:
            return await caller.post("/v1/campaigns", json={"name": name}, headers=headers | under("each day"))

        first = await ask("Day one")
        clock.turn(timedelta(hours=24))
        within = await ask("Day one")
        clock.turn(timedelta(seconds=1))
        fresh = await ask("Day two")
        again = await ask("Day two")
    assert (within.content, within.headers[REPLAYED]) == (first.content, "true")
    assert (fresh.status_code, REPLAYED in fresh.headers) == (201, False)
    assert (again.content, again.headers[REPLAYED]) == (fresh.content, "true")


async def test_each_workspace_has_its_own_keys(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, other_headers: dict[str, str]
) -> None:
    ours = await client.post("/v1/campaigns", json={"name": "Ours"}, headers=under("shared"))
    theirs = await anonymous.post("/v1/campaigns", json={"name": "Theirs"}, headers=other_headers | under("shared"))
    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert REPLAYED not in theirs.headers


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there"])
async def test_an_unusable_key_is_refused(client: httpx.AsyncClient, refused: Refused, key: str) -> None:
    answer = await client.post("/v1/campaigns", json={"name": "Unusable"}, headers=under(key))
    told = refused(answer, 400, "Idempotency-Key: expected 1 to 255 printable characters")
    assert told["code"] == "invalid_request"
    assert await named(client, "Unusable") == 0


async def test_the_longest_key_is_usable(client: httpx.AsyncClient) -> None:
    for replayed in (None, "true"):
        answer = await client.post("/v1/campaigns", json={"name": "Long"}, headers=under("k" * 255))
        assert (answer.status_code, answer.headers.get(REPLAYED)) == (201, replayed)


async def test_only_a_post_takes_a_key(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/campaigns", json={"name": "Patched"}, headers=under("post"))).json()
    for name in ("Patched once", "Patched twice"):
        answer = await client.patch(f"/v1/campaigns/{made['id']}", json={"name": name}, headers=under("post"))
        assert (answer.status_code, answer.json()["name"]) == (200, name)


async def test_a_caller_that_hangs_up_can_ask_again(
    client: httpx.AsyncClient, base_url: str, headers: dict[str, str]
) -> None:
    host, port = base_url.removeprefix("http://").split(":")
    body = b'{"name": "Hung up"}'
    request = (
        f"POST /v1/campaigns HTTP/1.1\r\nHost: x\r\nX-API-Key: {headers['X-API-Key']}\r\n"
        f"Idempotency-Key: hung up\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(3):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request.encode() + body)
        await writer.drain()
        writer.transport.abort()
    answer = await client.post("/v1/campaigns", content=body, headers=under("hung up"))
    assert answer.status_code == 201
    assert await named(client, "Hung up") == 1


async def waiting_writer(database: Database, table: str) -> int:
    """The process of the database that waits to write into the table; the engine's only read it."""
    async with database.session() as connection:
        while True:
            cursor = await connection.execute(
                "SELECT pid FROM pg_locks WHERE NOT granted AND mode = 'RowExclusiveLock' AND relation = %s::regclass",
                (table,),
            )
            row = await cursor.fetchone()
            if row is not None:
                return row[0]


async def test_a_5xx_is_no_answer_to_keep(client: httpx.AsyncClient, database: Database, refused: Refused) -> None:
    def ask() -> Any:
        return client.post("/v1/campaigns", json={"name": "Killed"}, headers=under("killed"))

    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE campaign IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(ask())
        backend = await waiting_writer(database, "campaign")
        await connection.execute("SELECT pg_terminate_backend(%s)", (backend,))
        failed = await asking
    assert refused(failed, 503)["code"] == "database_unavailable"
    assert int(failed.headers["Retry-After"]) >= 1
    retried = await ask()
    assert (retried.status_code, REPLAYED in retried.headers) == (201, False)
    assert await named(client, "Killed") == 1


async def test_whoever_waits_too_long_in_this_process_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_WAIT_SECONDS", 0.01)
    waiting = idempotency.Waiting()
    attempt = idempotency.Attempt(new_id(), "slow", b"")
    async with waiting.turn(attempt):
        with pytest.raises(Conflict) as told:
            async with waiting.turn(attempt):
                pass
    assert told.value.code == "idempotency_in_progress"
    async with waiting.turn(attempt):
        pass


async def test_whoever_waits_too_long_for_another_process_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_LOCK_WAIT", "10ms")
    attempt, now = idempotency.Attempt(new_id(), "slow", b""), datetime.now(UTC)
    async with database.transaction() as first:
        assert await idempotency.begin(first, attempt, now) is None
        with pytest.raises(Conflict) as told:
            async with database.transaction() as second:
                await idempotency.begin(second, attempt, now)
    assert told.value.code == "idempotency_in_progress"


async def test_waiting_for_a_turn_holds_no_lock_for_good() -> None:
    waiting = idempotency.Waiting()
    attempt = idempotency.Attempt(new_id(), "faulty", b"")
    with pytest.raises(UndefinedTable):
        async with waiting.turn(attempt):
            raise UndefinedTable
    async with asyncio.timeout(5), waiting.turn(attempt):
        pass


async def test_records_older_than_a_day_are_forgotten(database: Database) -> None:
    workspace, now = new_id(), datetime(2020, 1, 2, tzinfo=UTC)
    ages = {"old": timedelta(hours=24, seconds=1), "young": timedelta(hours=23, minutes=59)}
    async with database.transaction() as connection:
        for key, age in ages.items():
            await idempotency.begin(connection, idempotency.Attempt(workspace, key, b""), now - age)
        assert await idempotency.forget_expired(connection, now) == 1
        cursor = await connection.execute("SELECT key FROM idempotency_record WHERE workspace_id = %s", (workspace,))
        assert await cursor.fetchall() == [("young",)]
