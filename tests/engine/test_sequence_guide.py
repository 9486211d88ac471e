"""The guide to sequences says what is so."""

import json
import re
from pathlib import Path

from leadwright.engine.sequence import MAX_STEPS, Operator, StepType, parse_sequence

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "sequences.md").read_text(encoding="utf-8")


def test_its_examples_are_valid() -> None:
    whole, comparison = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
    assert parse_sequence(whole).to_json() == whole
    assert not parse_sequence(whole).warnings
    assert len(parse_sequence({"steps": [{"type": "condition", "when": comparison}]}).steps) == 1


def test_it_names_every_type_and_comparison() -> None:
    for word in (*StepType, *Operator):
        assert f"`{word.value}`" in GUIDE
    assert f"{MAX_STEPS} steps" in GUIDE
