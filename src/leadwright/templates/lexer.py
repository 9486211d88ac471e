"""Cuts a template into Liquid's tokens, and checks that everything opened is closed.

A lexer of our own, because spintax shares its braces with Liquid (``{{{firstName}}|there}`` is a choice that
begins with a field), and because faults can then be told in plain words, with the place where a block opened.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from leadwright.templates.errors import TemplateError, shorten
from leadwright.templates.spintax import CLOSE, OPEN

MAX_DEPTH = 20
"""How deep conditions, loops and choices may stand in each other."""

MAX_EXPRESSION = 1_000
"""Characters between ``{{`` and ``}}``. Liquid reads and evaluates long conditions by recursion."""

BLOCKS = frozenset({"if", "unless", "case", "for", "capture"})
_BRANCHES = {
    "else": frozenset({"if", "unless", "case", "for"}),
    "elsif": frozenset({"if", "unless"}),
    "when": frozenset({"case"}),
}
_ENDS = {"end" + block: block for block in BLOCKS}
TAGS = frozenset({*BLOCKS, *_BRANCHES, *_ENDS, "assign", "comment", "endcomment", "raw", "endraw"})
_NOT_OURS = frozenset({"cycle", "decrement", "echo", "include", "increment", "liquid", "render", "tablerow"})
"""Tags of Liquid that templates do without: to propose another one would not help."""
_WITHOUT_EXPRESSION = frozenset({"else", *_ENDS})

_PIECE = re.compile(
    r"""
    (?P<raw>     \{%-?\s*raw\s*-?%\} (?P<verbatim>.*?) \{%-?\s*endraw\s*-?%\} )
  | (?P<comment> \{%-?\s*comment\s*-?%\} .*? \{%-?\s*endcomment\s*-?%\} )
  | (?P<output>  \{\{ (?![{%]) (?P<printed>.*?) \}\} )
  | (?P<tag>     \{% (?P<body>.*?) %\} )
  | (?P<escape>  \\ [\\{|}] )
  | (?P<mark>    [{|}] )
  | (?P<text>    [^\\{|}]+ | \\ )
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class _Open:
    """A block or choice not closed yet. ``branches``: a choice's ``|``, a block's ``{% else %}``."""

    name: str
    at: int
    branches: int = 0

    @property
    def is_choice(self) -> bool:
        return self.name == OPEN

    def __str__(self) -> str:
        return "the choice {" if self.is_choice else f"{{% {self.name} %}}"


def tokens_of(source: str) -> list[Token]:
    """Liquid's tokens of a template. Raises TemplateError for what is unbalanced or unknown."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens: list[Token] = []
        self._open: list[_Open] = []
        self._text: list[str] = []
        self._text_at = 0
        self._trim_next = False

    def run(self) -> list[Token]:
        for piece in _PIECE.finditer(self._source):
            self._read(piece)
        if self._open:
            raise self._never_closed(self._open[-1])
        self._flush()
        return self._tokens

    def _read(self, piece: re.Match[str]) -> None:
        at, text = piece.start(), piece.group()
        match piece.lastgroup:
            case "text":
                self._write(text, at)
            case "escape":
                self._write(text[1], at)
            case "mark":
                self._mark(text, at)
            case "raw":
                self._write(piece["verbatim"], at)
            case "output":
                self._output(piece["printed"], at)
            case "tag":
                self._tag(piece["body"], at)
            case _:
                pass  # A comment leaves nothing.

    def _write(self, text: str, at: int) -> None:
        if not self._text:
            self._text_at = at
        self._text.append(text)

    def _flush(self, trim: bool = False) -> None:
        """Hand on the text so far. ``trim`` is for ``{{-`` and ``{%-``, which eat white space before them."""
        text = "".join(self._text)
        if self._trim_next:
            text = text.lstrip()
        if trim:
            text = text.rstrip()
        if text:
            self._emit(TOKEN_CONTENT, text, self._text_at)
        self._text.clear()
        self._trim_next = False

    def _emit(self, kind: str, value: str, at: int) -> None:
        self._tokens.append(Token(kind, value, at, self._source))

    def _fault(self, message: str, at: int) -> TemplateError:
        return TemplateError(message, self._source, at)

    def _never_closed(self, block: _Open) -> TemplateError:
        if block.is_choice:
            return self._fault(r"the choice { is never closed by } (write \{ for a plain brace)", block.at)
        return self._fault(f"{block} is never closed by {{% end{block.name} %}}", block.at)

    # Marks of spintax

    def _mark(self, mark: str, at: int) -> None:
        innermost = self._open[-1] if self._open else None
        if mark == OPEN:
            self._refuse_unclosed(at)
            self._enter(OPEN, at)
        elif mark == CLOSE:
            self._close_choice(innermost, at)
        elif innermost is None or not innermost.is_choice:
            self._write(mark, at)
            return
        else:
            innermost.branches += 1
        self._flush()
        self._emit(TOKEN_TAG, mark, at)

    def _refuse_unclosed(self, at: int) -> None:
        opened = self._source[at : at + 3]
        if opened.startswith(("{{", "{%")) and opened not in ("{{{", "{{%"):
            raise self._fault(f"{opened[:2]} is never closed by {'}}' if opened[1] == '{' else '%}'}", at)

    def _close_choice(self, innermost: _Open | None, at: int) -> None:
        if innermost is None:
            raise self._fault(r"} closes nothing (write \} for a plain brace)", at)
        if not innermost.is_choice:
            raise self._never_closed(innermost)
        if not innermost.branches:
            inside = self._source[innermost.at + 1 : at]
            name = inside.strip("{} ")
            hint = f"write {{{{{name}}}}} for a field, " if name.replace(" ", "").isidentifier() else ""
            shown = f"{{{shorten(inside, 40)}}}"
            fault = f"{shown} offers no choice: {hint}{{a|b}} for a choice, \\{{ for a plain brace"
            raise self._fault(fault, innermost.at)
        self._open.pop()

    def _enter(self, name: str, at: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._fault(f"blocks and choices stand more than {MAX_DEPTH} deep in each other", at)
        self._open.append(_Open(name, at))

    # Liquid

    def _output(self, printed: str, at: int) -> None:
        if "{" in printed:
            raise self._fault("{{ … }} cannot hold another {: close it with }} first", at)
        expression = self._trimmed(printed, at)
        if not expression:
            raise self._fault("{{ }} names no field", at)
        self._emit(TOKEN_OUTPUT, expression, at)
        self._emit(TOKEN_EXPRESSION, expression, self._source.index(expression, at))

    def _trimmed(self, inside: str, at: int) -> str:
        """The inside of ``{{ }}`` or ``{% %}`` without its ``-``, whose white space is seen to."""
        if len(inside) > MAX_EXPRESSION:
            raise self._fault(f"an expression has more than {MAX_EXPRESSION} characters", at)
        self._flush(trim=inside.startswith("-"))
        self._trim_next = inside.endswith("-") and len(inside) > 1
        return inside.removeprefix("-").removesuffix("-").strip()

    def _tag(self, body: str, at: int) -> None:
        inside = self._trimmed(body, at)
        if inside.startswith("#"):
            return
        if "{" in inside:
            raise self._fault("{% … %} cannot hold another {: close it with %} first", at)
        name, *rest = inside.split(maxsplit=1) or [""]
        self._check_name(name, at)
        self._check_expression(name, rest, at)
        self._balance(name, at)
        self._emit(TOKEN_TAG, name, at)
        if rest:
            self._emit(TOKEN_EXPRESSION, rest[0], self._source.index(rest[0], at + len(name)))

    def _check_name(self, name: str, at: int) -> None:
        if name in _NOT_OURS:
            raise self._fault(f"the tag {{% {name} %}} is not available in templates here", at)
        if name not in TAGS:
            near = get_close_matches(name, TAGS, n=1)
            hint = (
                f": did you mean {{% {near[0]} %}}?"
                if near
                else ", templates know if, unless, case, for, assign and capture"
            )
            raise self._fault(f"unknown tag {{% {shorten(name, 30)} %}}{hint}", at)

    def _check_expression(self, name: str, rest: list[str], at: int) -> None:
        if name == "else" and rest and rest[0].startswith("if"):
            raise self._fault("write {% elsif … %} instead of {% else if … %}", at)
        if rest and name in _WITHOUT_EXPRESSION:
            raise self._fault(f"{{% {name} %}} takes nothing more, found {shorten(rest[0], 30)!r}", at)
        if not rest and name not in _WITHOUT_EXPRESSION:
            raise self._fault(f"{{% {name} %}} lacks what comes after {name!r}", at)

    def _balance(self, name: str, at: int) -> None:
        if name in BLOCKS:
            self._enter(name, at)
        elif name in _ENDS:
            self._innermost(name, frozenset({_ENDS[name]}), at)
            self._open.pop()
        elif name in _BRANCHES:
            block = self._innermost(name, _BRANCHES[name], at)
            if block.branches:
                raise self._fault(f"{{% {name} %}} comes after the {{% else %}} of {block}", at)
            block.branches += name == "else"
        elif name != "assign":
            raise self._fault(f"{{% {name} %}} has no counterpart", at)

    def _innermost(self, name: str, wanted: frozenset[str], at: int) -> _Open:
        if self._open and self._open[-1].name in wanted:
            return self._open[-1]
        if self._open and any(block.name in wanted for block in self._open):
            raise self._never_closed(self._open[-1])
        raise self._fault(f"{{% {name} %}} stands outside of {{% {' %}, {% '.join(sorted(wanted))} %}}", at)
