"""The Liquid that templates may use: its tags, its limits, and nothing that reads files or the clock."""

from liquid import BoundTemplate, Environment
from liquid.builtin.content import Literal
from liquid.builtin.illegal import Illegal
from liquid.builtin.tags.assign_tag import AssignTag
from liquid.builtin.tags.capture_tag import CaptureTag
from liquid.builtin.tags.case_tag import CaseTag
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.unless_tag import UnlessTag

from leadwright.templates.expressions import FieldOutput
from leadwright.templates.filters import FILTERS
from leadwright.templates.lexer import MAX_DEPTH
from leadwright.templates.loops import WeighedForTag
from leadwright.templates.missing import MissingField
from leadwright.templates.spintax import SpinTag

MAX_OUTPUT = 50_000
"""Bytes of UTF-8 that rendering may produce; a message has at most 8,000 characters."""


class MessageEnvironment(Environment):
    block_nesting_limit = MAX_DEPTH
    loop_iteration_limit = 100
    local_namespace_limit = 200_000
    output_stream_limit = MAX_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002
        for tag in (
            Literal,
            FieldOutput,
            Illegal,
            SpinTag,
            IfTag,
            UnlessTag,
            CaseTag,
            WeighedForTag,
            AssignTag,
            CaptureTag,
        ):
            self.add_tag(tag)
        self.filters = dict(FILTERS)


ENVIRONMENT = MessageEnvironment(undefined=MissingField, autoescape=False)
EMPTY_TEMPLATE = BoundTemplate(ENVIRONMENT, [])
"""What a render context asks for its environment; the nodes are rendered by ``Template`` itself."""
