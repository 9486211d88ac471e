"""One walk through a parsed template: the fields it uses and needs, and faults Liquid would find too late."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import cast

from liquid import Expression, Node, RenderContext
from liquid.builtin.expressions import Filter, FilteredExpression, KeywordArgument, Path
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode

from leadwright.templates.context import SENDER, field_name
from leadwright.templates.environment import EMPTY_TEMPLATE
from leadwright.templates.errors import TemplateError
from leadwright.templates.expressions import FieldOutputNode, loosen_comparison
from leadwright.templates.filters import FILTERS
from leadwright.templates.loops import WeighedForNode
from leadwright.templates.spintax import SpinNode

_CONDITIONAL = IfNode, UnlessNode, CaseNode, ForNode


class Analysis:
    """``used`` and ``needed`` are field names in the template's order, the sender's begin with ``sender.``.

    Needed is what some output prints without a ``default``, outside of conditions and loops; every option of
    a choice counts, since each lead may get any. The walk also numbers choices, weighs loops and loosens
    comparisons.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.used: dict[str, None] = {}
        self.needed: dict[str, None] = {}
        self._own: dict[str, tuple[str, ...]] = {}  # The template's own variables, and what each was made of.
        self._choices = 0
        self._context = RenderContext(EMPTY_TEMPLATE)
        for node in nodes:
            self._visit(node, conditional=False)

    def _visit(self, node: Node, *, conditional: bool) -> int:
        """Answers how many nodes and expressions there are in it, itself among them."""
        weight = 1 + sum(map(self._read, node.expressions()))
        if isinstance(node, SpinNode):
            node.number = self._choices
            self._choices += 1
        elif isinstance(node, FieldOutputNode) and not conditional:
            self.needed.update(dict.fromkeys(self._needed_by(node.expression)))
        elif isinstance(node, AssignNode):
            self._own[str(node.name)] = self._needed_by(node.expression)
        self._own.update({str(name): () for name in node.block_scope()})
        inner = conditional or isinstance(node, _CONDITIONAL)
        for child in node.children(self._context, include_partials=False):
            weight += self._visit(child, conditional=inner)
        if isinstance(node, CaptureNode):
            self._own[str(node.name)] = ()
        if isinstance(node, WeighedForNode):
            node.weight = weight
        return weight

    def _read(self, expression: Expression) -> int:
        loosen_comparison(expression)
        if isinstance(expression, Path):
            name = _name_of(expression)
            if expression.path[0] not in self._own:
                self.used[name] = None
            return 1
        if isinstance(expression, FilteredExpression):
            for each in expression.filters or []:
                _check_filter(each)
        return 1 + sum(map(self._read, expression.children()))

    def _needed_by(self, expression: Expression) -> tuple[str, ...]:
        if not isinstance(expression, FilteredExpression):
            return ()
        filters = expression.filters or []
        last_default = max((at for at, each in enumerate(filters) if each.name == "default"), default=-1)
        bare = [] if last_default >= 0 else [expression.left]
        bare += [argument.value for each in filters[last_default + 1 :] for argument in each.args]
        paths = [path for path in bare if isinstance(path, Path)]
        return tuple(name for path in paths for name in self._own.get(str(path.path[0]), (_name_of(path),)))


def is_of_sender(name: str) -> bool:
    return name.startswith(SENDER + ".")


def _name_of(path: Path) -> str:
    if any(isinstance(part, Path) for part in path.path):
        raise TemplateError("a field name in [ ] must stand in quotes", path.token.source, path.token.start_index)
    return field_name(cast(list[object], path.path))


def _check_filter(used: Filter) -> None:
    source, at = used.token.source, used.token.start_index
    known = FILTERS.get(used.name)
    if known is None:
        near = get_close_matches(used.name, FILTERS, n=1, cutoff=0.5)
        raise TemplateError(
            f"unknown filter {used.name!r}" + (f": did you mean {near[0]!r}?" if near else ""), source, at
        )
    named = {argument.name for argument in used.args if isinstance(argument, KeywordArgument)}
    if unknown := named - known.keywords:
        raise TemplateError(f"the filter {used.name!r} knows no {sorted(unknown)[0]!r}", source, at)
    given = len(used.args) - len(named)
    if not known.least <= given <= known.most:
        counts = range(known.least, known.most + 1)
        wanted = " or ".join(("no value", "1 value", "2 values")[count] for count in counts)
        raise TemplateError(f"the filter {used.name!r} takes {wanted} after a colon, found {given}", source, at)
