"""The question that a condition asks of a lead's field."""

from dataclasses import dataclass
from enum import StrEnum

from leadwright.templates import Fields, Scalar, look_up, text_of
from leadwright.templates.filters import to_number


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    CONTAINS = "contains"
    NOT_CONTAINS = "notContains"
    IN = "in"
    NOT_IN = "notIn"
    EXISTS = "exists"
    GREATER_THAN = "greaterThan"
    AT_LEAST = "atLeast"
    LESS_THAN = "lessThan"
    AT_MOST = "atMost"


NEGATED = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN: Operator.IN,
}
ORDERED = frozenset({Operator.GREATER_THAN, Operator.AT_LEAST, Operator.LESS_THAN, Operator.AT_MOST})


@dataclass(frozen=True, slots=True)
class FieldTest:
    """``{"field": "score", "atLeast": 80}``. ``operand`` is a list for ``in`` and ``notIn``, else one value.

    Texts are compared without case and outer white space. A text of digits beside a number is that number.
    A missing or blank field equals, contains and exceeds nothing, so only the ``not`` forms and ``exists:
    false`` hold for it.
    """

    field: str
    operator: Operator
    operand: Scalar | tuple[Scalar, ...]

    def holds(self, fields: Fields) -> bool:
        value = look_up(fields, self.field)
        if self.operator is Operator.EXISTS:
            return (value is not None) == self.operand
        plain = NEGATED.get(self.operator, self.operator)
        return (value is not None and self._compare(plain, value)) != (plain is not self.operator)

    def to_json(self) -> dict[str, object]:
        operand = list(self.operand) if isinstance(self.operand, tuple) else self.operand
        return {"field": self.field, self.operator.value: operand}

    def _compare(self, operator: Operator, value: Scalar) -> bool:
        if isinstance(self.operand, tuple):
            return any(_same(value, each) for each in self.operand)
        if operator is Operator.EQUALS:
            return _same(value, self.operand)
        if operator is Operator.CONTAINS:
            return _folded(self.operand) in _folded(value)
        return _ordered(operator, _number(value), _number(self.operand))


def _same(value: Scalar, other: Scalar) -> bool:
    mine, its = _number(value), _number(other)
    if mine is not None and its is not None and not (isinstance(value, str) and isinstance(other, str)):
        return mine == its
    return _folded(value) == _folded(other)


def _ordered(operator: Operator, value: float | None, bound: float | None) -> bool:
    if value is None or bound is None:
        return False
    match operator:
        case Operator.GREATER_THAN:
            return value > bound
        case Operator.AT_LEAST:
            return value >= bound
        case Operator.LESS_THAN:
            return value < bound
        case _:
            return value <= bound


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool):
        return None
    return to_number(value) if isinstance(value, str) else value


def _folded(value: Scalar) -> str:
    return text_of(value).strip().casefold()
