"""Ids: time-ordered, unique, of the standard's form, and read back only as what they are."""

import time
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadwright.ids import MOST_AT_ONCE, Prefix, bare, least_at, new_id, new_ids, public

BARE = st.binary(min_size=16, max_size=16).map(bytes.hex)
MOMENTS = st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- the zone is given
PREFIXES = st.sampled_from(Prefix)


@given(st.integers(0, MOST_AT_ONCE))
@example(MOST_AT_ONCE)
def test_ids_made_together_ascend_and_are_of_the_form(count: int) -> None:
    made = new_ids(count)
    assert len(made) == len(set(made)) == count
    assert made == sorted(made)
    assert {len(one) for one in made} <= {32}
    for one in (uuid.UUID(text) for text in made):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)


def test_more_than_the_counter_holds_is_refused() -> None:
    with pytest.raises(ValueError, match=str(MOST_AT_ONCE)):
        new_ids(MOST_AT_ONCE + 1)


def test_an_id_holds_the_millisecond_at_which_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = int(new_id()[:12], 16)
    assert before <= made <= time.time_ns() // 1_000_000


@given(moment=MOMENTS, seconds=st.integers(-86_400, 86_400))
def test_the_least_id_of_a_time_parts_what_was_made_before_from_what_comes_after(moment, seconds) -> None:
    least = least_at(moment, seconds=seconds)
    made = int(moment.timestamp() * 1000) + 1000 * seconds
    assert f"{made - 1:012x}7fffbfffffffffffffff" < least <= f"{made:012x}70008000000000000000"
    assert len(least) == 32


def test_the_least_id_of_any_time_is_one() -> None:
    assert least_at(datetime.min.replace(tzinfo=UTC), seconds=-1) == f"{0:012x}7{0:019x}"
    assert len(least_at(datetime.max.replace(tzinfo=UTC), seconds=86_400)) == 32


def test_many_ids_are_unique_and_not_to_be_guessed() -> None:
    """Of what follows the time and the counter no two ids share even the first half."""
    made = [one for _ in range(2000) for one in new_ids(10)]
    assert len(set(made)) == len(made)
    assert len({one[17:] for one in made}) == len(made)


@given(PREFIXES, BARE)
def test_what_is_shown_is_read_back(prefix: Prefix, text: str) -> None:
    assert bare(prefix, public(prefix, text)) == text


@given(PREFIXES, PREFIXES, BARE)
def test_an_id_of_another_kind_is_unknown(prefix: Prefix, other: Prefix, text: str) -> None:
    assert (bare(other, public(prefix, text)) is None) == (prefix != other)


@given(PREFIXES, st.text() | st.binary() | st.none() | st.integers() | st.lists(st.text()))
@example(Prefix.LEAD, "a" * 32)
@example(Prefix.LEAD, "lead_")
@example(Prefix.LEAD, "lead_" + "A" * 32)
@example(Prefix.LEAD, "lead_" + "a" * 31)
@example(Prefix.LEAD, "lead_" + "a" * 33)
@example(Prefix.LEAD, "lead_" + "a" * 32 + "\n")
@example(Prefix.LEAD, "lead_" + "١" * 32)
@example(Prefix.LEAD, "lead_" + "0" * 31 + "g")
@example(Prefix.LEAD, "LEAD_" + "a" * 32)
@example(Prefix.LEAD, " lead_" + "a" * 32)
def test_anything_else_is_no_id(prefix: Prefix, given_text: object) -> None:
    assert bare(prefix, given_text) is None


def test_no_prefix_begins_another() -> None:
    shown = [f"{prefix}_" for prefix in Prefix]
    assert not [(one, other) for one in shown for other in shown if one != other and other.startswith(one)]
