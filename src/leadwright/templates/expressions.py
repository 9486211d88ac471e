"""Expressions as people write them: field names with spaces, and comparisons of what a CSV file holds."""

import re
from collections.abc import Callable, Iterator
from typing import TextIO, cast

from liquid import Expression, RenderContext, Token, TokenStream
from liquid.builtin.expressions import Filter, FilteredExpression, Nil, Path, StringLiteral, tokenize
from liquid.builtin.expressions.logical import (
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty, FloatLiteral, IntegerLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_INTEGER, TOKEN_OUTPUT, TOKEN_PIPE, TOKEN_WORD

from leadwright.templates.context import LeadContext, field_name
from leadwright.templates.fields import is_blank, text_of
from leadwright.templates.filters import to_number
from leadwright.templates.missing import MissingField

_PLAIN_NAME = re.compile(r"""(?!["'])(?=.*\w)[^"\[\]{}|:=<>\x00-\x1f]+""")
"""A field name that needs no quotes in ``{{ … }}`` although Liquid cannot read it: ``R&D budget (€)``."""


class NameTokenStream(TokenStream):
    """Liquid's tokens, but a run of words is one name: ``Job Title == "CEO"`` has the field ``Job Title``."""

    def into_inner(self, *, tag: Token | None = None, eat: bool = True) -> TokenStream:  # noqa: ARG002
        token = self.expect(TOKEN_EXPRESSION)
        if eat:
            self.next()
        return TokenStream(_with_names(token))


def _with_names(expression: Token) -> Iterator[Token]:
    run: list[Token] = []
    for token in tokenize(expression.value, expression):
        if token.kind in (TOKEN_WORD, TOKEN_INTEGER):
            run.append(token)
            continue
        yield from _joined(run)
        run.clear()
        yield token
    yield from _joined(run)


def _joined(run: list[Token]) -> list[Token]:
    if len(run) < 2:
        return list(run)
    name = " ".join(token.value for token in run)
    return [Token(TOKEN_WORD, name, run[0].start_index, run[0].source)]


class FieldOutput(Output):
    """Reads ``{{ name | filter }}``."""

    def parse(self, stream: TokenStream) -> "FieldOutputNode":
        token = stream.eat(TOKEN_OUTPUT)
        source = stream.expect(TOKEN_EXPRESSION)
        try:
            expression = FilteredExpression.parse(self.env, TokenStream(_with_names(source)))
        except LiquidSyntaxError:
            name, bar, filters = source.value.partition("|")
            if not _PLAIN_NAME.fullmatch(name.strip()):
                raise
            rest = Token(TOKEN_EXPRESSION, bar + filters, source.start_index + len(name), source.source)
            expression = self._of_plain_name(Path(source, [name.strip()]), rest)
        return FieldOutputNode(token, _naming_a_field(cast(FilteredExpression, expression)))

    def _of_plain_name(self, name: Path, rest: Token) -> FilteredExpression:
        tokens = TokenStream(_with_names(rest))
        filters = Filter.parse(self.env, tokens, delim=(TOKEN_PIPE,))
        tokens.eat(TOKEN_EOF)
        return FilteredExpression(name.token, name, filters)


def _naming_a_field(expression: FilteredExpression) -> FilteredExpression:
    """``{{ empty }}`` prints the field of that name: Liquid's words for nothing serve conditions alone."""
    left = expression.left
    if isinstance(left, (Nil, Blank, Empty)):
        expression.left = Path(left.token, [left.token.value])
    return expression


class FieldOutputNode(OutputNode):
    """Prints a value, or reports the field that it would take."""

    __slots__ = ("shown_as",)

    def __init__(self, token: Token, expression: FilteredExpression) -> None:
        super().__init__(token, expression)
        left = expression.left
        self.shown_as = field_name(cast(list[object], left.path)) if isinstance(left, Path) else token.value

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        if isinstance(value, MissingField):
            cast(LeadContext, context).report(value, self.shown_as)
            return 0
        return buffer.write(text_of(value))


_Equality = EqExpression, NeExpression
_Order = LtExpression, GtExpression, LeExpression, GeExpression


def loosen_comparison(expression: Expression) -> None:
    """Change a comparison in place so that it reads data as people mean it.

    Beside a number literal, a text of digits is that number (a CSV file knows only texts), and any other text
    is neither more nor less. Beside ``nil``, ``blank``, ``empty`` and ``""``, a missing, null or blank value
    is equal.
    """
    if not isinstance(expression, (*_Equality, *_Order)):
        return
    equality = isinstance(expression, _Equality)
    sides = expression.left, expression.right
    if equality and any(map(_means_nothing, sides)):
        expression.left, expression.right = (_Converted(side, _blank_as_nil) for side in sides)
    elif any(map(_is_number, sides)):
        convert = _digits_as_number if equality else _number_or_nil
        expression.left, expression.right = (_Converted(side, convert) for side in sides)


def _is_number(expression: Expression) -> bool:
    return isinstance(expression, (IntegerLiteral, FloatLiteral))


def _means_nothing(expression: Expression) -> bool:
    if isinstance(expression, StringLiteral):
        return is_blank(expression.value)
    return isinstance(expression, (Nil, Blank, Empty))


def _digits_as_number(value: object) -> object:
    number = to_number(value) if isinstance(value, str) else None
    return value if number is None else number


def _number_or_nil(value: object) -> object:
    return to_number(value) if isinstance(value, str) else value


def _blank_as_nil(value: object) -> object:
    return None if is_blank(value) or isinstance(value, (MissingField, Blank, Empty)) else value


class _Converted(Expression):
    __slots__ = ("_convert", "inner")

    def __init__(self, inner: Expression, convert: Callable[[object], object]) -> None:
        super().__init__(inner.token)
        self.inner = inner
        self._convert = convert

    def evaluate(self, context: RenderContext) -> object:
        return self._convert(self.inner.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.inner]
