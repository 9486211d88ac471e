"""Whatever the schedule, zone and moment: the next opening is open, and nothing is open before it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from leadwright.campaigns.schedule import Schedule, Weekday, time_zones
from leadwright.engine.calendar import day_ends, is_open, local_day, next_open, next_open_of_all

MINUTE = timedelta(minutes=1)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"]) | (
    st.sampled_from(sorted(time_zones()))
)
DAY = 24 * 60
CHANGES = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 29), (4, 24), (10, 25), (11, 1))]
MOMENTS = st.one_of(
    st.integers(0, 5 * 365 * DAY).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + minutes * MINUTE),
    st.tuples(st.sampled_from(CHANGES), st.integers(-2 * DAY, DAY)).map(lambda near: near[0] + near[1] * MINUTE),
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    opens = draw(st.integers(0, 1439))
    closes = draw(st.integers(opens + 1, 1440))
    days = draw(st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True))
    holidays = draw(st.lists(st.dates(date(2026, 3, 1), date(2026, 11, 10)), unique=True, max_size=5))
    return Schedule(draw(ZONES), tuple(days), opens, closes, tuple(holidays))


def stands_open(schedule: Schedule, at: datetime) -> bool:
    """By the numbers on the clock and the calendar, written down again in another way."""
    shown = at.astimezone(ZoneInfo(schedule.time_zone))
    if shown.strftime("%a").lower() not in schedule.days or shown.date() in schedule.holidays:
        return False
    return (
        f"{schedule.opens // 60:02}{schedule.opens % 60:02}"
        <= shown.strftime("%H%M")
        < (f"{schedule.closes // 60:02}{schedule.closes % 60:02}")
    )


@given(schedules(), MOMENTS)
@example(Schedule("Europe/Berlin", tuple(Weekday), 2 * 60 + 30, 4 * 60), datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
def test_the_next_opening_is_the_first_open_minute(schedule: Schedule, at: datetime) -> None:
    found = next_open(schedule, at)
    assert is_open(schedule, at) == stands_open(schedule, at)
    if found is None:
        return
    assert found >= at
    assert stands_open(schedule, found)
    minutes = int((found - at) / MINUTE)
    watched = {*range(min(minutes, 1500)), *range(max(0, minutes - 1500), minutes)}
    assert not any(stands_open(schedule, at + minute * MINUTE) for minute in watched)


@given(schedules(), MOMENTS)
def test_asking_again_at_the_opening_changes_nothing(schedule: Schedule, at: datetime) -> None:
    found = next_open(schedule, at)
    assert found is None or next_open(schedule, found) == found


@given(st.lists(schedules(), min_size=1, max_size=3), MOMENTS)
def test_all_are_open_when_all_should_be(several: list[Schedule], at: datetime) -> None:
    found = next_open_of_all([(each, None) for each in several], at)
    if found is not None:
        assert found >= at
        assert all(is_open(each, found) for each in several)
        before = [found - minute * MINUTE for minute in range(1, 200)]
        assert not any(all(is_open(each, moment) for each in several) for moment in before if moment >= at)


@given(st.none() | ZONES, MOMENTS)
def test_a_day_ends_where_the_next_one_begins(zone: str | None, at: datetime) -> None:
    end = day_ends(zone, at)
    assert end > at
    assert local_day(zone, end) == local_day(zone, at) + timedelta(days=1)
    assert local_day(zone, end - timedelta(seconds=1)) == local_day(zone, at)
