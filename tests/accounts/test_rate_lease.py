"""The bucket of a key: never more than its rate, whatever the clock and however many processes ask."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadwright import ids
from leadwright.accounts import store
from leadwright.postgres.pool import Database

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ROUNDING = 1e-6


class Bucket:
    """One key's, asked at seconds after NOW."""

    def __init__(self, database: Database, rate: int) -> None:
        self._database = database
        self._key = ids.new_id()
        self._rate = rate

    async def lease(self, block: int, seconds: float = 0.0) -> tuple[int, int]:
        async with self._database.session() as connection:
            return await store.lease_requests(
                connection, self._key, block=block, rate=self._rate, now=NOW + timedelta(seconds=seconds)
            )


async def test_it_begins_full_and_is_taken_from(database: Database) -> None:
    bucket = Bucket(database, rate=10)
    assert await bucket.lease(4) == (4, 6)
    assert await bucket.lease(4) == (4, 2)
    assert await bucket.lease(4) == (2, 0)
    assert await bucket.lease(4) == (0, 0)


async def test_it_fills_by_its_rate_and_no_further_than_full(database: Database) -> None:
    bucket = Bucket(database, rate=10)
    assert await bucket.lease(10) == (10, 0)
    assert await bucket.lease(10, 0.05) == (0, 0)
    assert await bucket.lease(10, 0.1) == (1, 0)
    assert await bucket.lease(10, 0.55) == (4, 0)
    assert await bucket.lease(3, 3600) == (3, 7)


async def test_a_clock_that_goes_back_gives_nothing_twice(database: Database) -> None:
    bucket = Bucket(database, rate=10)
    assert await bucket.lease(10, 100) == (10, 0)
    assert await bucket.lease(10, 50) == (0, 0)
    assert await bucket.lease(10, 100) == (0, 0)
    assert await bucket.lease(10, 100.5) == (5, 0)


async def test_keys_have_buckets_of_their_own(database: Database) -> None:
    one, other = Bucket(database, rate=5), Bucket(database, rate=5)
    assert await one.lease(5) == (5, 0)
    assert await other.lease(5) == (5, 0)


@pytest.mark.parametrize("rate", [1, 7, 100])
async def test_many_that_ask_at_once_share_one_bucket(database: Database, rate: int) -> None:
    bucket = Bucket(database, rate)
    granted = await asyncio.gather(*(bucket.lease(max(1, rate // 20)) for _ in range(40)))
    assert sum(count for count, _ in granted) == min(rate, 40 * max(1, rate // 20))


@given(
    rate=st.integers(1, 2000),
    share=st.integers(1, 30),
    steps=st.lists(st.floats(-1.0, 3.0, allow_nan=False), min_size=1, max_size=12),
)
@settings(max_examples=60)
async def test_no_more_than_the_rate_and_one_burst_and_no_less_than_there_is(
    database: Database, rate: int, share: int, steps: list[float]
) -> None:
    bucket, block = Bucket(database, rate), max(1, rate // share)
    clock, latest, total = 0.0, 0.0, 0
    for step in [0.0, *steps]:
        clock += step
        latest = max(latest, clock)
        granted, left = await bucket.lease(block, clock)
        total += granted
        assert 0 <= granted <= block
        assert 0 <= left <= rate
        assert granted == block or left == 0
        assert total <= rate * (1 + latest) + ROUNDING
