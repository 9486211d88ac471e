"""Templates compiled once and rendered for many leads: a text, or the names of the fields that it lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
from liquid import Node, Token
from liquid.exceptions import LiquidError, LiquidValueError, ResourceLimitError
from liquid.output import LimitedStringIO
from liquid.parser import get_parser
from liquid.token import TOKEN_OUTPUT, TOKEN_TAG

from leadwright.templates.analysis import Analysis, is_of_sender
from leadwright.templates.context import LeadContext
from leadwright.templates.environment import EMPTY_TEMPLATE, ENVIRONMENT, MAX_OUTPUT
from leadwright.templates.errors import RenderError, RenderLimitError, TemplateError, shorten
from leadwright.templates.expressions import NameTokenStream
from leadwright.templates.fields import Fields
from leadwright.templates.lexer import tokens_of
from leadwright.templates.plain import Pieces, pieces_of, text_from

MAX_SOURCE = 10_000
"""Characters a template may have."""
_MOST_BYTES = 4
"""Of a character in UTF-8."""


class Rendered(msgspec.Struct, frozen=True):
    """The finished text. It can be empty when the template says so, with a condition or ``default: ""``."""

    text: str


class Missing(msgspec.Struct, frozen=True):
    """No text: these fields have no value and no fallback. Named as the template writes them, once each."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read without fault. Two of the same source are equal; threads may share one.

    ``variables`` are the lead's fields in order of use, ``required`` those that some text prints without a
    fallback, outside of conditions and loops. The ``sender_`` ones are the same for
    ``{{ sender.firstName }}``, without the ``sender.``.
    """

    source: str
    variables: tuple[str, ...] = field(compare=False)
    required: tuple[str, ...] = field(compare=False)
    sender_variables: tuple[str, ...] = field(compare=False)
    sender_required: tuple[str, ...] = field(compare=False)
    _nodes: tuple[Node, ...] = field(compare=False, repr=False)
    _pieces: Pieces | None = field(compare=False, repr=False)

    def render(self, fields: Fields, sender: Fields | None = None, seed: int = 0) -> Rendered | Missing:
        """The text for one lead. Null and blank values count as missing; the seed fixes every ``{a|b}``.

        Raises RenderError when a value does not fit (a filter wants a number), RenderLimitError at a limit.
        """
        return self._render_plainly(fields, sender or {}, seed) or self.render_by_liquid(fields, sender, seed)

    def _render_plainly(self, fields: Fields, sender: Fields, seed: int) -> Rendered | Missing | None:
        """None for what Liquid must render, or refuse."""
        if self._pieces is None:
            return None
        missing: dict[str, None] = {}
        try:
            text = text_from(self._pieces, fields, sender, seed, missing)
        except ValueError:  # a number of thousands of digits
            return None
        if len(text) > MAX_OUTPUT // _MOST_BYTES:
            return None
        return Missing(tuple(missing)) if missing else Rendered(text)

    def render_by_liquid(self, fields: Fields, sender: Fields | None = None, seed: int = 0) -> Rendered | Missing:
        """As ``render``, whatever the template consists of."""
        context = LeadContext(EMPTY_TEMPLATE, fields, sender, seed)
        buffer = LimitedStringIO(MAX_OUTPUT, "", "\n")
        try:
            for node in self._nodes:
                node.render(context, buffer)
        except RenderError:
            raise
        except LiquidError as error:
            raise _render_error(error) from None
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise RenderError(f"the template cannot be rendered: {error}") from error
        if context.missing:
            return Missing(tuple(context.missing))
        return Rendered(buffer.getvalue())


@lru_cache(maxsize=512)
def compile_template(source: str) -> Template:
    """Read a template; recent ones are kept. Raises TemplateError, which says what is wrong and where."""
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"the template has {len(source)} characters, at most {MAX_SOURCE} are allowed")
    nodes = _parse(source)
    analysis = Analysis(nodes)
    sender = len("sender.")
    return Template(
        source,
        variables=tuple(name for name in analysis.used if not is_of_sender(name)),
        required=tuple(name for name in analysis.needed if not is_of_sender(name)),
        sender_variables=tuple(name[sender:] for name in analysis.used if is_of_sender(name)),
        sender_required=tuple(name[sender:] for name in analysis.needed if is_of_sender(name)),
        _nodes=tuple(nodes),
        _pieces=pieces_of(nodes),
    )


def _parse(source: str) -> Sequence[Node]:
    tokens = tokens_of(source)
    stream = NameTokenStream(iter(tokens))
    try:
        return get_parser(ENVIRONMENT).parse(stream)
    except LiquidError as error:
        at = error.token.start_index if error.token is not None else -1
        reached = at if at >= 0 else tokens[min(stream.pos, len(tokens) - 1)].start_index
        raise _syntax_error(str(error.message), source, tokens, reached) from None
    except RecursionError:
        raise TemplateError("an expression of the template is nested too deeply") from None


def _syntax_error(message: str, source: str, tokens: Sequence[Token], reached: int) -> TemplateError:
    """Liquid's complaint about one expression, with the expression and what is wrong most often."""
    piece = [token for token in tokens if token.kind in (TOKEN_OUTPUT, TOKEN_TAG) and token.start_index <= reached]
    at = piece[-1].start_index if piece else reached
    end = source.find("}}" if source.startswith("{{", at) else "%}", at)
    hint = ""
    if piece and piece[-1].kind == TOKEN_OUTPUT:
        hint = '; a filter follows a | and has a colon before its value, as in {{ name | default: "there" }}'
    return TemplateError(f"{shorten(source[at : end + 2])} cannot be read: {message}{hint}", source, at)


def _render_error(error: LiquidError) -> RenderError:
    kind = RenderLimitError if isinstance(error, (ResourceLimitError, LiquidValueError)) else RenderError
    return kind(f"the template cannot be rendered: {shorten(str(error.message), 200)}")
