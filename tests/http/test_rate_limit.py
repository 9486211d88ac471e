"""A key makes so many requests a second and no more, over all processes; what it may still make stands in headers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from leadwright.http.limits import RateLimiter
from leadwright.ids import new_id
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def admitted(limiter: RateLimiter, key_id: str, now: datetime, requests: int) -> int:
    allowances = [await limiter.admit(key_id, now) for _ in range(requests)]
    return sum(allowance.admitted for allowance in allowances)


@pytest.mark.parametrize("rate", [1, 5, 19, 20, 50, 100])
async def test_a_bucket_gives_its_rate_and_fills_within_a_second(database: Database, rate: int) -> None:
    limiter, key = RateLimiter(database, rate), new_id()
    assert await admitted(limiter, key, START, 2 * rate) == rate
    assert await admitted(limiter, key, START + SECOND, 2 * rate) == rate
    assert await admitted(limiter, key, START + 100 * SECOND, 2 * rate) == rate


async def test_a_bucket_fills_evenly(database: Database) -> None:
    limiter, key = RateLimiter(database, 10), new_id()
    await admitted(limiter, key, START, 20)
    fifths = [START + timedelta(milliseconds=200 * step) for step in range(1, 11)]
    assert [await admitted(limiter, key, moment, 5) for moment in fifths] == [2] * 10


@pytest.mark.parametrize("rate", [5, 100])
async def test_two_processes_share_a_bucket(database: Database, rate: int) -> None:
    one, another, key = RateLimiter(database, rate), RateLimiter(database, rate), new_id()
    total = 0
    for _ in range(rate):
        total += await admitted(one, key, START, 1) + await admitted(another, key, START, 1)
    assert total == rate


async def test_keys_do_not_share_a_bucket(database: Database) -> None:
    limiter = RateLimiter(database, 5)
    assert [await admitted(limiter, new_id(), START, 10) for _ in range(3)] == [5, 5, 5]


async def test_requests_at_the_same_time_waste_none_of_a_bucket(database: Database) -> None:
    limiter, key = RateLimiter(database, 60), new_id()
    allowances = await asyncio.gather(*[limiter.admit(key, START) for _ in range(100)])
    assert sum(allowance.admitted for allowance in allowances) == 60


async def test_few_requests_write_and_refused_ones_do_not(database: Database) -> None:
    limiter, key = RateLimiter(database, 200), new_id()
    async with database.session() as connection:
        await admitted(limiter, key, START, 1000)
        cursor = await connection.execute("SELECT xmin::text FROM rate_bucket WHERE key_id = %s", (key,))
        before = await cursor.fetchone()
        assert await admitted(limiter, key, START + timedelta(milliseconds=10), 1000) == 0
        cursor = await connection.execute("SELECT xmin::text FROM rate_bucket WHERE key_id = %s", (key,))
        assert await cursor.fetchone() == before


async def test_what_was_leased_and_not_used_grows_old(database: Database) -> None:
    one, another, key = RateLimiter(database, 20), RateLimiter(database, 20), new_id()
    assert await admitted(one, key, START, 1) == 1
    later = START + 60 * SECOND
    assert await admitted(another, key, later, 40) + await admitted(one, key, later, 40) == 20


async def test_the_headers_count_down_and_the_sixth_is_told_to_wait(
    serve: Any, database: Database, headers: dict[str, str], clock: Any, refused: Callable[..., dict[str, Any]]
) -> None:
    async with serve(database, Settings(rate_limit=5), clock) as caller:
        answers = [await caller.get("/v1/campaigns", headers=headers) for _ in range(6)]
        elsewhere = await caller.get("/healthz")
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"5"}
    assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {str(int(clock().timestamp()) + 1)}
    told = refused(answers[5], 429, "Rate limit of 5 requests a second exceeded")
    assert told["code"] == "rate_limited"
    assert answers[5].headers["Retry-After"] == "1"
    assert "X-RateLimit-Limit" not in elsewhere.headers


async def test_two_servers_let_through_no_more_than_one(
    serve: Any, database: Database, make_key: Any, clock: Any
) -> None:
    key, slow = await make_key(), Settings(rate_limit=5)
    async with serve(database, slow, clock) as one, serve(database, slow, clock) as another:
        asked = [caller.get("/v1/campaigns", headers=key) for caller in (one, another) for _ in range(10)]
        answers: list[httpx.Response] = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 15


async def test_a_refused_post_is_not_remembered_for_its_idempotency_key(
    serve: Any, database: Database, make_key: Any, clock: Any
) -> None:
    key = await make_key() | {"Idempotency-Key": "hasty"}
    async with serve(database, Settings(rate_limit=1), clock) as caller:
        await caller.get("/v1/campaigns", headers=key)
        refusal = await caller.post("/v1/campaigns", json={"name": "Hasty"}, headers=key)
        clock.turn(SECOND)
        retried = await caller.post("/v1/campaigns", json={"name": "Hasty"}, headers=key)
    assert (refusal.status_code, retried.status_code) == (429, 201)
    assert "Idempotent-Replayed" not in retried.headers
