"""A campaign's schedule: what is accepted comes back, what is not is named."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadwright.campaigns.fields import ScheduleBody
from leadwright.campaigns.schedule import Schedule, Weekday, from_json, minutes, time_text, time_zones

OFFICE = {"timeZone": "Europe/Berlin", "days": ["mon", "fri"], "from": "09:00", "to": "17:30", "holidays": []}
DAYS = st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    opens = draw(st.integers(0, 1439))
    closes = draw(st.integers(opens + 1, 1440))
    holidays = draw(st.lists(st.dates(), unique=True, max_size=5))
    zone = draw(st.sampled_from(sorted(time_zones())))
    return Schedule(zone, tuple(draw(DAYS)), opens, closes, tuple(holidays))


def refusals(body: dict[str, Any]) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as refused:
        ScheduleBody.model_validate(body)
    return [(error["loc"], error["msg"]) for error in refused.value.errors()]


@given(schedules())
def test_a_schedule_survives_the_wire_and_the_database(schedule: Schedule) -> None:
    body = schedule.to_json()
    assert from_json(body) == schedule
    assert ScheduleBody.model_validate(body).to_schedule() == schedule


@given(st.integers(0, 1440))
def test_a_time_is_its_text(after_midnight: int) -> None:
    assert minutes(time_text(after_midnight)) == after_midnight


@given(st.from_regex(r"\A[0-2]?[0-9]:?[0-9]{2}(:00)?\Z") | st.text(max_size=6))
def test_times_are_of_the_clock_and_written_with_two_digits(text: str) -> None:
    hour, _, minute = text.partition(":")
    plain = len(text) == 5 and text.isascii() and hour.isdecimal() and minute.isdecimal() and len(hour) == 2
    right = plain and int(hour) < 24 and int(minute) < 60
    body = {**OFFICE, "from": text, "to": "24:00"}
    if right:
        assert ScheduleBody.model_validate(body).opens == text
    else:
        assert refusals(body)[0][0] == ("from",)


def test_the_last_minute_of_the_day_can_be_worked() -> None:
    body = {**OFFICE, "from": "00:00", "to": "24:00"}
    schedule = ScheduleBody.model_validate(body).to_schedule()
    assert (schedule.opens, schedule.closes) == (0, 1440)
    assert refusals({**OFFICE, "from": "24:00"})[0][0] == ("from",)


@given(st.integers(0, 1439), st.data())
def test_it_opens_before_it_closes(opens: int, data: st.DataObject) -> None:
    closes = data.draw(st.integers(0, opens))
    found = refusals({**OFFICE, "from": time_text(opens), "to": time_text(closes)})
    assert found == [(("to",), f"Value error, expected a time later than from ('{time_text(opens)}')")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"timeZone": "Mars/Olympus"}, ("timeZone",)),
        ({"timeZone": "../../etc/passwd"}, ("timeZone",)),
        ({"timeZone": "europe/berlin"}, ("timeZone",)),
        ({"timeZone": ""}, ("timeZone",)),
        ({"timeZone": None}, ("timeZone",)),
        ({"days": []}, ("days",)),
        ({"days": "mon"}, ("days",)),
        ({"days": ["mon", "tue", "Wed"]}, ("days", 2)),
        ({"days": ["mon", "tue", "mon"]}, ("days", 2)),
        ({"days": [1]}, ("days", 0)),
        ({"from": "9:00"}, ("from",)),
        ({"from": 900}, ("from",)),
        ({"to": "25:00"}, ("to",)),
        ({"to": "17:3٠"}, ("to",)),
        ({"holidays": ["2026-02-30"]}, ("holidays", 0)),
        ({"holidays": ["2026-12-25", "20261226"]}, ("holidays", 1)),
        ({"holidays": ["2026-12-25", "2026-12-25"]}, ("holidays", 1)),
        ({"holidays": [None]}, ("holidays", 0)),
        ({"holidays": ["2026-01-01"] * 1_001}, ("holidays",)),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], place: tuple[int | str, ...]) -> None:
    assert [where for where, _ in refusals({**OFFICE, **change})] == [place]


def test_all_faults_are_told_at_once() -> None:
    found = refusals({"timeZone": "Nowhere", "days": ["mon", "x"], "to": "8", "holidays": ["soon"]})
    assert {place for place, _ in found} == {("timeZone",), ("days", 1), ("from",), ("to",), ("holidays", 0)}


def test_every_zone_on_offer_can_be_used() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"} <= time_zones()
    assert all(ZoneInfo(name).key == name for name in time_zones())


def test_holidays_may_be_left_out() -> None:
    body = {key: value for key, value in OFFICE.items() if key != "holidays"}
    schedule = ScheduleBody.model_validate(body).to_schedule()
    assert schedule.holidays == ()
    assert schedule.days == (Weekday.MONDAY, Weekday.FRIDAY)
    assert [list(Weekday)[date(2026, 3, day).weekday()] for day in (2, 8)] == [Weekday.MONDAY, Weekday.SUNDAY]
