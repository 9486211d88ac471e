"""Tokens come back as they went, belong to one list, and junk is refused before it reaches the database."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leadwright.inbox import continuation
from leadwright.inbox.continuation import Continuation
from leadwright.postgres.pool import Database

IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
TIMES = st.datetimes(timezones=st.just(UTC))


@st.composite
def snapshots(draw: st.DrawFn) -> str:
    first = draw(st.integers(1, 10**17))
    under_way = sorted(draw(st.sets(st.integers(first, first + 50), max_size=20)))
    last = draw(st.integers(max([first - 1, *under_way]) + 1, first + 100))
    assume(first % 2**32 and last % 2**32)
    return f"{first}:{last}:{','.join(map(str, under_way))}"


CONTINUATIONS = st.builds(Continuation, TIMES, IDS, st.none() | snapshots())


@given(CONTINUATIONS, st.text())
def test_a_token_comes_back_as_it_went(there: Continuation, of: str) -> None:
    assert continuation.read(continuation.written(there, of), of) == there


@given(CONTINUATIONS, st.text(), st.text())
def test_a_token_is_of_its_list_only(there: Continuation, of: str, other: str) -> None:
    found = continuation.read(continuation.written(there, of), other)
    assert (found == there) if of == other else found is None


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_junk_is_no_token(text: str) -> None:
    assert continuation.read(text, "list") is None


@pytest.mark.parametrize("snapshot", ["0:5:", "4294967296:4294967297:", "5:4:", "1:9:9", "3:9:2", "1:9:5,5", "1:9:6,5"])
def test_a_snapshot_that_cannot_be_is_no_token(snapshot: str) -> None:
    there = Continuation(datetime(2026, 3, 1, tzinfo=UTC), "0" * 32, snapshot)
    assert continuation.read(continuation.written(there, "list"), "list") is None


@given(snapshot=snapshots())
async def test_postgresql_takes_every_snapshot_that_we_take(database: Database, snapshot: str) -> None:
    async with database.session() as connection:
        cursor = await connection.execute("SELECT %s::pg_snapshot::text", (snapshot,))
        assert await cursor.fetchone() == (snapshot,)
