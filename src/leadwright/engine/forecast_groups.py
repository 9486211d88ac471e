"""Leads that the rules cannot tell apart, and a sequence that asks of them only what sets them apart; pure.

A forecast of 100,000 leads must not render 100,000 texts. Whether a text can be rendered follows from the fields that
it needs, and a condition from its answer: so a group has a short sequence of its own, in which a text that can be
rendered is a dash and one that cannot has a hole. The rules that run on it are the real ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from leadwright.engine.model import Facts, Policy
from leadwright.engine.sequence import FieldTest, Operator, Step, StepType, Variant
from leadwright.engine.sequence import Sequence as Steps
from leadwright.templates import Scalar, Template, compile_template


@dataclass(frozen=True, slots=True)
class Group:
    """``lacking``: which of the fields that the sequence needs its leads lack; ``answers``: the indexes of the field
    conditions that hold for them. Without a ``sender_id`` they have not begun. ``held_by``: what only a person, or a
    deed that is under way, can end."""

    size: int
    lacking: frozenset[str] = frozenset()
    answers: frozenset[int] = frozenset()
    zone: str | None = None
    sender_id: str | None = None
    step_index: int | None = None
    since: datetime | None = None
    due_at: datetime | None = None
    invited_at: datetime | None = None
    connected_at: datetime | None = None
    held_by: str | None = None


def merged(groups: Iterable[Group]) -> list[Group]:
    """Groups that differ in their size alone are one, where the first of them stood."""
    sizes: dict[Group, int] = {}
    for group in groups:
        alike = replace(group, size=0)
        sizes[alike] = sizes.get(alike, 0) + group.size
    return [replace(group, size=size) for group, size in sizes.items()]


def needed_fields(step: Step) -> tuple[str, ...]:
    """The lead's fields without which the step cannot be performed: an e-mail needs its address."""
    address = ("email",) if step.type is StepType.EMAIL else ()
    return tuple(dict.fromkeys((*step.required_fields, *address)))


@dataclass(slots=True)
class Likenesses:
    """The short sequence of each kind of group, made once."""

    steps: Steps
    policy: Policy
    _made: dict[tuple[frozenset[str], frozenset[int]], tuple[Steps, dict[str, Scalar | None]]] = field(
        default_factory=dict[tuple[frozenset[str], frozenset[int]], tuple[Steps, dict[str, Scalar | None]]]
    )

    def of(self, group: Group) -> tuple[Steps, Facts]:
        key = (group.lacking, group.answers)
        if key not in self._made:
            steps = tuple(_likeness(step, group.lacking) for step in self.steps.steps)
            fields: dict[str, Scalar | None] = {_answer(index): True for index in group.answers}
            if "email" not in group.lacking:
                fields["email"] = "-"
            self._made[key] = Steps(steps), fields
        steps, fields = self._made[key]
        return steps, Facts(fields, {}, self.policy, connected_at=group.connected_at, invited_at=group.invited_at)


def _likeness(step: Step, lacking: frozenset[str]) -> Step:
    if step.branch is not None and step.branch.when is not None:
        asked = FieldTest(_answer(step.index), Operator.EXISTS, True)
        return replace(step, branch=replace(step.branch, when=asked))
    if not step.templates:
        return step
    lacked = [name for name in step.required_fields if name in lacking]
    text = "{{ lacked }}" if lacked else "-"
    of_sender = [name for template in step.templates for name in template.sender_required]
    text += "".join(f"{{{{ sender.{name} }}}}" for name in dict.fromkeys(of_sender))
    template = _template(text)
    return replace(step, title=None, variants=(Variant(template, subject=template),))


def _answer(index: int) -> str:
    return f"#{index}"


@cache
def _template(source: str) -> Template:
    return compile_template(source)


def tested_steps(steps: Steps) -> Sequence[Step]:
    """The conditions that compare a field."""
    return [step for step in steps.steps if step.branch is not None and step.branch.when is not None]
