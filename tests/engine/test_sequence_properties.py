"""Any sequence walks forward to its end; any other JSON is refused with reasons, and nothing else happens."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadwright.engine.sequence import Sequence, SequenceError, StepType, parse_sequence, position_after_edit

durations = st.fixed_dictionaries(
    {}, optional={"days": st.integers(0, 9), "hours": st.floats(0, 99), "seconds": st.integers(0, 10**6)}
)
texts = st.sampled_from(["Hi {{firstName}}", "{Hi|Hello} {{ Job Title | default: 'x' }}", "plain"])
variants = st.lists(
    st.fixed_dictionaries({"text": texts}, optional={"weight": st.integers(1, 9)}), min_size=1, max_size=3
)
worded = st.fixed_dictionaries({"text": texts}) | st.fixed_dictionaries({"variants": variants})
tests = st.sampled_from(
    [
        "connected",
        {"field": "score", "atLeast": 5},
        {"field": "a b", "in": ["x", 1, True]},
        {"field": "c", "exists": False},
    ]
)


def typed(kind: str, details: st.SearchStrategy[dict[str, Any]] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    optional = {"after": durations, "id": st.sampled_from("abcdefghijklmnop")}
    common = st.fixed_dictionaries({"type": st.just(kind)}, optional=optional)
    return st.tuples(common, st.just({}) if details is None else details).map(lambda parts: parts[0] | parts[1])


leaves = st.one_of(
    *(typed(kind) for kind in ("visit_profile", "follow", "like_post", "withdraw_connection", "end")),
    typed("connect", st.fixed_dictionaries({}, optional={"note": texts})),
    typed("message", worded),
    typed("email", worded.map(lambda parts: {"subject": "{{company}}", **parts})),
    typed("manual_task", st.just({"title": "Call"})),
    typed("webhook", st.just({"url": "https://example.com/hook"})),
)


def conditions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = {"within": durations, "then": st.lists(inner, max_size=3), "else": st.lists(inner, max_size=3)}
    return typed("condition", st.fixed_dictionaries({"when": tests}, optional=branches))


def without_repeated_ids(value: Any, seen: set[str]) -> Any:
    if isinstance(value, list):
        return [without_repeated_ids(item, seen) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_repeated_ids(item, seen) for key, item in value.items() if key != "id"}
    if "type" in value and value.get("id") and value["id"] not in seen:
        seen.add(value["id"])
        kept["id"] = value["id"]
    return kept


steps = st.lists(st.recursive(leaves, conditions, max_leaves=8), max_size=6)
sources = steps.map(lambda each: {"steps": without_repeated_ids(each, set())})
sequences = sources.map(parse_sequence)


@given(sources)
def test_a_sequence_survives_being_stored(source: dict[str, Any]) -> None:
    sequence = parse_sequence(source)
    stored = json.loads(json.dumps(sequence.to_json()))
    again = parse_sequence(stored)
    assert again == sequence
    assert again.to_json() == stored
    assert [step.path for step in again.steps] == [step.path for step in sequence.steps]


@given(sequences)
def test_every_step_is_placed_numbered_and_reached_or_reported(sequence: Sequence) -> None:
    assert [step.index for step in sequence.steps] == list(range(len(sequence.steps)))
    assert len({step.id for step in sequence.steps}) == len(sequence.steps)
    performed = [step.number for step in sequence.steps if step.type.is_performed]
    assert performed == list(range(1, len(performed) + 1))
    reached = {0}
    for step in sequence.steps:
        assert all(step.index < successor < len(sequence.steps) for successor in step.successors)
        assert step.type is not StepType.END or not step.successors
        assert (step.branch is None) == (step.type is not StepType.CONDITION)
        if step.index in reached:
            reached |= step.successors
    reported = {warning.path for warning in sequence.warnings if "no lead ever" in warning.message}
    assert reported == {step.path for step in sequence.steps if step.index not in reached}


@given(sequences)
def test_branches_meet_again_where_the_condition_says(sequence: Sequence) -> None:
    for condition in sequence.steps:
        if condition.branch is None:
            continue
        inside = [step for step in sequence.steps if condition.index in step.parents]
        within = {step.index for step in inside}
        leaving = {way for step in inside for way in step.successors if way not in within}
        assert leaving <= {condition.next}


@given(sequences, sequences)
def test_an_edit_always_leaves_a_place_to_go_on(old: Sequence, new: Sequence) -> None:
    for step in old.steps:
        goes_on = position_after_edit(old, step.id, new)
        assert goes_on is None or new.by_id(goes_on.id) is goes_on
        assert position_after_edit(old, step.id, old) is step
        if new.by_id(step.id):
            assert goes_on is new.by_id(step.id)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["id", "type", "after", "text", "then"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
types = st.sampled_from([kind.value for kind in StepType]) | anything
keys = [
    "id",
    "after",
    "note",
    "text",
    "variants",
    "subject",
    "title",
    "url",
    "when",
    "within",
    "then",
    "else",
]
near_misses = st.recursive(
    st.fixed_dictionaries({"type": types}, optional=dict.fromkeys(keys, anything)),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("condition")},
        optional={"when": tests | anything, "then": st.lists(inner | anything, max_size=3)},
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(anything | st.fixed_dictionaries({"steps": st.lists(near_misses | anything, max_size=4)}))
def test_any_json_is_a_sequence_or_refused_with_reasons(value: object) -> None:
    try:
        sequence = parse_sequence(value)
    except SequenceError as error:
        problems = error.problems
    else:
        assert parse_sequence(sequence.to_json()) == sequence
        return
    assert problems
    assert all(problem.path.startswith("sequence") and problem.message for problem in problems)
    "".join(str(problem) for problem in problems).encode("utf-8", "backslashreplace")
