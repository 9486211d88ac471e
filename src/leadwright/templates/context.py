"""Where a template's names are looked up while one lead's text is rendered."""

from collections.abc import Callable
from functools import partial
from typing import Any

from liquid import BoundTemplate, RenderContext, Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from leadwright.templates.errors import RenderLimitError
from leadwright.templates.fields import Fields, look_up
from leadwright.templates.missing import MissingField

SENDER = "sender"
MAX_WORK = 100_000
"""Characters and list items that one rendering may handle in lookups, filters and loops; some milliseconds."""
_CALL = 10
"""What calling a filter or setting a variable costs by itself, in characters."""
_NODE = 5
"""What a tag, an output or an expression costs in each round of a loop, in characters."""


class LeadContext(RenderContext):
    """The lead's fields, its sender's, and the template's own variables, which hide fields of their name.

    Liquid's ``now`` and ``today`` are not there: rendering must give the same text whenever it happens.
    """

    __slots__ = ("_weight", "_work", "fields", "missing", "seed", "sender")

    def __init__(self, template: BoundTemplate, fields: Fields, sender: Fields | None, seed: int) -> None:
        super().__init__(template)
        self.scope = ReadOnlyChainMap(self.locals)
        self.fields = fields
        self.sender: Fields = sender or {}
        self.seed = seed
        self.missing: dict[str, None] = {}
        self._work = 0
        self._weight = 0

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        value = self._found(path, token, default)
        self._spend(_size(value))
        return value

    def _found(self, path: list[object], token: Token | None, default: object) -> object:
        root = path[0]
        if (self.locals or self.loops) and root in self.scope:
            return super().get(path, token=token, default=default)
        name = field_name(path)
        if root == SENDER and len(path) > 1:
            value = look_up(self.sender, name.removeprefix(SENDER + "."))
        else:
            value = look_up(self.fields, name)
        return MissingField(name, token=token) if value is None else value

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(self._filtered, super().filter(name, token))

    def _filtered(
        self, function: Callable[..., object], value: object, *arguments: object, **options: object
    ) -> object:
        result = function(value, *arguments, **options)
        self._spend(_CALL + _size(value) + _size(result))
        return result

    def assign(self, key: str, val: Any) -> None:
        self._spend(_CALL + len(self.locals) + _size(val))
        super().assign(key, val)

    def enter_loop(self, weight: int) -> None:
        """Says before a loop how many nodes and expressions each of its rounds renders."""
        self._weight = weight

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self._spend(length * self._weight * _NODE)

    def _spend(self, work: int) -> None:
        """Raises RenderLimitError. Work is counted instead of timed, so that a lead's text is the same everywhere."""
        self._work += work
        if self._work > MAX_WORK:
            raise RenderLimitError("the template has too much to do: fewer loops or shorter values are needed")

    def report(self, missing: MissingField, shown_as: str) -> None:
        """Note that the text would have a hole; ``shown_as`` names it when the missing value does not."""
        self.missing.update(dict.fromkeys(missing.names or (shown_as,)))


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list) else 1  # pyright: ignore[reportUnknownArgumentType]


def field_name(path: list[object]) -> str:
    """The name of a field as one text. Fields are flat, so ``a.b`` is the field of just that name."""
    return path[0] if len(path) == 1 and isinstance(path[0], str) else ".".join(str(part) for part in path)
