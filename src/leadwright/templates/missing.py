"""The value of a field that a lead lacks: false in a condition, a reported fault where it is printed."""

from collections.abc import Iterable

from liquid import Token
from liquid.undefined import UNDEFINED, Undefined


class MissingField(Undefined):
    """Stands for one missing field, or for a value that could not be made because of several.

    It goes through every filter unchanged but ``default``, so ``{{ a | upcase | default: "x" }}`` is ``x``.
    ``names`` is empty when a filter emptied a value: the place that prints it knows its name.
    """

    __slots__ = ("names",)

    def __init__(
        self, name: str, *, token: Token | None = None, obj: object = UNDEFINED, hint: str | None = None
    ) -> None:
        super().__init__(name, token=token, obj=obj, hint=hint)
        self.names: tuple[str, ...] = (name,) if name else ()

    @classmethod
    def joining(cls, several: Iterable["MissingField"]) -> "MissingField":
        """One missing value with the names of all, each once, in order."""
        joined = cls("")
        joined.names = tuple(dict.fromkeys(name for missing in several for name in missing.names))
        return joined
