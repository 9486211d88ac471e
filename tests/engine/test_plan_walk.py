"""Leads walk through whole sequences: forward, each step at most once, to an end, whatever the facts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from leadwright.engine.model import Act, Enrolment, Facts, Finish, Hold, Passed, Policy, Standing, Status, Wait
from leadwright.engine.plan import walk
from leadwright.engine.sequence import Sequence, Step, StepType, parse_sequence

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
LOOKS_A_STEP = 210
"""A condition about a field is looked at every hour of its time, here of 200 at most."""
FIELDS = {"firstName": "Ada", "email": "ada@example.com", "score": 80}
FACTS = Facts(FIELDS, {"firstName": "Max"})
CONNECTED = replace(FACTS, connected_at=START - DAY)


def sequence(*steps: dict[str, Any]) -> Sequence:
    return parse_sequence({"steps": list(steps)})


def walked(found: Sequence, facts: Facts, now: datetime = START) -> tuple[Standing, Enrolment, tuple[Passed, ...]]:
    return walk(found, found.start, Enrolment("lead", START), facts, now)


NESTED = sequence(
    {"id": "invite", "type": "connect"},
    {
        "id": "asked",
        "type": "condition",
        "when": "connected",
        "within": {"days": 7},
        "then": [
            {
                "id": "worth",
                "type": "condition",
                "when": {"field": "score", "atLeast": 50},
                "then": [{"id": "hello", "type": "message", "text": "Hi {{firstName}}"}],
                "else": [{"id": "cheap", "type": "like_post"}],
            }
        ],
        "else": [{"id": "back", "type": "withdraw_connection"}],
    },
    {"id": "last", "type": "visit_profile", "after": {"days": 1}},
)


def test_what_takes_no_time_is_walked_through_at_once() -> None:
    decision, enrolment, passed = walked(NESTED, CONNECTED)
    assert isinstance(decision, Act)
    assert decision.step.id == "hello"
    assert enrolment.step_since == START
    invite, *asked = passed
    assert invite == Passed("invite", "already_connected", Status.CONNECTED)
    assert [(each.reason, each.detail) for each in asked] == [(None, {"branch": "then"})] * 2


def test_an_inner_condition_takes_its_own_way_and_both_meet_again() -> None:
    decision, _, _ = walked(NESTED, replace(CONNECTED, fields={"score": 1}))
    assert isinstance(decision, Act)
    assert decision.step.id == "cheap"
    done = frozenset({"hello", "cheap"})
    for fields in ({"score": 1}, {"score": 99}):
        decision, enrolment, _ = walked(NESTED, replace(CONNECTED, fields=fields, done=done))
        assert isinstance(decision, Wait)
        assert (decision.step.id, enrolment.step_since) == ("last", START)


def test_the_time_of_a_condition_runs_from_when_the_lead_reached_it() -> None:
    facts = replace(FACTS, done=frozenset({"invite"}), invited_at=START)
    held, _, _ = walked(NESTED, facts, START + 6 * DAY)
    assert isinstance(held, Hold)
    assert (held.step.id, held.until) == ("asked", START + 7 * DAY)
    back, enrolment, _ = walked(NESTED, facts, START + 9 * DAY)
    assert isinstance(back, Act)
    assert (back.step.id, enrolment.step_since) == ("back", START + 7 * DAY)


def test_what_is_skipped_is_told_in_order() -> None:
    steps = sequence(
        {"id": "a", "type": "connect", "note": "{{none}}"},
        {"id": "b", "type": "withdraw_connection"},
        {"id": "c", "type": "message", "text": "{{none}}"},
        {"id": "d", "type": "email", "subject": "x", "text": "{{none}}"},
    )
    skipping = replace(FACTS, policy=Policy(skips_missing=True), connected_at=None)
    decision, _, passed = walked(steps, skipping)
    assert isinstance(decision, Hold)
    assert [(each.step_id, each.reason) for each in passed] == [("a", "missing_field"), ("b", "nothing_to_withdraw")]
    decision, _, passed = walked(steps, replace(skipping, connected_at=START - DAY))
    assert decision == Finish(Status.DONE)
    assert [each.step_id for each in passed] == ["a", "b", "c", "d"]


def test_an_empty_way_is_done() -> None:
    assert walked(Sequence(), FACTS)[0] == Finish(Status.DONE)
    assert walk(NESTED, None, Enrolment("lead", START), FACTS, START)[0] == Finish(Status.DONE)


texts = st.sampled_from(["plain", "Hi {{firstName}}", "{{icebreaker}}", "{{icebreaker | default: 'x'}} {a|b}"])
delays = st.fixed_dictionaries({}, optional={"after": st.fixed_dictionaries({"hours": st.integers(0, 60)})})
plain = st.sampled_from(["visit_profile", "follow", "like_post", "withdraw_connection", "end", "connect"])
leaves = st.tuples(
    st.one_of(
        plain.map(lambda kind: {"type": kind}),
        texts.map(lambda text: {"type": "connect", "note": text}),
        texts.map(lambda text: {"type": "message", "text": text}),
        texts.map(lambda text: {"type": "email", "subject": "x", "text": text}),
    ),
    delays,
).map(lambda parts: parts[0] | parts[1])
questions = st.sampled_from(["connected", {"field": "score", "atLeast": 50}, {"field": "icebreaker", "exists": True}])


def conditions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("condition"), "when": questions},
        optional={
            "within": st.fixed_dictionaries({"hours": st.integers(0, 200)}),
            "then": st.lists(inner, max_size=3),
            "else": st.lists(inner, max_size=3),
        },
    )


sequences = st.lists(st.recursive(leaves, conditions, max_leaves=8), max_size=6).map(lambda s: sequence(*s))
people = st.builds(
    Facts,
    fields=st.fixed_dictionaries(
        {}, optional={"firstName": st.just("Ada"), "icebreaker": st.sampled_from(["x", ""]), "score": st.just(80)}
    ),
    sender=st.just({"firstName": "Max"}),
    policy=st.builds(Policy, st.booleans(), st.integers(0, 400).map(lambda hours: timedelta(hours=hours))),
    suppressed=st.sampled_from([False, False, False, True]),
    other_conversation=st.sampled_from([False, False, False, True]),
)


def play(found: Sequence, facts: Facts, accepts_after: timedelta | None) -> list[tuple[datetime, Standing]]:
    """The whole way of one lead whose every deed succeeds at once, on a clock that jumps to what is next."""
    now, step, enrolment = START, found.start, Enrolment("lead", START)
    decisions: list[tuple[datetime, Standing]] = []
    for _ in range(LOOKS_A_STEP * (len(found.steps) + 1)):
        decision, enrolment, _ = walk(found, step, enrolment, facts, now)
        decisions.append((now, decision))
        match decision:
            case Act():
                facts = _performed(facts, decision.step, now, accepts_after)
                enrolment = replace(enrolment, step_since=now)
                step = None if decision.step.next is None else found.steps[decision.step.next]
            case Wait():
                assert decision.until > now
                now, step = decision.until, decision.step
            case Hold(until=None):
                return decisions
            case Hold():
                assert decision.until is not None
                assert decision.until > now
                now, step = decision.until, decision.step
                facts = replace(facts, other_conversation=False)
            case Finish():
                return decisions
    raise AssertionError("the lead never comes to an end")


def _performed(facts: Facts, step: Step, now: datetime, accepts_after: timedelta | None) -> Facts:
    facts = replace(facts, done=facts.done | {step.id})
    if step.type is StepType.CONNECT:
        facts = replace(facts, invited_at=now, connected_at=None if accepts_after is None else now + accepts_after)
    if step.type is StepType.WITHDRAW_CONNECTION:
        facts = replace(facts, invited_at=None)
    return facts


@given(sequences, people, st.none() | st.integers(0, 300).map(lambda hours: timedelta(hours=hours)))
def test_every_lead_comes_to_an_end_and_does_each_step_at_most_once(
    found: Sequence, facts: Facts, accepts_after: timedelta | None
) -> None:
    decisions = play(found, facts, accepts_after)
    done = [decision.step.index for _, decision in decisions if isinstance(decision, Act)]
    assert done == sorted(set(done))
    assert all(isinstance(decision, Act | Wait | Hold) for _, decision in decisions[:-1])
    assert isinstance(decisions[-1][1], Finish | Hold)
    if facts.suppressed:
        assert len(decisions) == 1
        assert decisions[0][1] == (Finish(Status.SKIPPED, "suppressed") if found.steps else Finish(Status.DONE))


@given(sequences, people, st.none() | st.integers(0, 300).map(lambda hours: timedelta(hours=hours)))
def test_no_text_goes_out_with_a_hole(found: Sequence, facts: Facts, accepts_after: timedelta | None) -> None:
    for _, decision in play(found, facts, accepts_after):
        if isinstance(decision, Act):
            text = decision.content.get("text", "x")
            assert isinstance(text, str)
            assert text.strip()
            assert "{{" not in text
            assert not text.endswith("Hi ")
            if decision.kind is StepType.MESSAGE:
                assert text


@given(sequences, people, st.integers(0, 500).map(lambda hours: timedelta(hours=hours)))
def test_the_same_facts_at_the_same_moment_give_the_same_decision(
    found: Sequence, facts: Facts, later: timedelta
) -> None:
    assert walked(found, facts, START + later) == walked(found, facts, START + later)


@given(sequences, people)
def test_a_message_never_goes_to_a_stranger(found: Sequence, facts: Facts) -> None:
    for _, decision in play(found, facts, None):
        assert not (isinstance(decision, Act) and decision.kind is StepType.MESSAGE)
