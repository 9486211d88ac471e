"""Turns the tree of steps that was read into the flat list that leads walk through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from leadwright.durations import MAX_DURATION
from leadwright.engine.sequence.advice import warnings_of
from leadwright.engine.sequence.comparison import FieldTest
from leadwright.engine.sequence.model import Branch, Sequence, Step, StepType, Variant, copy_json
from leadwright.engine.sequence.problems import Problem, SequenceError
from leadwright.templates import Template


@dataclass
class Draft:
    """A step that was read without fault, not yet placed in the list."""

    type: StepType
    path: str
    id: str | None
    after: timedelta
    source: Mapping[str, object]
    variants: tuple[Variant, ...] = ()
    title: Template | None = None
    url: str | None = None
    when: FieldTest | None = None
    within: timedelta | None = None
    then: list["Draft"] = field(default_factory=list["Draft"])
    otherwise: list["Draft"] = field(default_factory=list["Draft"])
    index: int = -1
    number: int | None = None


def compile_drafts(drafts: list[Draft], path: str) -> Sequence:
    """Raises SequenceError when the whole could take longer than ten years."""
    ordered = _depth_first(drafts)
    _number(ordered)
    steps: list[Step] = []
    _place(drafts, None, (), steps)
    if _longest_way(steps) > MAX_DURATION:
        raise SequenceError([Problem(path, "takes more than ten years in all")])
    return Sequence(tuple(steps), warnings_of(steps), {"steps": [_written(draft) for draft in drafts]})


def _depth_first(drafts: list[Draft]) -> list[Draft]:
    return [each for draft in drafts for each in (draft, *_depth_first(draft.then), *_depth_first(draft.otherwise))]


def _number(ordered: list[Draft]) -> None:
    """Give each draft its index, its ``sequenceStep`` and, without an id, one: ``message``, ``message-2``, …

    Generated ids depend on nothing but the types and their order, so the same JSON always gets the same ids.
    """
    taken = {draft.id for draft in ordered}
    performed = 0
    for index, draft in enumerate(ordered):
        draft.index = index
        if draft.type.is_performed:
            performed += 1
            draft.number = performed
        if draft.id is None:
            draft.id = next(name for name in _names(draft.type) if name not in taken)
            taken.add(draft.id)


def _names(kind: StepType) -> list[str]:
    return [kind.value, *(f"{kind.value}-{count}" for count in range(2, 1_000))]


def _place(drafts: list[Draft], follows: int | None, parents: tuple[int, ...], steps: list[Step]) -> None:
    """Append the drafts and what is in them; ``follows`` is where a lead goes after the last of them."""
    indexes = [*(draft.index for draft in drafts[1:]), follows]
    for draft, following in zip(drafts, indexes, strict=False):
        steps.append(_step(draft, following, parents))
        inner = (*parents, draft.index)
        _place(draft.then, following, inner, steps)
        _place(draft.otherwise, following, inner, steps)


def _step(draft: Draft, following: int | None, parents: tuple[int, ...]) -> Step:
    branch = None
    if draft.type is StepType.CONDITION:
        then = draft.then[0].index if draft.then else following
        otherwise = draft.otherwise[0].index if draft.otherwise else following
        branch = Branch(draft.when, draft.within, then, otherwise)
    return Step(
        id=draft.id or "",
        type=draft.type,
        index=draft.index,
        number=draft.number,
        path=draft.path,
        parents=parents,
        after=draft.after,
        next=None if draft.type is StepType.END else following,
        variants=draft.variants,
        title=draft.title,
        url=draft.url,
        branch=branch,
    )


def _longest_way(steps: list[Step]) -> timedelta:
    longest: dict[int, timedelta] = {}
    for step in reversed(steps):
        within = (step.branch.within if step.branch else None) or timedelta()
        rest = max((longest[successor] for successor in step.successors), default=timedelta())
        longest[step.index] = step.after + within + rest
    return longest[0] if steps else timedelta()


def _written(draft: Draft) -> dict[str, object]:
    """The step as it was written, with its id and without nulls."""
    kept = {key: value for key, value in draft.source.items() if value is not None and key not in ("id", "type")}
    written = {"id": draft.id, "type": draft.type.value, **copy_json(kept)}
    if draft.type is StepType.CONDITION:
        inner = {"then": draft.then, "else": draft.otherwise}
        written |= {key: [_written(each) for each in inner[key]] for key in inner if key in kept}
    return written
