"""Where leads go on when the sequence under them is edited."""

import pytest

from leadwright.engine.sequence import Sequence, parse_sequence, position_after_edit


def sequence(*names: object) -> Sequence:
    """Steps by name; ``("c", […], […])`` is a condition with its two branches."""

    def build(name: object) -> dict[str, object]:
        if isinstance(name, str):
            return {"id": name, "type": "end" if name == "end" else "follow"}
        key, then, otherwise = name  # type: ignore[misc]
        branches = {"then": [build(each) for each in then], "else": [build(each) for each in otherwise]}
        return {"id": key, "type": "condition", "when": "connected", **branches}

    return parse_sequence({"steps": [build(name) for name in names]})


TREE = sequence("a", ("c", ["t1", "t2"], ["e1", "e2"]), "z")


@pytest.mark.parametrize(
    ("old", "at", "new", "goes_to"),
    [
        (sequence("a", "b", "c"), "b", sequence("c", "b", "a"), "b"),
        (sequence("a", "b", "c"), "b", sequence("a", "c"), "c"),
        (sequence("a", "b", "c"), "b", sequence("a", "new", "c"), "c"),
        (sequence("a", "b", "c", "d"), "b", sequence("a", "d"), "d"),
        (sequence("a", "b"), "b", sequence("a"), None),
        (sequence("a", "b"), "a", sequence(), None),
        (TREE, "t1", sequence("a", ("c", ["t2"], []), "z"), "t2"),
        (TREE, "t2", sequence("a", ("c", ["t1"], ["e1"]), "z"), "z"),
        (TREE, "e1", sequence("a", "z"), "z"),
        (TREE, "c", sequence("a", "t1", "t2", "z"), "t1"),
        (TREE, "c", sequence("a", "e1", "z"), "e1"),
        (TREE, "c", sequence("a", "z"), "z"),
        (TREE, "c", sequence("a", ("c2", ["t1"], ["e1"]), "z"), "c2"),
        (TREE, "t1", sequence("a", ("c", [("inner", ["t2"], [])], []), "z"), "inner"),
        (TREE, "a", sequence(("c", ["t1"], []), "z"), "c"),
        (sequence("a", "end", "b"), "end", sequence("a", "b"), None),
    ],
)
def test_position_after_edit(old: Sequence, at: str, new: Sequence, goes_to: str | None) -> None:
    step = position_after_edit(old, at, new)
    assert (step.id if step else None) == goes_to
    assert step is None or step is new.by_id(step.id)


def test_a_step_that_never_was_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        position_after_edit(sequence("a"), "b", sequence("c"))
