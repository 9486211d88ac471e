"""Templates of text, fields, fallbacks and choices alone, as most are: rendered without Liquid, which takes longer."""

from collections.abc import Iterable
from typing import cast

import msgspec
from liquid import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.arguments import PositionalArgument

from leadwright.templates.context import SENDER, field_name
from leadwright.templates.expressions import FieldOutputNode
from leadwright.templates.fields import Fields, look_up, text_of
from leadwright.templates.spintax import SpinNode, pick


class Field(msgspec.Struct, frozen=True):
    """``{{ name | default: "fallback" }}``; ``shown_as`` is the name with its ``sender.``."""

    name: str
    shown_as: str
    is_of_sender: bool
    fallback: str | None


class Choice(msgspec.Struct, frozen=True):
    """``{a|b}``, the ``number``-th of the template."""

    number: int
    options: tuple["Pieces", ...]


Pieces = tuple[str | Field | Choice, ...]


def pieces_of(nodes: Iterable[Node]) -> Pieces | None:
    """What such a template consists of; None for one that needs Liquid."""
    found = [_piece(node) for node in nodes]
    return None if None in found else cast(Pieces, tuple(found))


def _piece(node: Node) -> str | Field | Choice | None:
    if isinstance(node, ContentNode):
        return node.text
    if isinstance(node, SpinNode):
        options = [pieces_of(option.nodes) for option in node.options]
        return None if None in options else Choice(node.number, cast(tuple[Pieces, ...], tuple(options)))
    if isinstance(node, FieldOutputNode) and isinstance(node.expression, FilteredExpression):
        return _field(node.expression)
    return None


def _field(expression: FilteredExpression) -> Field | None:
    left, filters = expression.left, expression.filters or []
    if not isinstance(left, Path) or not all(isinstance(part, str) for part in left.path):
        return None
    fallback: str | None = None
    if filters:
        fallback = _fallback(expression)
        if fallback is None:
            return None
    name = field_name(cast(list[object], left.path))
    is_of_sender = left.path[0] == SENDER and len(left.path) > 1
    return Field(name.removeprefix(SENDER + ".") if is_of_sender else name, name, is_of_sender, fallback)


def _fallback(expression: FilteredExpression) -> str | None:
    """The text of ``default: "text"``, when that is the only filter."""
    (first, *others) = expression.filters or []
    if others or first.name != "default" or len(first.args) != 1 or not isinstance(first.args[0], PositionalArgument):
        return None
    value = first.args[0].value
    return value.value if isinstance(value, StringLiteral) else None


def text_from(pieces: Pieces, fields: Fields, sender: Fields, seed: int, missing: dict[str, None]) -> str:
    """The text; fields without value and fallback are added to ``missing``, as they are shown."""
    return "".join([_text(piece, fields, sender, seed, missing) for piece in pieces])


def _text(piece: str | Field | Choice, fields: Fields, sender: Fields, seed: int, missing: dict[str, None]) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Choice):
        chosen = piece.options[pick(seed, piece.number, len(piece.options))]
        return text_from(chosen, fields, sender, seed, missing)
    value = look_up(sender if piece.is_of_sender else fields, piece.name)
    if value is not None:
        return text_of(value)
    if piece.fallback is None:
        missing[piece.shown_as] = None
    return piece.fallback or ""
