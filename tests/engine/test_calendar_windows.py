"""Windows of working hours, as the clock on the wall shows them: nights, weekends, holidays, clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from leadwright.campaigns.schedule import Schedule, Weekday, minutes
from leadwright.engine.calendar import day_ends, is_open, local_day, next_open, next_open_of_all, own_zone

WORKING_DAYS = tuple(Weekday)[:5]


def schedule(
    zone: str = "Europe/Berlin",
    opens: str = "09:00",
    closes: str = "17:30",
    days: tuple[Weekday, ...] = tuple(Weekday),
    holidays: tuple[str, ...] = (),
) -> Schedule:
    return Schedule(zone, days, minutes(opens), minutes(closes), tuple(map(date.fromisoformat, holidays)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opening(window: Schedule, moment: str, zone: str | None = None) -> str | None:
    found = next_open(window, at(moment), zone)
    return None if found is None else found.strftime("%m-%d %H:%M:%S")


def test_without_a_schedule_it_is_always_open() -> None:
    assert is_open(None, at("2026-03-01T03:00"))
    assert next_open(None, at("2026-03-01T03:00")) == at("2026-03-01T03:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T07:59:59", "03-02 08:00:00"),  # One second before nine in Berlin.
        ("2026-03-02T08:00:00", "03-02 08:00:00"),
        ("2026-03-02T12:34:56", "03-02 12:34:56"),  # Open: now.
        ("2026-03-02T16:29:59", "03-02 16:29:59"),
        ("2026-03-02T16:30:00", "03-03 08:00:00"),  # Half past five is the first closed moment.
        ("2026-03-02T23:30:00", "03-03 08:00:00"),  # Already tomorrow in Berlin.
    ],
)
def test_the_hours_of_a_day(moment: str, expected: str) -> None:
    assert opening(schedule(), moment) == expected


def test_midnight_can_close_the_day() -> None:
    late = schedule(opens="22:00", closes="24:00")
    assert opening(late, "2026-03-02T22:59:59") == "03-02 22:59:59"
    assert opening(late, "2026-03-02T23:00:00") == "03-03 21:00:00"


def test_a_day_may_have_no_closed_moment() -> None:
    assert opening(schedule(opens="00:00", closes="24:00"), "2026-03-02T23:00:00") == "03-02 23:00:00"


def test_a_weekend_is_passed_over() -> None:
    assert opening(schedule(days=WORKING_DAYS), "2026-03-06T16:30:00") == "03-09 08:00:00"


def test_holidays_in_a_row_with_a_weekend_between() -> None:
    easter = schedule(days=WORKING_DAYS, holidays=("2026-04-03", "2026-04-06", "2026-04-07"))
    assert opening(easter, "2026-04-02T15:30:00") == "04-08 07:00:00"


def test_a_window_that_holidays_keep_shut_for_years_has_no_opening() -> None:
    mondays = (date(2026, 3, 2) + timedelta(weeks=week) for week in range(300))
    shut = schedule(days=(Weekday.MONDAY,), holidays=tuple(day.isoformat() for day in mondays))
    assert opening(shut, "2026-03-02T08:00:00") is None


def test_another_zone_takes_the_place_of_the_schedule_s() -> None:
    assert opening(schedule(), "2026-03-02T08:00:00", "America/New_York") == "03-02 14:00:00"
    assert opening(schedule(), "2026-03-02T20:00:00", "Asia/Tokyo") == "03-03 00:00:00"


def test_a_holiday_is_that_of_the_zone_s_own_calendar() -> None:
    christmas = schedule(holidays=("2026-12-25",))
    assert opening(christmas, "2026-12-24T23:30:00", "Asia/Tokyo") == "12-26 00:00:00"


class TestTheClockGoesForward:
    """Berlin, 29 March 2026: after 01:59:59 comes 03:00:00, at 01:00 UTC."""

    def test_an_opening_that_is_jumped_over_opens_at_the_jump(self) -> None:
        assert opening(schedule(opens="02:30", closes="04:00"), "2026-03-28T23:30") == "03-29 01:00:00"

    def test_a_window_that_is_jumped_over_whole_opens_the_day_after(self) -> None:
        assert opening(schedule(opens="02:10", closes="02:50"), "2026-03-28T23:30") == "03-30 00:10:00"

    def test_the_hours_stay_on_the_wall(self) -> None:
        assert opening(schedule(), "2026-03-28T16:30") == "03-29 07:00:00"

    def test_where_midnight_itself_is_jumped_over(self) -> None:
        """Cairo, 24 April 2026: after 23:59:59 comes 01:00:00."""
        early = schedule("Africa/Cairo", "00:30", "01:30")
        assert opening(early, "2026-04-23T21:00") == "04-23 22:00:00"
        assert day_ends("Africa/Cairo", at("2026-04-23T21:00")) == at("2026-04-23T22:00")


class TestTheClockGoesBack:
    """Berlin, 25 October 2026: after 02:59:59 comes 02:00:00 again, at 01:00 UTC."""

    def test_an_hour_that_comes_twice_is_open_twice(self) -> None:
        window = schedule(opens="02:15", closes="02:45")
        assert opening(window, "2026-10-25T00:00") == "10-25 00:15:00"
        assert opening(window, "2026-10-25T00:45") == "10-25 01:15:00"
        assert opening(window, "2026-10-25T01:45") == "10-26 01:15:00"

    def test_a_window_that_had_closed_opens_at_the_change(self) -> None:
        window = schedule(opens="01:30", closes="02:30")
        assert opening(window, "2026-10-25T00:30") == "10-25 01:00:00"

    def test_a_window_across_the_change_stays_open(self) -> None:
        assert opening(schedule(opens="01:00", closes="04:00"), "2026-10-25T01:00") == "10-25 01:00:00"

    def test_where_midnight_comes_twice_the_day_ends_at_the_first(self) -> None:
        """Havana, 1 November 2026: after 00:59:59 comes 00:00:00 again."""
        assert day_ends("America/Havana", at("2026-11-01T03:00")) == at("2026-11-01T04:00")
        assert day_ends("America/Havana", at("2026-11-01T05:30")) == at("2026-11-02T05:00")


def test_several_windows_open_together_at_the_first_common_moment() -> None:
    berlin, new_york = schedule(), schedule("America/New_York")
    found = next_open_of_all([(berlin, None), (new_york, None)], at("2026-01-05T17:00"))
    assert found == at("2026-01-06T14:00")
    both = [(berlin, None), (berlin, "Asia/Tokyo")]
    assert next_open_of_all(both, at("2026-01-05T17:00")) == at("2026-01-06T08:00")  # 17:00 in Tokyo.
    assert next_open_of_all([(None, None)], at("2026-01-05T17:00")) == at("2026-01-05T17:00")


def test_windows_that_meet_only_while_the_clocks_differ() -> None:
    """California changes to summer time three weeks before Berlin does: half an hour in common until then."""
    found = next_open_of_all([(schedule(), None), (schedule(), "America/Los_Angeles")], at("2026-01-05T17:00"))
    assert found == at("2026-03-08T16:00")


def test_windows_that_never_meet_have_no_common_moment() -> None:
    assert next_open_of_all([(schedule(), None), (schedule(), "Pacific/Honolulu")], at("2026-01-05T17:00")) is None
    days = [(schedule(days=(day,)), None) for day in (Weekday.MONDAY, Weekday.TUESDAY)]
    assert next_open_of_all(days, at("2026-01-05T17:00")) is None


def test_the_day_of_a_zone() -> None:
    late = at("2026-03-02T23:30")
    assert (local_day(None, late), local_day("Europe/Berlin", late)) == (date(2026, 3, 2), date(2026, 3, 3))
    assert day_ends(None, late) == at("2026-03-03T00:00")
    assert day_ends("Europe/Berlin", late) == at("2026-03-03T23:00")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"timeZone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"Time zone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"time_zone": "UTC"}, "UTC"),
        ({"timeZone": "Middle/Earth"}, None),
        ({"timeZone": "../../etc/passwd"}, None),
        ({"timeZone": "/etc/localtime"}, None),
        ({"timeZone": "A" * 65}, None),
        ({"timeZone": ""}, None),
        ({"timeZone": 1}, None),
        ({}, None),
    ],
)
def test_the_zone_that_a_lead_names(fields: dict[str, str | int], expected: str | None) -> None:
    assert own_zone(fields) == expected
