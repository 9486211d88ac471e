"""The JSON of a sequence becomes a flat list of steps; everything wrong with it is named at once."""

from datetime import timedelta

import pytest

from leadwright.engine.sequence import MAX_DEPTH, MAX_STEPS, SequenceError, StepType, parse_sequence
from leadwright.templates import Rendered

EXAMPLE = {
    "steps": [
        {"id": "visit", "type": "visit_profile"},
        {
            "id": "invite",
            "type": "connect",
            "after": {"hours": 2},
            "note": "Hi {{firstName | default: 'there'}}, {{icebreaker}}",
        },
        {
            "id": "asked",
            "type": "condition",
            "when": "connected",
            "within": {"days": 7},
            "then": [
                {"id": "hello", "type": "message", "after": {"days": 1}, "text": "Thanks {{firstName}} …"},
                {
                    "id": "bump",
                    "type": "message",
                    "after": {"days": 3},
                    "variants": [{"text": "A", "weight": 1}, {"text": "B {{company}}", "weight": 3}],
                },
            ],
            "else": [{"id": "back", "type": "withdraw_connection"}],
        },
        {"id": "call", "type": "manual_task", "title": "Call {{firstName}}"},
        {"id": "over", "type": "end"},
    ]
}


def problems_of(value: object) -> dict[str, str]:
    with pytest.raises(SequenceError) as caught:
        parse_sequence(value)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_the_example_is_compiled_depth_first() -> None:
    sequence = parse_sequence(EXAMPLE)
    rows = [(step.id, step.number, step.next, step.parents) for step in sequence.steps]
    assert rows == [
        ("visit", 1, 1, ()),
        ("invite", 2, 2, ()),
        ("asked", None, 6, ()),
        ("hello", 3, 4, (2,)),
        ("bump", 4, 6, (2,)),
        ("back", 5, 6, (2,)),
        ("call", 6, 7, ()),
        ("over", None, None, ()),
    ]
    assert sequence.start is sequence.steps[0]
    asked = sequence.by_id("asked")
    assert asked is not None
    assert asked.branch is not None
    assert (asked.branch.when, asked.branch.then, asked.branch.otherwise) == (None, 3, 5)
    assert asked.branch.within == timedelta(days=7)
    assert asked.successors == {3, 5}
    assert sequence.steps[1].after == timedelta(hours=2)
    assert sequence.steps[4].path == "sequence.steps[2].then[1]"
    assert sequence.warnings == ()


def test_the_fields_of_a_sequence_are_known_by_step() -> None:
    sequence = parse_sequence(EXAMPLE)
    assert sequence.fields() == {
        "invite": ("firstName", "icebreaker"),
        "hello": ("firstName",),
        "bump": ("company",),
        "call": ("firstName",),
    }
    assert sequence.required_fields == ("icebreaker", "firstName", "company")


def test_it_is_given_back_as_it_was_written() -> None:
    sequence = parse_sequence(EXAMPLE)
    assert sequence.to_json() == EXAMPLE
    changed = sequence.to_json()
    changed["steps"][0]["id"] = "other"  # type: ignore[index]
    assert sequence.to_json() == EXAMPLE


@pytest.mark.parametrize("value", [None, {"steps": []}])
def test_nothing_is_the_empty_sequence(value: object) -> None:
    sequence = parse_sequence(value)
    assert sequence.is_empty
    assert sequence.start is None
    assert sequence.to_json() == {"steps": []}


def test_steps_without_an_id_get_one_that_stays() -> None:
    value = {"steps": [{"type": "follow"}, {"type": "follow", "id": "follow-2"}, {"type": "follow", "note": None}]}
    value["steps"][2].pop("note")
    sequence = parse_sequence(value)
    assert [step.id for step in sequence.steps] == ["follow", "follow-2", "follow-3"]
    assert parse_sequence(sequence.to_json()) == sequence


def test_empty_branches_lead_on() -> None:
    condition = {"id": "c", "type": "condition", "when": {"field": "a", "exists": True}, "else": []}
    sequence = parse_sequence({"steps": [condition, {"id": "x", "type": "follow"}]})
    branch = sequence.steps[0].branch
    assert branch is not None
    assert (branch.then, branch.otherwise, sequence.steps[0].next) == (1, 1, 1)
    alone = parse_sequence({"steps": [condition]}).steps[0]
    assert alone.successors == frozenset()


def step(**keys: object) -> dict[str, object]:
    return {"steps": [{"id": "s", **keys}]}


HERE = "sequence.steps[0]"


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ([], "sequence", 'must be {"steps": […]}, not an array'),
        ("x", "sequence", "not a string"),
        ({}, "sequence.steps", "is missing"),
        ({"steps": {}}, "sequence.steps", "must be an array of steps, not an object"),
        ({"steps": [], "stepz": 1}, "sequence", "unknown key 'stepz', did you mean 'steps'"),
        ({"steps": [7]}, HERE, "must be an object with a type, not a number"),
        ({"steps": [{"type": "mesage"}]}, f"{HERE}.type", "did you mean 'message'"),
        ({"steps": [{"type": "sendMessage"}]}, f"{HERE}.type", "did you mean 'message'"),
        ({"steps": [{"type": "visitProfile"}]}, f"{HERE}.type", "did you mean 'visit_profile'"),
        ({"steps": [{"type": "message"}]}, f"{HERE}.text", f"the message step at {HERE}: "),
        (step(), f"{HERE}.type", 'step "s": "type" is missing, known are condition, connect'),
        (step(type=["x"]), f"{HERE}.type", "must be a string, not an array"),
        (step(type="wait"), f"{HERE}.type", '"after"'),
        (step(type="follow", id=""), f"{HERE}.id", "1 to 64 letters"),
        (step(type="follow", id=5), f"{HERE}.id", "1 to 64 letters"),
        (step(type="follow", id="a\x00"), f"{HERE}.id", "1 to 64 letters"),
        (step(type="follow", id="a\n"), f"{HERE}.id", "1 to 64 letters"),
        (step(type="follow", text="x"), HERE, "unknown key 'text'"),
        (step(type="message", text="x", afer={}), HERE, "did you mean 'after'"),
        (step(type="follow", after={"days": -1}), f"{HERE}.after.days", 'step "s": "after" must be a number'),
        (step(type="follow", after=3), f"{HERE}.after", "must be an object"),
        (
            step(type="message", text=5),
            f"{HERE}.text",
            "must be a string of at most 8000 characters, not a number",
        ),
        (step(type="message", text=" "), f"{HERE}.text", "must not be blank"),
        (step(type="message", text="x" * 8001), f"{HERE}.text", "at most 8000 characters, it has 8001"),
        (step(type="message", text="\ud800"), f"{HERE}.text", "cannot be stored"),
        (step(type="message", text="a\x00b"), f"{HERE}.text", "cannot be stored"),
        (step(type="message", text="Hi {{firstName"), f"{HERE}.text", "is never closed by }}"),
        (step(type="message", text="x", variants=[{"text": "y"}]), HERE, 'has both "text" and "variants"'),
        (step(type="message", variants=[]), f"{HERE}.variants", "1 to 20"),
        (step(type="message", variants=[{"text": "x"}] * 21), f"{HERE}.variants", "1 to 20"),
        (step(type="message", variants={"text": "x"}), f"{HERE}.variants", "must be an array"),
        (step(type="message", variants=["x"]), f"{HERE}.variants[0]", "must be an object"),
        (step(type="message", variants=[{"txt": "x"}]), f"{HERE}.variants[0]", "did you mean 'text'"),
        (step(type="message", variants=[{"text": "{a"}]), f"{HERE}.variants[0].text", 'step "s", variant 1'),
        (
            step(type="message", variants=[{"text": "a", "weight": -1}]),
            f"{HERE}.variants[0].weight",
            "from 0 to",
        ),
        (
            step(type="message", variants=[{"text": "a", "weight": True}]),
            f"{HERE}.variants[0].weight",
            "from 0 to",
        ),
        (step(type="message", variants=[{"text": "a", "weight": 0}]), f"{HERE}.variants", "weight above 0"),
        (step(type="connect", note="x" * 301), f"{HERE}.note", "at most 300 characters, it has 301"),
        (step(type="connect", note=["x"]), f"{HERE}.note", "must be a string"),
        (step(type="connect", note="x", variants=[{"text": "y"}]), HERE, 'both "note" and "variants"'),
        (step(type="connect", variants=[{"text": "x" * 301}]), f"{HERE}.variants[0].text", "at most 300"),
        (step(type="email", text="x"), f"{HERE}.subject", "is missing"),
        (step(type="email", variants=[{"text": "x"}]), f"{HERE}.subject", "not every variant has one"),
        (step(type="email", subject="x"), f"{HERE}.text", "is missing"),
        (step(type="manual_task"), f"{HERE}.title", 'needs a "title" or a "text"'),
        (step(type="webhook"), f"{HERE}.url", "is missing"),
        (step(type="webhook", url="ftp://x.example"), f"{HERE}.url", "web address"),
        (step(type="webhook", url="https://[::1"), f"{HERE}.url", "web address"),
        (step(type="webhook", url="https://x.example:99999/"), f"{HERE}.url", "web address"),
        (step(type="webhook", url="https://u:p@x.example/"), f"{HERE}.url", "web address"),
        (step(type="webhook", url="https:///x"), f"{HERE}.url", "web address"),
        (step(type="condition"), f"{HERE}.when", 'must be "connected" or a comparison'),
        (step(type="condition", when="replied"), f"{HERE}.when", 'must be "connected"'),
        (step(type="condition", when={"field": "a"}), f"{HERE}.when", "exactly one comparison"),
        (step(type="condition", when={"field": "a", "equals": 1, "in": [1]}), f"{HERE}.when", "exactly one"),
        (step(type="condition", when={"field": "a", "equal": 1}), f"{HERE}.when", "exactly one comparison"),
        (step(type="condition", when={"field": 1, "equals": 1}), f"{HERE}.when.field", "must be a string"),
        (
            step(type="condition", when={"field": "a", "equals": {}}),
            f"{HERE}.when.equals",
            "string, number or",
        ),
        (step(type="condition", when={"field": "a", "in": []}), f"{HERE}.when.in", "1 to 100"),
        (step(type="condition", when={"field": "a", "in": [None]}), f"{HERE}.when.in", "strings, numbers"),
        (step(type="condition", when={"field": "a", "exists": 1}), f"{HERE}.when.exists", "true or false"),
        (
            step(type="condition", when={"field": "a", "atLeast": "1"}),
            f"{HERE}.when.atLeast",
            "a number, not",
        ),
        (
            step(type="condition", when={"field": "a", "atLeast": float("inf")}),
            f"{HERE}.when.atLeast",
            "number",
        ),
        (step(type="condition", when="connected", then={}), f"{HERE}.then", "must be an array of steps"),
        (step(type="condition", when="connected", otherwise=[]), HERE, "unknown key 'otherwise'"),
    ],
)
def test_problems_name_the_place_and_what_was_expected(value: object, path: str, said: str) -> None:
    problems = problems_of(value)
    assert path in problems
    assert said in problems[path]


def test_all_problems_are_told_together() -> None:
    problems = problems_of(
        {
            "steps": [
                {"id": "a", "type": "message", "text": "{{x"},
                {
                    "id": "c",
                    "type": "condition",
                    "when": "connected",
                    "then": [{"id": "b", "type": "like_pst"}],
                },
                {"id": "a", "type": "connect", "note": "n" * 400, "after": {"days": "1"}},
            ]
        }
    )
    assert set(problems) == {
        "sequence.steps[0].text",
        "sequence.steps[1].then[0].type",
        "sequence.steps[2].id",
        "sequence.steps[2].note",
        "sequence.steps[2].after.days",
    }
    assert problems["sequence.steps[2].id"] == 'step "a": "id" is used twice, first at sequence.steps[0]'


def test_the_error_reads_as_its_first_problem() -> None:
    with pytest.raises(SequenceError) as caught:
        parse_sequence({"steps": [1, 2]}, "sequence")
    assert str(caught.value).startswith("sequence.steps[0]: a step must be an object")
    assert str(caught.value).endswith("(and 1 more)")


def nested(depth: int) -> list[dict[str, object]]:
    inner = nested(depth - 1) if depth else []
    return [{"type": "condition", "when": "connected", "within": {"days": 1}, "then": inner}]


def test_limits() -> None:
    parse_sequence({"steps": [{"type": "follow"}] * MAX_STEPS})
    assert "beyond 200 steps" in problems_of({"steps": [{"type": "follow"}] * 5_000})["sequence.steps"]
    assert "100,000 characters" in problems_of({"steps": [{"type": "message", "text": "x" * 7_000}] * 20})["sequence"]
    assert len(parse_sequence({"steps": nested(MAX_DEPTH - 1)}).steps) == MAX_DEPTH
    deep = "sequence.steps[0]" + ".then[0]" * MAX_DEPTH + ".then"
    assert "10 conditions deep" in problems_of({"steps": nested(MAX_DEPTH + 1)})[deep]
    years = [{"type": "follow", "after": {"days": 2000}}, {"type": "follow", "after": {"days": 2000}}]
    assert "ten years in all" in problems_of({"steps": years})["sequence"]
    branches = {
        "type": "condition",
        "when": "connected",
        "within": {"days": 1},
        "then": years[:1],
        "else": years[1:],
    }
    parse_sequence({"steps": [branches]})


def test_variants_of_an_email_share_its_subject_or_have_their_own() -> None:
    variants = [{"text": "A"}, {"text": "B", "subject": "Mine"}]
    email = parse_sequence(step(type="email", subject="Ours", variants=variants)).steps[0]
    assert [each.subject.source for each in email.variants if each.subject] == ["Ours", "Mine"]


def test_a_note_can_be_tried_against_none() -> None:
    connect = parse_sequence(step(type="connect", variants=[{"text": ""}, {"text": "Hi"}])).steps[0]
    assert connect.variants[0].text.render({}) == Rendered("")
    assert parse_sequence(step(type="connect", note="")).steps[0].variants == ()
    assert parse_sequence(step(type="connect")).steps[0].variant_for("lead") is None


def test_variants_go_by_weight_and_stay() -> None:
    weights = [1, 0, 3]
    message = parse_sequence(
        step(type="message", variants=[{"text": "x", "weight": weight} for weight in weights])
    ).steps[0]
    chosen = [message.variant_for(f"lead{number}") for number in range(4_000)]
    assert chosen == [message.variant_for(f"lead{number}") for number in range(4_000)]
    assert chosen.count(1) == 0
    assert 850 < chosen.count(0) < 1150


def test_every_type_is_known_by_its_word() -> None:
    assert {kind.value for kind in StepType if not kind.is_performed} == {"condition", "end"}
    assert len(StepType) == 11


@pytest.mark.parametrize(
    ("steps", "step_id", "said"),
    [
        ([{"type": "end"}, {"id": "x", "type": "follow"}], "x", "no lead ever gets here"),
        ([{"type": "connect"}, {"id": "x", "type": "connect"}], "x", "may be open already"),
        ([{"id": "x", "type": "withdraw_connection"}], "x", "nothing to withdraw"),
        ([{"type": "connect"}, {"id": "x", "type": "condition", "when": "connected"}], "x", '"within"'),
        (
            [
                {
                    "type": "condition",
                    "when": "connected",
                    "else": [{"id": "x", "type": "message", "text": "Hi"}],
                }
            ],
            "x",
            "not connected",
        ),
    ],
)
def test_doubts_are_warnings(steps: list[object], step_id: str, said: str) -> None:
    (warning,) = parse_sequence({"steps": steps}).warnings
    assert warning.message.startswith(f'step "{step_id}": ')
    assert said in warning.message


def test_who_is_invited_in_the_else_may_be_written_to_there() -> None:
    otherwise = [{"type": "connect"}, {"type": "message", "text": "Hi"}]
    steps = [{"type": "condition", "when": "connected", "else": otherwise}]
    assert parse_sequence({"steps": steps}).warnings == ()


def test_an_invitation_after_a_withdrawal_is_no_doubt() -> None:
    types = ["connect", "withdraw_connection", "connect"]
    assert parse_sequence({"steps": [{"type": each} for each in types]}).warnings == ()
