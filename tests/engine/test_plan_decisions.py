"""One lead at one step: every decision, and the rule that made it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from leadwright.engine.model import Act, Branch, Decision, Enrolment, Facts, Finish, Hold, Policy, Rule, Status, Wait
from leadwright.engine.plan import CONVERSATION_RECHECK, decide, ready_at
from leadwright.engine.sequence import Sequence, StepType, parse_sequence

SINCE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAD = Enrolment("lead", SINCE)
FACTS = Facts({"firstName": "Ada", "email": "ada@example.com", "score": 80}, {"firstName": "Max"})
CONNECTED = replace(FACTS, connected_at=SINCE - DAY)


def sequence(*steps: dict[str, Any]) -> Sequence:
    return parse_sequence({"steps": list(steps)})


def first(step: dict[str, Any], facts: Facts = FACTS, now: datetime = SINCE) -> Decision:
    """What happens at a step that another one follows."""
    found = sequence(step, {"type": "end"})
    return decide(found.steps[0], LEAD, facts, now)


def yes(at: datetime) -> Branch:
    return Branch(1, at, detail={"branch": "then"})


def no(at: datetime) -> Branch:
    return Branch(2, at, detail={"branch": "else"})


VISIT = {"type": "visit_profile"}
INVITE = {"type": "connect", "note": "Hi {{firstName}}"}
HELLO = {"type": "message", "text": "Hi {{firstName}}"}


@pytest.mark.parametrize(
    ("step", "content"),
    [
        (VISIT, {}),
        ({"type": "follow"}, {}),
        ({"type": "like_post"}, {}),
        (INVITE, {"text": "Hi Ada"}),
        ({"type": "connect"}, {}),
        ({"type": "connect", "note": "{{ icebreaker | default: '' }}"}, {}),
        ({"type": "email", "subject": "For {{firstName}}", "text": "By {{sender.firstName}}"},
         {"subject": "For Ada", "text": "By Max", "to": "ada@example.com"}),
        ({"type": "manual_task", "title": "Call {{firstName}}"}, {"title": "Call Ada"}),
        ({"type": "webhook", "url": "https://example.com/x"},
         {"url": "https://example.com/x", "payload": {"fields": dict(FACTS.fields)}}),
    ],
)  # fmt: skip
def test_a_deed_whose_time_has_come_is_done_with_its_texts(step: dict[str, Any], content: dict[str, Any]) -> None:
    decision = first(step)
    assert isinstance(decision, Act)
    assert decision.kind == step["type"]
    assert decision.content == content


def test_a_message_goes_to_a_connected_lead() -> None:
    decision = first(HELLO, CONNECTED)
    assert isinstance(decision, Act)
    assert (decision.content, decision.variant) == ({"text": "Hi Ada"}, 0)


def test_a_delay_is_waited_for_to_the_second() -> None:
    visit = {**VISIT, "after": {"hours": 2}}
    waits = first(visit, now=SINCE + 2 * HOUR - timedelta(microseconds=1))
    assert isinstance(waits, Wait)
    assert (waits.until, waits.rule) == (SINCE + 2 * HOUR, Rule.WAITING_FOR_DELAY)
    assert isinstance(first(visit, now=SINCE + 2 * HOUR), Act)


def test_the_end_comes_after_its_delay() -> None:
    end = sequence({"type": "end", "after": {"hours": 1}}).steps[0]
    assert isinstance(decide(end, LEAD, FACTS, SINCE), Wait)
    assert decide(end, LEAD, FACTS, SINCE + HOUR) == Finish(Status.DONE)


def test_a_step_that_was_performed_is_never_performed_again() -> None:
    for step in (VISIT, INVITE, HELLO, {"type": "webhook", "url": "https://example.com/x"}):
        steps = sequence({"id": "it", **step}, VISIT).steps
        assert decide(steps[0], LEAD, replace(FACTS, done=frozenset({"it"})), SINCE) == Branch(1, SINCE)


def test_a_suppressed_person_is_left_alone_at_every_step() -> None:
    facts = replace(CONNECTED, suppressed=True)
    for step in (VISIT, HELLO, {"type": "condition", "when": "connected"}, {**VISIT, "after": {"days": 1}}):
        assert first(step, facts) == Finish(Status.SKIPPED, "suppressed")


class TestAcceptance:
    """A message needs the connection."""

    def test_it_is_waited_for_until_the_timeout(self) -> None:
        facts = replace(FACTS, policy=Policy(acceptance_timeout=3 * DAY))
        held = first(HELLO, facts, SINCE + 3 * DAY - timedelta(microseconds=1))
        assert isinstance(held, Hold)
        assert (held.rule, held.until) == (Rule.WAITING_FOR_ACCEPTANCE, SINCE + 3 * DAY)
        assert first(HELLO, facts, SINCE + 3 * DAY) == Finish(Status.NOT_CONNECTED, "acceptance_timed_out")

    def test_by_default_for_two_weeks(self) -> None:
        held = first(HELLO)
        assert isinstance(held, Hold)
        assert held.until == SINCE + 14 * DAY

    def test_the_delay_counts_from_the_acceptance_when_that_came_later(self) -> None:
        delayed = {**HELLO, "after": {"days": 1}}
        accepted = replace(FACTS, connected_at=SINCE + 2 * DAY)
        waits = first(delayed, accepted, SINCE + 2 * DAY)
        assert isinstance(waits, Wait)
        assert waits.until == SINCE + 3 * DAY
        assert isinstance(first(delayed, accepted, SINCE + 3 * DAY), Act)

    def test_it_counts_from_the_step_before_when_the_acceptance_came_earlier(self) -> None:
        step = sequence({**HELLO, "after": {"days": 1}}).steps[0]
        assert ready_at(step, LEAD, CONNECTED) == SINCE + DAY

    def test_an_acceptance_at_the_last_moment_is_one(self) -> None:
        late = replace(FACTS, connected_at=SINCE + 14 * DAY)
        assert isinstance(first(HELLO, late, SINCE + 15 * DAY), Act)

    def test_no_other_step_waits_for_it(self) -> None:
        for step in (VISIT, INVITE, {"type": "email", "subject": "x", "text": "x"}):
            assert isinstance(first(step), Act)


class TestConditions:
    """``then`` is the step at index 1, ``else`` the one at index 2."""

    def judged(self, condition: dict[str, Any], facts: Facts = FACTS, now: datetime = SINCE) -> Decision:
        asked = {"type": "condition", "then": [VISIT], "else": [{"type": "follow"}], **condition}
        return decide(sequence(asked).steps[0], LEAD, facts, now)

    def test_without_within_the_first_moment_decides(self) -> None:
        assert self.judged({"when": "connected"}) == no(SINCE)
        assert self.judged({"when": "connected"}, CONNECTED) == yes(SINCE)

    def test_a_delay_comes_before_the_question(self) -> None:
        asked = {"when": "connected", "after": {"days": 1}}
        assert isinstance(self.judged(asked, CONNECTED), Wait)
        assert self.judged(asked, CONNECTED, SINCE + 2 * DAY) == yes(SINCE + DAY)

    def test_within_the_time_no_is_not_an_answer(self) -> None:
        held = self.judged({"when": "connected", "within": {"days": 7}}, now=SINCE + 6 * DAY)
        assert isinstance(held, Hold)
        assert (held.rule, held.until) == (Rule.WAITING_FOR_ACCEPTANCE, SINCE + 7 * DAY)

    def test_the_yes_is_dated_at_the_acceptance_however_late_it_is_seen(self) -> None:
        accepted = replace(FACTS, connected_at=SINCE + 2 * DAY)
        assert self.judged({"when": "connected", "within": {"days": 7}}, accepted, SINCE + 5 * DAY) == yes(
            SINCE + 2 * DAY
        )

    def test_the_no_is_dated_at_the_end_of_the_time_however_late_it_is_seen(self) -> None:
        asked = {"when": "connected", "within": {"days": 7}, "after": {"days": 1}}
        assert self.judged(asked, now=SINCE + 20 * DAY) == no(SINCE + 8 * DAY)

    def test_a_field_is_compared_at_the_moment(self) -> None:
        assert self.judged({"when": {"field": "Score", "atLeast": 80}}) == yes(SINCE)
        assert self.judged({"when": {"field": "score", "atLeast": 81}}) == no(SINCE)

    def test_a_field_may_still_change_within_the_time(self) -> None:
        asked = {"when": {"field": "score", "atLeast": 81}, "within": {"hours": 3}}
        waits = self.judged(asked)
        assert isinstance(waits, Wait)
        assert waits.until == SINCE + 3 * HOUR
        assert self.judged(asked, replace(FACTS, fields={"score": 99}), SINCE + HOUR) == yes(SINCE + HOUR)
        assert self.judged(asked, now=SINCE + 4 * HOUR) == no(SINCE + 3 * HOUR)


class TestNothingToDo:
    """Deeds that the world has made needless."""

    def test_an_invitation_of_somebody_connected(self) -> None:
        assert first(INVITE, CONNECTED) == Branch(1, SINCE, Status.CONNECTED, "already_connected")

    def test_an_invitation_of_somebody_invited(self) -> None:
        invited = replace(FACTS, invited_at=SINCE - DAY)
        assert first(INVITE, invited) == Branch(1, SINCE, Status.CONNECTION_ALREADY_SENT, "already_invited")

    def test_a_withdrawal_without_an_open_invitation(self) -> None:
        withdraw = {"type": "withdraw_connection"}
        nothing = Branch(1, SINCE, None, "nothing_to_withdraw")
        assert first(withdraw) == nothing
        assert first(withdraw, replace(CONNECTED, invited_at=SINCE - 2 * DAY)) == nothing
        assert isinstance(first(withdraw, replace(FACTS, invited_at=SINCE - DAY)), Act)

    def test_it_is_known_only_when_its_time_comes_and_dated_then(self) -> None:
        later = {**INVITE, "after": {"days": 1}}
        assert isinstance(first(later, CONNECTED), Wait)
        assert first(later, CONNECTED, SINCE + 3 * DAY) == Branch(1, SINCE + DAY, Status.CONNECTED, "already_connected")

    def test_neither_a_window_nor_a_missing_field_is_asked(self) -> None:
        closed = replace(CONNECTED, fields={}, opens_at=SINCE + DAY, other_conversation=True)
        assert isinstance(first(INVITE, closed), Branch)


class TestHolding:
    def test_another_conversation_holds_every_deed(self) -> None:
        for step in (VISIT, INVITE, HELLO):
            held = first(step, replace(CONNECTED if step is HELLO else FACTS, other_conversation=True))
            assert isinstance(held, Hold)
            assert (held.rule, held.until) == (Rule.OTHER_CONVERSATION, SINCE + CONVERSATION_RECHECK)

    def test_the_lead_s_own_window(self) -> None:
        waits = first(VISIT, replace(FACTS, opens_at=SINCE + 5 * HOUR))
        assert isinstance(waits, Wait)
        assert (waits.until, waits.rule) == (SINCE + 5 * HOUR, Rule.OUTSIDE_WINDOW)
        assert isinstance(first(VISIT, replace(FACTS, opens_at=SINCE)), Act)

    def test_a_missing_field_holds_the_lead_and_is_named(self) -> None:
        step = {"type": "message", "text": "{{greeting}} {{first_name}} {{ Job Title }} {{firstName}}"}
        held = first(step, CONNECTED)
        assert isinstance(held, Hold)
        assert (held.rule, held.until, held.detail) == (
            Rule.MISSING_FIELD, None, {"fields": ["greeting", "Job Title"]},
        )  # fmt: skip

    def test_a_missing_field_skips_the_step_where_the_campaign_says_so(self) -> None:
        skipping = replace(CONNECTED, policy=Policy(skips_missing=True))
        step = {"type": "message", "text": "{{greeting}}"}
        assert first(step, skipping, SINCE + DAY) == Branch(
            1, SINCE + DAY, None, "missing_field", {"fields": ["greeting"]}
        )

    @pytest.mark.parametrize("value", [None, "", " \t", "\u200b"])
    def test_a_blank_value_is_a_missing_one(self, value: str | None) -> None:
        facts = replace(CONNECTED, fields={"firstName": value})
        decision = first({"type": "message", "text": "Hi {{firstName}}"}, facts)
        assert isinstance(decision, Act if value == "\u200b" else Hold)

    def test_a_message_that_comes_out_blank_is_a_hole(self) -> None:
        held = first({"type": "message", "text": "{{ nothing | default: '' }} "}, CONNECTED)
        assert isinstance(held, Hold)
        assert held.detail == {"fields": ["text"]}

    def test_an_email_needs_an_address(self) -> None:
        email = {"type": "email", "subject": "x", "text": "x"}
        held = first(email, replace(FACTS, fields={}))
        assert isinstance(held, Hold)
        assert held.detail == {"fields": ["email"]}

    def test_a_value_that_does_not_fit_its_filter_holds_and_says_why(self) -> None:
        step = {"type": "message", "text": "{{ score | minus: other }}"}
        held = first(step, replace(CONNECTED, fields={"score": 1, "other": "many"}))
        assert isinstance(held, Hold)
        assert "number" in str(held.detail["error"])

    def test_a_missing_field_of_the_sender_is_named_as_its_own(self) -> None:
        held = first({"type": "connect", "note": "{{ sender.phone }}"})
        assert isinstance(held, Hold)
        assert held.detail == {"fields": ["sender.phone"]}


def test_a_variant_is_the_lead_s_own() -> None:
    step = {"type": "message", "variants": [{"text": "A", "weight": 1}, {"text": "B", "weight": 3}]}
    compiled = sequence({"id": "it", **step}).steps[0]
    given: list[str] = []
    for number in range(400):
        decision = decide(compiled, Enrolment(f"lead-{number}", SINCE), CONNECTED, SINCE)
        assert isinstance(decision, Act)
        assert decision.variant is not None
        assert decision.content["text"] == "AB"[decision.variant]
        assert decide(compiled, Enrolment(f"lead-{number}", SINCE), CONNECTED, SINCE + DAY) == decision
        given.append("AB"[decision.variant])
    assert 260 <= given.count("B") <= 340


def test_every_type_is_decided() -> None:
    texts = {"message": HELLO, "email": {"subject": "x", "text": "x"}, "manual_task": {"title": "x"}}
    extras = {**texts, "webhook": {"url": "https://example.com/x"}, "condition": {"when": "connected"}}
    for kind in StepType:
        decision = first({**extras.get(kind.value, {}), "type": kind.value}, CONNECTED)
        assert isinstance(decision, Act | Branch | Finish)
