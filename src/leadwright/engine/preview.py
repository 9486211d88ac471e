"""A sequence as one lead would get it: every wording rendered, with what it lacks and what is too long; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import Step, StepType, Variant, too_long
from leadwright.templates import Fields, Missing, RenderError, Template, look_up


@dataclass(frozen=True, slots=True)
class Wording:
    """One variant for the lead. ``is_given``: the one that it gets. A text is None where a field is missing, or where
    it comes out blank. ``problems``: why it cannot go out as it is, beside what is missing."""

    index: int
    is_given: bool
    weight: float
    text: str | None
    subject: str | None
    missing: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """``wordings`` is empty for a step without texts, ``title`` is a task's."""

    step: Step
    wordings: tuple[Wording, ...]
    title: str | None
    missing: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def can_be_performed(self) -> bool:
        return not self.missing and not self.problems


def preview(steps: Steps, lead_id: str, fields: Fields, sender: Fields) -> list[PreviewedStep]:
    """Every step, whether the lead would come to it or not. ``lead_id`` fixes variants and ``{a|b}``."""
    return [_Previewing(step, lead_id, fields, sender).step() for step in steps.steps]


class _Previewing:
    def __init__(self, step: Step, lead_id: str, fields: Fields, sender: Fields) -> None:
        self._step = step
        self._fields = fields
        self._sender = sender
        self._seed = step.spin_seed(lead_id)
        self._given = step.variant_for(lead_id)

    def step(self) -> PreviewedStep:
        wordings = [self._wording(at, variant) for at, variant in enumerate(self._step.variants)]
        title, missing, problems = self._rendered([self._step.title])
        problems = (*problems, *self._too_long("title", title[0]))
        if self._step.type is StepType.EMAIL and look_up(self._fields, "email") is None:
            missing = (*missing, "email")
        given = wordings[self._given] if self._given is not None else None
        return PreviewedStep(
            self._step,
            tuple(wordings),
            title[0],
            tuple(dict.fromkeys((*missing, *(given.missing if given else ())))),
            (*problems, *(given.problems if given else ())),
        )

    def _wording(self, at: int, variant: Variant) -> Wording:
        (text, subject), missing, problems = self._rendered([variant.text, variant.subject])
        if text is None and not missing and not problems and self._step.type in (StepType.MESSAGE, StepType.EMAIL):
            problems = ("the text comes out blank",)
        problems = (*problems, *self._too_long("text", text), *self._too_long("subject", subject))
        return Wording(at, at == self._given, variant.weight, text, subject, missing, problems)

    def _too_long(self, part: str, text: str | None) -> tuple[str, ...]:
        problem = None if text is None else too_long(self._step.type, part, text)
        return () if problem is None else (problem,)

    def _rendered(
        self, templates: Sequence[Template | None]
    ) -> tuple[list[str | None], tuple[str, ...], tuple[str, ...]]:
        """The texts, what they lack, and what is wrong with a value."""
        texts: list[str | None] = []
        missing: dict[str, None] = {}
        problems: list[str] = []
        for template in templates:
            texts.append(None)
            if template is None:
                continue
            try:
                result = template.render(self._fields, self._sender, self._seed)
            except RenderError as error:
                problems.append(str(error))
                continue
            if isinstance(result, Missing):
                missing.update(dict.fromkeys(result.fields))
            else:
                texts[-1] = result.text if result.text.strip() else None
        return texts, tuple(missing), tuple(problems)
