"""Whether the texts of a step can be rendered for anybody; pure."""

from collections.abc import Iterator
from functools import lru_cache

from leadwright.engine.sequence import Step
from leadwright.templates import RenderError, Template

_SAMPLES = ("x", 7)
"""What stands in every field while a template is tried: a word, then a number."""


def faults(step: Step) -> tuple[str | None, list[str]]:
    """What holds every lead at the step, None where nothing does; and what holds those who get some wording of it."""
    of_title = None if step.title is None else _fault(step.title)
    of_variants = [_fault_of(variant.text, variant.subject) for variant in step.variants]
    failing = [fault for fault in of_variants if fault is not None]
    if of_title is not None or (failing and len(failing) == len(of_variants)):
        return of_title or failing[0], []
    return None, failing


def _fault_of(*templates: Template | None) -> str | None:
    return next(_of_each(*templates), None)


def _of_each(*templates: Template | None) -> Iterator[str]:
    for template in templates:
        if template is not None and (fault := _fault(template)) is not None:
            yield fault


@lru_cache(maxsize=512)
def _fault(template: Template) -> str | None:
    """Why it cannot be rendered, whatever its fields hold; None when one of the samples is rendered."""
    fault = None
    for sample in _SAMPLES:
        fields = dict.fromkeys(template.variables, sample)
        try:
            template.render(fields, dict.fromkeys(template.sender_variables, sample))
        except RenderError as error:
            fault = fault or str(error)
        else:
            return None
    return fault
