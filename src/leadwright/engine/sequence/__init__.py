"""Sequences: what is done to each lead, in which order, after which delays. Parsed and compiled. Pure."""

from leadwright.engine.sequence.comparison import FieldTest, Operator
from leadwright.engine.sequence.edit import changed_steps, position_after_edit
from leadwright.engine.sequence.length import MAX_NOTE, MAX_TEXT, too_long
from leadwright.engine.sequence.model import Branch, Sequence, Step, StepType, Variant
from leadwright.engine.sequence.parse import (
    MAX_DEPTH,
    MAX_STEPS,
    MAX_VARIANTS,
    parse_sequence,
)
from leadwright.engine.sequence.problems import Problem, SequenceError

__all__ = [
    "MAX_DEPTH",
    "MAX_NOTE",
    "MAX_STEPS",
    "MAX_TEXT",
    "MAX_VARIANTS",
    "Branch",
    "FieldTest",
    "Operator",
    "Problem",
    "Sequence",
    "SequenceError",
    "Step",
    "StepType",
    "Variant",
    "changed_steps",
    "parse_sequence",
    "position_after_edit",
    "too_long",
]
