"""Durations as the API writes them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.durations import MAX_DURATION, DurationError, duration_to_json, parse_duration


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        ({}, timedelta()),
        ({"days": 14}, timedelta(days=14)),
        ({"hours": 36, "minutes": 0}, timedelta(days=1, hours=12)),
        ({"days": 0.5, "seconds": 1.25}, timedelta(hours=12, seconds=1.25)),
    ],
)
def test_any_subset_of_units(value: object, duration: timedelta) -> None:
    assert parse_duration(value) == duration


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        (None, "after", "not null"),
        (3, "after", "not a number"),
        (True, "after", "not true"),
        ([], "after", "not an array"),
        ("3 days", "after", "not a string"),
        ({"day": 1}, "after", "did you mean 'days'"),
        ({"weeks": 1}, "after", "found 'weeks'"),
        ({"days": "1"}, "after.days", "not a string"),
        ({"days": None}, "after.days", "not null"),
        ({"days": True}, "after.days", "not true"),
        ({"hours": -1}, "after.hours", "at least 0"),
        ({"hours": float("nan")}, "after.hours", "at least 0"),
        ({"days": float("inf")}, "after", "ten years"),
        ({"days": 10**400}, "after", "ten years"),
        ({"days": 3652, "seconds": 1}, "after", "ten years"),
    ],
)
def test_everything_else_is_refused_by_path(value: object, path: str, said: str) -> None:
    with pytest.raises(DurationError, match=said) as caught:
        parse_duration(value, "after")
    assert caught.value.path == path
    assert str(caught.value) == f"{path}: {caught.value.message}"


def test_written_in_the_largest_units() -> None:
    assert duration_to_json(timedelta(hours=36)) == {"days": 1, "hours": 12}
    assert duration_to_json(timedelta(seconds=61.5)) == {"minutes": 1, "seconds": 1.5}
    assert duration_to_json(timedelta()) == {"seconds": 0}


@given(st.timedeltas(timedelta(), MAX_DURATION))
def test_a_written_duration_reads_as_the_same(duration: timedelta) -> None:
    assert parse_duration(duration_to_json(duration)) == duration
