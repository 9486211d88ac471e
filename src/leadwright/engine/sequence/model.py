"""A compiled sequence: a flat list of steps, each knowing which one follows. Nothing in it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import cast

from leadwright.engine.sequence.comparison import FieldTest
from leadwright.engine.sequence.problems import Problem
from leadwright.templates import Template, seed_of


class StepType(StrEnum):
    VISIT_PROFILE = "visit_profile"
    FOLLOW = "follow"
    LIKE_POST = "like_post"
    CONNECT = "connect"
    MESSAGE = "message"
    EMAIL = "email"
    WITHDRAW_CONNECTION = "withdraw_connection"
    MANUAL_TASK = "manual_task"
    WEBHOOK = "webhook"
    CONDITION = "condition"
    END = "end"

    @property
    def is_performed(self) -> bool:
        """Whether a lead does something at such a step; only these count in ``sequenceStep``."""
        return self not in (StepType.CONDITION, StepType.END)


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a step. ``weight`` is its share beside the others'; with 0 nobody gets it."""

    text: Template
    weight: float = 1.0
    subject: Template | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a condition leads. ``when`` is None for "connected to the lead's sender".

    ``within`` is how long the condition may stay unanswered, from the moment that the lead reached it;
    without it the answer is the one at that moment. ``then`` and ``otherwise`` are steps' indexes, None
    where the way ends.
    """

    when: FieldTest | None
    within: timedelta | None
    then: int | None
    otherwise: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``index`` is its place in ``Sequence.steps``, depth first: a successor is always later.

    ``number`` is the contract's ``sequenceStep``, from 1, None for a condition and an end. ``after`` counts
    from the end of the step before. ``next`` is the step that follows, None when the sequence is over; for
    a condition it is where its branches meet again. ``parents`` are the indexes of the conditions around
    it, outermost first. ``variants`` are the wordings of a connect, message, email or manual task: one for
    a plain text, none for a connect without a note and for all other types.
    """

    id: str
    type: StepType
    index: int
    number: int | None
    path: str
    parents: tuple[int, ...]
    after: timedelta
    next: int | None
    variants: tuple[Variant, ...] = ()
    title: Template | None = None
    url: str | None = None
    branch: Branch | None = None

    @property
    def successors(self) -> frozenset[int]:
        """The indexes that a lead can go to from here; empty where the sequence ends."""
        ways = (self.next,) if self.branch is None else (self.branch.then, self.branch.otherwise)
        return frozenset(way for way in ways if way is not None)

    @property
    def templates(self) -> tuple[Template, ...]:
        subjects = (variant.subject for variant in self.variants)
        found = (self.title, *subjects, *(variant.text for variant in self.variants))
        return tuple(dict.fromkeys(template for template in found if template is not None))

    @property
    def fields(self) -> tuple[str, ...]:
        """The lead's fields that the step's texts, or its condition, look at: in order, each once."""
        names = [name for template in self.templates for name in template.variables]
        if self.branch and self.branch.when:
            names.append(self.branch.when.field)
        return tuple(dict.fromkeys(names))

    @property
    def required_fields(self) -> tuple[str, ...]:
        """Those that some wording prints without a fallback: a lead that lacks one may be held here."""
        return tuple(dict.fromkeys(name for template in self.templates for name in template.required))

    def spin_seed(self, lead_id: str) -> int:
        """The seed to render this step's templates with, so that a lead's ``{a|b}`` stay what they were."""
        return seed_of(lead_id, self.id)

    def variant_for(self, lead_id: str) -> int | None:
        """Which wording a lead gets, by weight: fixed while weights and id stay. None when there is none."""
        if not self.variants:
            return None
        total = sum(variant.weight for variant in self.variants)
        point = seed_of(lead_id, self.id, "variant") / 2**64 * total
        for index, variant in enumerate(self.variants):
            point -= variant.weight
            if point < 0:
                return index
        return max(index for index, variant in enumerate(self.variants) if variant.weight)


@dataclass(frozen=True)
class Sequence:
    """All steps, depth first: a condition, its ``then``, its ``else``, what follows it.

    ``warnings`` are doubts that do not keep the sequence from being stored. Two sequences are equal when
    their steps are.
    """

    steps: tuple[Step, ...] = ()
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    source: Mapping[str, object] = field(default_factory=lambda: {"steps": []}, compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        return not self.steps

    @property
    def start(self) -> Step | None:
        return self.steps[0] if self.steps else None

    @cached_property
    def _by_id(self) -> dict[str, Step]:
        return {step.id: step for step in self.steps}

    def by_id(self, step_id: str) -> Step | None:
        return self._by_id.get(step_id)

    def fields(self) -> dict[str, tuple[str, ...]]:
        """Step id to the fields that the step looks at, for the steps that look at any."""
        return {step.id: step.fields for step in self.steps if step.fields}

    @property
    def required_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for step in self.steps for name in step.required_fields))

    def to_json(self) -> dict[str, object]:
        """The sequence as it was written, every step with its id. Parsing it gives an equal sequence."""
        return copy_json(self.source)


def copy_json(value: Mapping[str, object]) -> dict[str, object]:
    """A deep copy of a JSON object, so that no caller can change a compiled sequence."""
    return {key: _copied(item) for key, item in value.items()}


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return copy_json(cast(dict[str, object], value))
    return [_copied(item) for item in cast(list[object], value)] if isinstance(value, list) else value
