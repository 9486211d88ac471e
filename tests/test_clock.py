"""The clock, and the one form of a time on the wire."""

import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from leadwright.clock import iso, system_clock

YEARS = (datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30"))
AWARE = st.datetimes(*YEARS, timezones=st.timezones())


def test_the_system_clock_tells_utc() -> None:
    before = datetime.now(UTC)
    told = system_clock()
    assert told.utcoffset() == timedelta(0)
    assert before <= told <= datetime.now(UTC)


def test_a_time_is_shown_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 3, 1, 9, 5, 7, 123_999, timezone(timedelta(hours=5, minutes=30)))
    assert iso(moment) == "2026-03-01T03:35:07.123Z"
    assert iso(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"


@given(AWARE)
def test_every_time_has_the_one_form_and_reads_back_to_the_millisecond(moment: datetime) -> None:
    text = iso(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert timedelta(0) <= moment - datetime.fromisoformat(text) < timedelta(milliseconds=1)


@given(AWARE, AWARE)
def test_the_text_sorts_as_the_times_do(one: datetime, other: datetime) -> None:
    if iso(one) < iso(other):
        assert one < other
