"""A campaign on the virtual clock: caps, gaps, windows hold, nobody is lost, equal runs are equal."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.engine import calendar
from leadwright.engine.forecast import Assumptions, Forecast, Outlook, forecast, with_one_more
from leadwright.engine.forecast_groups import Group, merged
from leadwright.engine.forecast_run import Course
from leadwright.engine.forecast_shares import shares
from leadwright.engine.model import Policy
from leadwright.engine.sequence import parse_sequence
from leadwright.engine.simulate import Timeline, simulate
from leadwright.engine.simulate_service import of_sequence
from leadwright.identity import Identity, linkedin_identity
from leadwright.senders import caps
from leadwright.senders.limits import Limits, QuotaKind, RampUp
from leadwright.senders.model import ChannelName, Sender, SenderStatus

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""A Monday, two hours before Berlin opens."""
BERLIN = Schedule("Europe/Berlin", tuple(Weekday)[:5], 9 * 60, 17 * 60)
VISIT = [{"id": "visit", "type": "visit_profile"}]
INVITE = [{"id": "invite", "type": "connect"}, {"id": "hello", "type": "message", "text": "Hi {{firstName}}"}]


def sender(number: int = 1, **more: Any) -> Sender:
    url = f"https://www.linkedin.com/in/sender-{number}"
    identity = linkedin_identity(url)
    assert isinstance(identity, Identity)
    given: dict[str, Any] = {
        "id": f"s{number}",
        "name": "Max Muster",
        "first_name": None,
        "last_name": None,
        "linkedin_url": url,
        "identity": identity,
        "channel": ChannelName.HTTP,
        "config": {},
        "limits": Limits({}, {}, timedelta()),
        "ramp_up": None,
        "schedule": None,
        "status": SenderStatus.ACTIVE,
        "status_reason": None,
        "status_until": None,
        "failures": 0,
        "removed_at": None,
        "created_at": START,
        "updated_at": START,
    }
    return Sender(**{**given, **more})


def limits(per_day: int | None = None, per_week: int | None = None, gap: int = 0) -> Limits:
    kinds = list(QuotaKind)
    return Limits(
        {} if per_day is None else dict.fromkeys(kinds, per_day),
        {} if per_week is None else dict.fromkeys(kinds, per_week),
        timedelta(seconds=gap),
    )


def outlook(steps: list[dict[str, Any]], *groups: Group, senders: list[Sender] | None = None, **more: Any) -> Outlook:
    crew = [sender()] if senders is None else senders
    given: dict[str, Any] = {
        "course": Course(None),
        "policy": Policy(),
        "steps": parse_sequence({"steps": steps}),
        "groups": groups,
        "senders": [(each, {}) for each in crew],
        "assumptions": Assumptions(1.0, timedelta(days=1), 0.0),
        "start": START,
        "days": 30,
    }
    return Outlook(**{**given, **more})


def by_day(found: Forecast, kind: str, days: int) -> list[int]:
    return [day.touches[kind] for day in found.days[:days]]


def test_a_daily_cap_and_a_weekly_one() -> None:
    found = forecast(outlook(VISIT, Group(100), senders=[sender(limits=limits(20, 70))]))
    assert by_day(found, "visits", 8) == [20, 20, 20, 10, 0, 0, 0, 20]
    assert [day.limited_by and day.limited_by.rule for day in found.days[:4]] == [
        "daily_cap", "daily_cap", "daily_cap", "weekly_cap",
    ]  # fmt: skip
    assert found.finishes_at == datetime(2026, 3, 10, tzinfo=UTC)


def test_what_was_done_before_counts() -> None:
    used = {(QuotaKind.VISITS, period, day): 15 for period, day in caps.periods(sender(), START)}
    made = replace(outlook(VISIT, Group(30)), senders=[(sender(limits=limits(20)), used)])
    assert by_day(forecast(made), "visits", 3) == [5, 20, 5]


def test_new_leads_a_day_and_a_ramp_up() -> None:
    found = forecast(outlook(VISIT, Group(25), course=Course(None, 10, begun_today=4)))
    assert by_day(found, "visits", 4) == [6, 10, 9, 0]
    assert found.days[0].limited_by is not None
    assert found.days[0].limited_by.rule == "new_leads_per_day"
    young = sender(limits=limits(20), ramp_up=RampUp(5, 10, START.date()))
    found = forecast(outlook(VISIT, Group(100), senders=[young]))
    assert by_day(found, "visits", 8) == [5] * 7 + [15]


def test_the_hours_and_a_gap() -> None:
    """Eight hours of a deed every 90 seconds, an eighth longer by chance: 285 a day."""
    found = forecast(outlook(VISIT, Group(1000), senders=[sender(limits=limits(gap=90))], course=Course(BERLIN)))
    assert by_day(found, "visits", 7) == [285, 285, 285, 145, 0, 0, 0]
    assert found.first_touch_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert found.days[0].limited_by is not None
    assert found.days[0].limited_by.rule == "min_gap"


def test_every_day_that_is_closed_is_limited_by_the_hours_wherever_the_run_begins() -> None:
    """From a Saturday on, two weekends: Monday to Friday do twenty each."""
    crew = [sender(limits=limits(20), schedule=BERLIN)]
    found = forecast(outlook(VISIT, Group(150), senders=crew, start=datetime(2026, 3, 7, 10, tzinfo=UTC), days=12))
    assert by_day(found, "visits", 12) == [0, 0, 20, 20, 20, 20, 20, 0, 0, 20, 20, 10]
    told = [day.limited_by and (day.limited_by.rule, day.limited_by.waiting) for day in found.days]
    closed, capped = ("outside_window", 150), "daily_cap"
    assert told[:2] == [closed, closed]
    assert [each and each[0] for each in told[2:]] == [capped] * 5 + ["outside_window"] * 2 + [capped] * 2 + [None]
    assert found.limits["outside_window", None] == 4


def test_a_weekly_cap_limits_each_day_that_it_leaves_empty() -> None:
    found = forecast(outlook(VISIT, Group(100), senders=[sender(limits=limits(20, 70))], days=7))
    rules = [day.limited_by and day.limited_by.rule for day in found.days]
    assert rules == ["daily_cap"] * 3 + ["weekly_cap"] * 4


def test_hours_that_never_meet_are_what_limits() -> None:
    weekend = replace(BERLIN, days=tuple(Weekday)[5:])
    crew = [sender(schedule=BERLIN)]
    found = forecast(outlook(VISIT, Group(3), senders=crew, course=Course(weekend), days=3))
    assert [day.limited_by and day.limited_by.rule for day in found.days] == ["outside_window"] * 3
    assert found.touches.total() == 0


def test_groups_that_only_differ_in_their_size_are_one() -> None:
    """So a condition on a field that has 50,000 values makes two groups and not 50,000."""
    big, small = frozenset({0}), frozenset[int]()
    groups = [Group(2, answers=big), Group(3, answers=small), Group(5, answers=big), Group(1, zone="Asia/Tokyo")]
    assert merged(groups) == [Group(7, answers=big), Group(3, answers=small), Group(1, zone="Asia/Tokyo")]


def test_a_cap_limits_a_day_and_not_the_gap_before_it() -> None:
    crew = [sender(limits=limits(20, gap=90))]
    found = forecast(outlook(VISIT, Group(1000), senders=crew, course=Course(BERLIN)))
    assert by_day(found, "visits", 2) == [20, 20]
    assert [day.limited_by and day.limited_by.rule for day in found.days[:2]] == ["daily_cap", "daily_cap"]


def test_leads_with_a_zone_of_their_own_are_approached_in_their_hours() -> None:
    steps = [*VISIT, {"id": "again", "type": "visit_profile"}]
    found = forecast(outlook(steps, Group(1, zone="America/Los_Angeles"), course=Course(BERLIN)))
    assert found.first_touch_at == datetime(2026, 3, 2, 17, tzinfo=UTC)


def test_acceptance_and_replies_are_shares() -> None:
    assumed = Assumptions(0.35, timedelta(days=1), 0.5, timedelta(hours=4))
    steps = [*INVITE, {"id": "bump", "type": "message", "after": {"days": 3}, "text": "Hi"}]
    found = forecast(outlook(steps, Group(100), assumptions=assumed))
    assert (found.touches["connections"], found.touches["messages"]) == (100, 35 + 18)
    assert (found.replied, found.through) == (17, 100)


def test_a_missing_field_holds_or_skips() -> None:
    groups = (Group(10), Group(5, lacking=frozenset({"firstName"})))
    found = forecast(outlook(INVITE, *groups))
    assert (found.touches["messages"], found.held, found.through) == (10, Counter(missing_field=5), 10)
    found = forecast(outlook(INVITE, *groups, policy=Policy(skips_missing=True)))
    assert (found.touches["messages"], found.held, found.through) == (10, Counter(), 15)


def test_a_condition_goes_by_its_answer() -> None:
    steps = [
        {"id": "big", "type": "condition", "when": {"field": "size", "atLeast": 10}, "then": VISIT,
         "else": [{"id": "like", "type": "like_post"}]},
    ]  # fmt: skip
    found = forecast(outlook(steps, Group(7, answers=frozenset({0})), Group(3)))
    assert (found.touches["visits"], found.touches["likes"]) == (7, 3)


def test_leads_on_their_way_go_on_where_they_stand() -> None:
    hour = timedelta(hours=1)
    waiting = Group(
        4, sender_id="s1", step_index=1, since=START - hour, due_at=START + 2 * hour, invited_at=START - hour
    )
    lost = Group(2, sender_id="gone", step_index=1, since=START)
    tasks = Group(3, sender_id="s1", step_index=1, since=START, held_by="waiting_for_task")
    found = forecast(outlook(INVITE, waiting, lost, tasks))
    assert found.touches == Counter()
    assert found.held == Counter(waiting_for_task=3, sender_unavailable=2)
    assert found.through == 4  # Nobody accepts what was sent before the forecast: they are given up after 14 days.


def test_one_more_sender_halves_the_days() -> None:
    made = outlook(VISIT, Group(200), senders=[sender(limits=limits(10))])
    more = with_one_more(made)
    assert more is not None
    one, two = forecast(made).finishes_at, forecast(more).finishes_at
    assert one is not None
    assert two is not None
    assert [(each.date() - START.date()).days + 1 for each in (one, two)] == [20, 10]
    assert with_one_more(outlook(VISIT, senders=[])) is None


def test_a_hundred_thousand_leads() -> None:
    groups = [Group(2_000, lacking=frozenset({"firstName"} if n % 7 == 0 else ())) for n in range(50)]
    crew = [sender(n, limits=limits(20 + n, 100 + n, gap=90)) for n in range(5)]
    found = forecast(outlook(INVITE, *groups, senders=crew, course=Course(BERLIN), days=90))
    assert found.touches["connections"] > 5_000


@given(st.lists(st.none() | st.integers(0, 50), min_size=1, max_size=5), st.integers(0, 200))
def test_shares_are_what_handing_out_one_by_one_gives(room: list[int | None], wanted: int) -> None:
    given_out = shares(room, wanted)
    if any(left is None for left in room):
        assert sum(given_out) == wanted
        return
    left = [each or 0 for each in room]
    for _ in range(wanted):
        most = max(range(len(left)), key=lambda at: left[at])
        if left[most] == 0:
            break
        left[most] -= 1
    assert sum(given_out) == sum(each or 0 for each in room) - sum(left)
    assert sorted((each or 0) - got for each, got in zip(room, given_out, strict=True)) == sorted(left)


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=4),
    st.integers(1, 15),
    st.integers(1, 60),
    st.integers(1, 3),
    st.none() | st.integers(1, 20),
    st.sampled_from([None, BERLIN]),
)
def test_no_cap_is_broken_and_nobody_is_lost(
    sizes: list[int], per_day: int, per_week: int, crew: int, new: int | None, schedule: Schedule | None
) -> None:
    senders = [sender(n, limits=limits(per_day, per_week)) for n in range(crew)]
    groups = [Group(size) for size in sizes]
    made = outlook([*VISIT, *INVITE], *groups, senders=senders, course=Course(schedule, new), days=60)
    found = forecast(made)
    for kind in ("visits", "connections", "messages"):
        counts = by_day(found, kind, 60)
        assert max(counts) <= per_day * crew
        weeks = [sum(counts[at : at + 7]) for at in range(0, 60, 7)]
        assert max(weeks) <= per_week * crew
        assert sum(counts) <= sum(sizes)
    if new is not None:
        assert max(day.new_leads for day in found.days) <= new
    if schedule is not None:
        assert all(day.on.weekday() < 5 or not day.touches for day in found.days)
        assert found.first_touch_at is None or calendar.is_open(schedule, found.first_touch_at)
    assert found.through <= sum(sizes)
    assert forecast(made) == found


SEQUENCE = {
    "steps": [
        {"id": "visit", "type": "visit_profile"},
        {"id": "invite", "type": "connect", "after": {"hours": 2}, "note": "{Hi|Hello} {{firstName}} {{icebreaker}}"},
        {"id": "hello", "type": "message", "after": {"days": 1}, "text": "Thanks {{firstName}}"},
    ]
}


def play(leads: int, seed: int) -> Timeline:
    return simulate(of_sequence(SEQUENCE, leads, seed, START))


def test_a_simulation_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert play(30, 1) == play(30, 1)
    assert play(30, 1) != play(30, 2)


def test_a_simulation_tells_every_lead_s_way_in_the_order_of_time() -> None:
    found = play(50, 3)
    assert [line.at for line in found.lines] == sorted(line.at for line in found.lines)
    counts = found.counts
    assert (counts["leads"], counts["visit_profile"], counts["connect"]) == (50, 50, 50)
    assert counts["message"] == counts["accepted"]
    assert counts["done"] + counts["not_connected"] >= 50 - counts["replied"]
    assert any("[icebreaker]" in (line.text or "") for line in found.lines)
