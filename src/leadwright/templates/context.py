"""Where a template's names are looked up while one lead's text is rendered."""

from liquid import BoundTemplate, RenderContext, Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from leadwright.templates.fields import Fields, look_up
from leadwright.templates.missing import MissingField

SENDER = "sender"


class LeadContext(RenderContext):
    """The lead's fields, its sender's, and the template's own variables, which hide fields of their name.

    Liquid's ``now`` and ``today`` are not there: rendering must give the same text whenever it happens.
    """

    __slots__ = ("fields", "missing", "seed", "sender")

    def __init__(self, template: BoundTemplate, fields: Fields, sender: Fields | None, seed: int) -> None:
        super().__init__(template)
        self.scope = ReadOnlyChainMap(self.locals)
        self.fields = fields
        self.sender: Fields = sender or {}
        self.seed = seed
        self.missing: dict[str, None] = {}

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        root = path[0]
        if (self.locals or self.loops) and root in self.scope:
            return super().get(path, token=token, default=default)
        name = field_name(path)
        if root == SENDER and len(path) > 1:
            value = look_up(self.sender, name.removeprefix(SENDER + "."))
        else:
            value = look_up(self.fields, name)
        return MissingField(name, token=token) if value is None else value

    def report(self, missing: MissingField, shown_as: str) -> None:
        """Note that the text would have a hole; ``shown_as`` names it when the missing value does not."""
        self.missing.update(dict.fromkeys(missing.names or (shown_as,)))


def field_name(path: list[object]) -> str:
    """The name of a field as one text. Fields are flat, so ``a.b`` is the field of just that name."""
    return path[0] if len(path) == 1 and isinstance(path[0], str) else ".".join(str(part) for part in path)
