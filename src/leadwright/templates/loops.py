"""The ``for`` of a template, which says before it begins how much each of its rounds renders."""

from typing import TextIO, cast

from liquid import RenderContext
from liquid.builtin.tags.for_tag import ForNode, ForTag

from leadwright.templates.context import LeadContext


class WeighedForNode(ForNode):
    """``weight`` counts the nodes and expressions of the loop, however deep; the analysis sets it."""

    weight = 0

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        cast(LeadContext, context).enter_loop(self.weight)
        return super().render_to_output(context, buffer)


class WeighedForTag(ForTag):
    node_class = WeighedForNode
