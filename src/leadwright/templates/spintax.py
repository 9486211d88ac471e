"""Spintax: ``{Hi|Hello|Hey}`` becomes one of its options, always the same one for the same seed."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import TextIO, cast

from liquid import Environment, Node, RenderContext, Tag, Token, TokenStream
from liquid.ast import BlockNode
from liquid.parser import get_parser
from liquid.token import TOKEN_TAG

from leadwright.templates.context import LeadContext

OPEN, SEPARATOR, CLOSE = "{", "|", "}"
"""Tag names that the lexer gives to the marks. No ``{% … %}`` can spell them."""


def seed_of(*parts: str) -> int:
    """A seed from the ids that a choice shall be fixed for, for example the lead's and the step's."""
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest())


def pick(seed: int, group: int, count: int) -> int:
    """Which of ``count`` options the ``group``-th choice of a template takes: evenly spread, and fixed."""
    digest = blake2b(f"{seed}:{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % count


class SpinNode(Node):
    """One choice. ``number`` is its place among the template's choices, from 0, in writing order."""

    __slots__ = ("number", "options")

    def __init__(self, token: Token, options: list[BlockNode]) -> None:
        super().__init__(token)
        self.options = options
        self.number = 0
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        seed = cast(LeadContext, context).seed
        return self.options[pick(seed, self.number, len(self.options))].render(context, buffer)

    def children(
        self,
        static_context: RenderContext,  # noqa: ARG002
        *,
        include_partials: bool = True,  # noqa: ARG002
    ) -> Iterable[Node]:
        return self.options


class SpinTag(Tag):
    """Reads a choice from the marks of the lexer, which has made sure that they are balanced."""

    name = OPEN
    end = CLOSE

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._parse_block = get_parser(env).parse_block

    def parse(self, stream: TokenStream) -> SpinNode:
        token = stream.current
        options: list[BlockNode] = []
        while not (options and stream.current.value == CLOSE and stream.current.kind == TOKEN_TAG):
            stream.next()
            option = self._parse_block(stream, (SEPARATOR, CLOSE))
            option.blank = False  # Liquid drops blocks of white space; here the space is one of the options.
            options.append(option)
        return SpinNode(token, options)
