"""Reads the JSON of a sequence, step by step, and names everything that is wrong with it."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from leadwright.durations import name_of_type
from leadwright.engine.sequence.comparison import ORDERED, FieldTest, Operator
from leadwright.engine.sequence.flatten import Draft, compile_drafts
from leadwright.engine.sequence.length import MAX_LINE, MAX_NOTE, MAX_TEXT
from leadwright.engine.sequence.model import Sequence, StepType, Variant
from leadwright.engine.sequence.problems import Problem, SequenceError, nearest
from leadwright.engine.sequence.reader import ObjectReader, is_scalar
from leadwright.templates import Scalar

MAX_STEPS = 200
MAX_DEPTH = 10
"""Conditions within conditions."""

MAX_VARIANTS = 20
MAX_LIST = 100
"""Values of an ``in`` or ``notIn``."""

MAX_WEIGHT = 1_000_000
MAX_CHARACTERS = 100_000
"""Of all texts together: reading templates takes 2 µs a character, while every other request waits."""

MAX_FIELDS = 200
"""Different fields that all texts together print."""

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_COMMON_KEYS = ("id", "type", "after")
_KEYS = {
    StepType.CONNECT: ("note", "variants"),
    StepType.MESSAGE: ("text", "variants"),
    StepType.EMAIL: ("subject", "text", "variants"),
    StepType.MANUAL_TASK: ("title", "text"),
    StepType.WEBHOOK: ("url",),
    StepType.CONDITION: ("when", "within", "then", "else"),
}
_DELAYS = ("wait", "delay", "sleep", "pause")


def parse_sequence(value: object, path: str = "sequence") -> Sequence:
    """Compile ``{"steps": […]}``; null and no steps give the empty sequence.

    Raises SequenceError with all problems, whatever JSON ``value`` is. ``path`` is what the caller knows it
    as.
    """
    if value is None:
        return Sequence()
    if _characters(value) > MAX_CHARACTERS:
        raise SequenceError(
            [Problem(path, f"must have at most {MAX_CHARACTERS:,} characters of text in all its steps")]
        )
    reading = _Reading()
    drafts = reading.top(value, path)
    if reading.problems:
        raise SequenceError(reading.problems)
    sequence = compile_drafts(drafts, path)
    if len(sequence.required_fields) > MAX_FIELDS:
        raise SequenceError([Problem(path, f"must print at most {MAX_FIELDS} different fields")])
    return sequence


def _characters(value: object) -> int:
    """How much text a JSON value holds, names included; without recursion, since nesting is checked later."""
    found, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            found += len(item)
        elif isinstance(item, dict):
            waiting += [part for pair in cast(dict[str, object], item).items() for part in pair]
        elif isinstance(item, list):
            waiting += cast(list[object], item)
    return found


@dataclass
class _Reading:
    """What has been read so far: the faults, the number of steps and the ids in use."""

    problems: list[Problem] = field(default_factory=list[Problem])
    count: int = 0
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def top(self, value: object, path: str) -> list[Draft]:
        if not isinstance(value, dict):
            self.problems.append(Problem(path, f'must be {{"steps": […]}}, not {name_of_type(value)}'))
            return []
        reader = ObjectReader(cast(dict[str, object], value), path, "the sequence", self.problems)
        reader.refuse_unknown(("steps",))
        if not reader.has("steps"):
            reader.fault("steps", "is missing, it must be an array of steps")
            return []
        return self.steps(reader, "steps", depth=0)

    def steps(self, owner: ObjectReader, key: str, depth: int) -> list[Draft]:
        value = owner.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            owner.fault(key, f"must be an array of steps, not {name_of_type(value)}")
            return []
        if depth > MAX_DEPTH:
            owner.fault(key, f"stands more than {MAX_DEPTH} conditions deep")
            return []
        drafts: list[Draft] = []
        for position, item in enumerate(cast(list[object], value)):
            self.count += 1
            if self.count > MAX_STEPS:
                if self.count == MAX_STEPS + 1:
                    owner.fault(key, f"brings the sequence beyond {MAX_STEPS} steps")
                break
            drafts += self.step(item, f"{owner.path}.{key}[{position}]", depth)
        return drafts

    def step(self, value: object, path: str, depth: int) -> list[Draft]:
        """One step, or none when it has no readable type."""
        if not isinstance(value, dict):
            message = f"a step must be an object with a type, not {name_of_type(value)}"
            self.problems.append(Problem(path, message))
            return []
        reader = ObjectReader(cast(dict[str, object], value), path, f"the step at {path}", self.problems)
        step_id = self._id(reader)
        kind = _type(reader)
        if kind is None:
            return []
        if step_id is None:
            reader.subject = f"the {kind} step at {path}"
        reader.refuse_unknown((*_COMMON_KEYS, *_KEYS.get(kind, ())))
        draft = Draft(kind, path, step_id, reader.duration("after") or timedelta(), reader.value)
        self._details(reader, draft, depth)
        return [draft]

    def _id(self, reader: ObjectReader) -> str | None:
        value = reader.value.get("id")
        if value is None:
            return None
        if not isinstance(value, str) or not _ID.fullmatch(value):
            reader.fault("id", "must be a string of 1 to 64 letters, digits and . _ : -")
            return None
        reader.subject = f'step "{value}"'
        if value in self.ids:
            reader.fault("id", f"is used twice, first at {self.ids[value]}")
        else:
            self.ids[value] = reader.path
        return value

    def _details(self, reader: ObjectReader, draft: Draft, depth: int) -> None:
        match draft.type:
            case StepType.CONNECT:
                draft.variants = _note(reader) or _variants(reader, StepType.CONNECT)
                _only_one(reader, "note", "variants", required=False)
            case StepType.MESSAGE | StepType.EMAIL:
                draft.variants = _wordings(reader, draft.type)
            case StepType.MANUAL_TASK:
                _task(reader, draft)
            case StepType.WEBHOOK:
                draft.url = reader.url("url")
            case StepType.CONDITION:
                draft.when = _when(reader)
                draft.within = reader.duration("within")
                draft.then = self.steps(reader, "then", depth + 1)
                draft.otherwise = self.steps(reader, "else", depth + 1)
            case _:
                pass


def _type(reader: ObjectReader) -> StepType | None:
    value = reader.value.get("type")
    if isinstance(value, str) and value in _TYPES:
        return StepType(value)
    if value is None:
        reader.fault("type", f"is missing, {nearest('', _TYPES)}")
    elif isinstance(value, str) and value.casefold() in _DELAYS:
        reader.fault("type", f'{value!r} is not a step: write the delay as "after" of the step that waits')
    elif isinstance(value, str):
        reader.fault("type", f"{value[:40]!r} is unknown, {nearest(value, _TYPES)}")
    else:
        reader.fault("type", f"must be a string, not {name_of_type(value)}")
    return None


_TYPES = frozenset(kind.value for kind in StepType)


def _only_one(reader: ObjectReader, first: str, second: str, *, required: bool) -> None:
    given = [key for key in (first, second) if reader.has(key)]
    if len(given) == 2:
        reader.fault(None, f'has both "{first}" and "{second}", one is enough')
    elif required and not given:
        reader.fault(first, f'is missing, it must be a text (or give "{second}")')


def _note(reader: ObjectReader) -> tuple[Variant, ...]:
    """The note of a connect step; a blank one is none."""
    note = reader.template("note", MAX_TEXT, required=False, blank=True)
    if note is None or not note.source.strip():
        return ()
    _check_note(reader, "note", note.source)
    return (Variant(note),)


def _check_note(reader: ObjectReader, key: str, note: str) -> None:
    if "{" not in note and len(note) > MAX_NOTE:
        reader.fault(key, f"must have at most {MAX_NOTE} characters, it has {len(note)}")


def _wordings(reader: ObjectReader, kind: StepType) -> tuple[Variant, ...]:
    """The texts of a message or an e-mail: one, or its variants, each with the subject it goes out under."""
    _only_one(reader, "text", "variants", required=True)
    subject = None
    if kind is StepType.EMAIL:
        subject = reader.template("subject", MAX_LINE, required=not reader.has("variants"))
    if reader.has("variants"):
        variants = _variants(reader, kind)
        if kind is StepType.EMAIL and subject is None and any(each.subject is None for each in variants):
            reader.fault("subject", "is missing, and not every variant has one")
        return tuple(Variant(each.text, each.weight, each.subject or subject) for each in variants)
    text = reader.template("text", MAX_TEXT, required=False)
    return (Variant(text, subject=subject),) if text else ()


def _variants(reader: ObjectReader, kind: StepType) -> tuple[Variant, ...]:
    if not reader.has("variants"):
        return ()
    items = reader.value["variants"]
    if not isinstance(items, list) or not 1 <= len(cast(list[object], items)) <= MAX_VARIANTS:
        reader.fault("variants", f'must be an array of 1 to {MAX_VARIANTS} objects {{"text", "weight"}}')
        return ()
    read = [_variant(reader, kind, at, item) for at, item in enumerate(cast(list[object], items))]
    variants = tuple(variant for variant in read if variant is not None)
    if len(variants) == len(read) and not any(variant.weight for variant in variants):
        reader.fault("variants", "must have at least one weight above 0")
    return variants


def _variant(step: ObjectReader, kind: StepType, at: int, item: object) -> Variant | None:
    path = f"variants[{at}]"
    if not isinstance(item, dict):
        step.fault(path, f'must be an object {{"text", "weight"}}, not {name_of_type(item)}')
        return None
    reader = ObjectReader(
        cast(dict[str, object], item),
        f"{step.path}.{path}",
        f"{step.subject}, variant {at + 1}",
        step.problems,
    )
    is_email = kind is StepType.EMAIL
    reader.refuse_unknown(("text", "weight", "subject") if is_email else ("text", "weight"))
    text = reader.template("text", MAX_TEXT, blank=kind is StepType.CONNECT)
    subject = reader.template("subject", MAX_LINE, required=False) if is_email else None
    weight = reader.number("weight", 1.0, MAX_WEIGHT)
    if text is not None and kind is StepType.CONNECT:
        _check_note(reader, "text", text.source)
    return Variant(text, weight, subject) if text is not None else None


def _task(reader: ObjectReader, draft: Draft) -> None:
    if not (reader.has("title") or reader.has("text")):
        reader.fault("title", 'is missing, a task needs a "title" or a "text"')
    draft.title = reader.template("title", MAX_LINE, required=False)
    text = reader.template("text", MAX_TEXT, required=False)
    draft.variants = (Variant(text),) if text else ()


def _when(reader: ObjectReader) -> FieldTest | None:
    """The question of a condition. None stands for "connected", and for a fault that was noted."""
    value = reader.value.get("when")
    if value == "connected":
        return None
    if not isinstance(value, dict):
        expected = 'must be "connected" or a comparison such as {"field": "score", "atLeast": 80}'
        reader.fault("when", f"is missing, it {expected}" if value is None else expected)
        return None
    asked = ObjectReader(cast(dict[str, object], value), f"{reader.path}.when", reader.subject, reader.problems)
    asked.refuse_unknown(("field", *_OPERATORS))
    name = asked.text("field", MAX_LINE)
    given = [operator for operator in Operator if asked.has(operator)]
    if len(given) != 1:
        asked.fault(None, f'"when" needs exactly one comparison out of {", ".join(_OPERATORS)}')
        return None
    operand = _operand(asked, given[0])
    return FieldTest(name, given[0], operand) if name is not None and operand is not None else None


_OPERATORS = tuple(operator.value for operator in Operator)


def _operand(reader: ObjectReader, operator: Operator) -> Scalar | tuple[Scalar, ...] | None:
    value = reader.value[operator]
    if operator in (Operator.IN, Operator.NOT_IN):
        if isinstance(value, list):
            items = cast(list[object], value)
            if 1 <= len(items) <= MAX_LIST and all(map(is_scalar, items)):
                return tuple(cast(list[Scalar], items))
        reader.fault(operator, f"must be an array of 1 to {MAX_LIST} strings, numbers or booleans")
    elif operator is Operator.EXISTS and not isinstance(value, bool):
        reader.fault(operator, f"must be true or false, not {name_of_type(value)}")
    elif operator in ORDERED and (isinstance(value, bool) or not isinstance(value, int | float)):
        reader.fault(operator, f"must be a number, not {name_of_type(value)}")
    elif not is_scalar(value):
        reader.fault(operator, f"must be a string, number or boolean, not {name_of_type(value)}")
    else:
        return cast(Scalar, value)
    return None
