"""What keeps a campaign from working, and what is doubtful: texts that fail, hours apart, strangers written to."""

from typing import Any

import pytest

from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.engine.readiness import Hand, doubts, obstacles
from leadwright.engine.sequence import StepType, parse_sequence

WEEK = tuple(Weekday)[:5]
WEEKEND = tuple(Weekday)[5:]
ENDLESS = "Hi {{firstName}} {% for i in (1..1000000) %}x{% endfor %}"


def hours(days: tuple[Weekday, ...], zone: str = "UTC") -> Schedule:
    return Schedule(zone, days, opens=9 * 60, closes=17 * 60)


def hand(schedule: Schedule | None = None, name: str = "Sue") -> Hand:
    return Hand(name, name, frozenset(StepType), {}, schedule=schedule)


def reasons(
    steps: list[dict[str, Any]], hands: list[Hand] | None = None, schedule: Schedule | None = None
) -> list[tuple[str, str]]:
    found = obstacles({"steps": steps}, hands or [hand()], schedule)
    return [(each.code, each.path) for each in found]


def warnings(
    steps: list[dict[str, Any]], hands: list[Hand] | None = None, schedule: Schedule | None = None
) -> list[tuple[str, str]]:
    found = doubts(parse_sequence({"steps": steps}), hands or [hand()], schedule)
    return [(each.code, each.path) for each in found]


VISIT = [{"id": "visit", "type": "visit_profile"}]
CONNECT = {"id": "invite", "type": "connect"}


@pytest.mark.parametrize(
    "note",
    [ENDLESS, "{% for i in (1..1000000) %}x{% endfor %}", "{{ score | divided_by: 0 }}"],
)
def test_a_text_that_nobody_can_get_keeps_the_campaign_from_working(note: str) -> None:
    steps = [*VISIT, {**CONNECT, "note": note}]
    assert reasons(steps) == [("template_fails", "sequence.steps[1]")]
    (obstacle,) = obstacles({"steps": steps}, [hand()])
    assert obstacle.message.startswith('step "invite" can be rendered for nobody: ')


@pytest.mark.parametrize(
    "note",
    ["Hi {{firstName}}", "{{ score | divided_by: 3 }}", "{{ name | upcase }} {{ sender.firstName }}", "{{ a }} x"],
)
def test_a_text_that_somebody_can_get_does_not(note: str) -> None:
    codes = [code for code, _ in reasons([{**CONNECT, "note": note}])]
    assert "template_fails" not in codes


def test_one_wording_that_fails_is_a_doubt_as_long_as_another_can_go_out() -> None:
    message = {"id": "hello", "type": "message"}
    mixed = [CONNECT, {**message, "variants": [{"text": "Hello"}, {"text": ENDLESS}]}]
    assert (reasons(mixed), warnings(mixed)) == ([], [("template_fails", "sequence.steps[1]")])
    failing = [CONNECT, {**message, "variants": [{"text": ENDLESS}, {"text": ENDLESS + "."}]}]
    assert reasons(failing) == [("template_fails", "sequence.steps[1]")]


def test_hours_that_never_meet() -> None:
    berlin = hand(hours(WEEK, "Europe/Berlin"))
    assert reasons(VISIT, [berlin], hours(WEEKEND)) == [("hours_never_meet", "schedule")]
    assert warnings(VISIT, [berlin], hours(WEEKEND)) == [("hours_never_meet", "schedule")]
    other = hand(hours(WEEKEND), "Eva")
    assert reasons(VISIT, [berlin, other], hours(WEEKEND)) == []
    assert warnings(VISIT, [berlin, other], hours(WEEKEND)) == [("hours_never_meet", "schedule")]
    assert reasons(VISIT, [other], hours(WEEKEND)) == warnings(VISIT, [other, hand()], hours(WEEKEND)) == []


def test_hours_that_meet_for_leads_of_another_zone_are_a_doubt() -> None:
    """On Friday afternoon in California it is Saturday in New Zealand."""
    steps, pacific = VISIT, hand(hours(WEEK, "America/Los_Angeles"))
    assert reasons(steps, [pacific], hours(WEEKEND)) == []
    (doubt,) = doubts(parse_sequence({"steps": steps}), [pacific], hours(WEEKEND))
    assert "but for leads with a time zone of their own" in doubt.message


def test_hours_a_clock_change_apart_meet_in_one_half_of_the_year() -> None:
    """Nine in New York is three in Berlin; for a few weeks of a year it is two."""
    berlin = Schedule("Europe/Berlin", WEEK, opens=14 * 60, closes=14 * 60 + 30)
    york = Schedule("America/New_York", WEEK, opens=9 * 60, closes=9 * 60 + 30)
    assert (reasons(VISIT, [hand(york)], berlin), warnings(VISIT, [hand(york)], berlin)) == ([], [])


HELLO = {"id": "hello", "type": "message", "text": "Hi"}
MORE = {"id": "more", "type": "message", "text": "Again"}


@pytest.mark.parametrize(
    ("steps", "doubted"),
    [
        ([HELLO, MORE], ["sequence.steps[0]"]),
        ([*VISIT, HELLO], ["sequence.steps[1]"]),
        ([CONNECT, HELLO, MORE], []),
        ([{"type": "condition", "when": "connected", "then": [HELLO], "else": [CONNECT, MORE]}], []),
        (
            [
                {
                    "type": "condition",
                    "when": {"field": "title", "contains": "CEO"},
                    "then": [HELLO],
                    "else": [CONNECT, MORE],
                }
            ],
            ["sequence.steps[0].then[0]"],
        ),
    ],
)
def test_messages_to_people_whom_nobody_has_invited(steps: list[dict[str, Any]], doubted: list[str]) -> None:
    assert [path for code, path in warnings(steps) if code == "no_invitation"] == doubted
