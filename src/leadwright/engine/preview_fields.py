"""Where a lead keeps what a template calls by a name, told to the database in its own words; pure.

``templates.look_up`` decides for one lead. To count 100,000 the database must do the same, so it is told under which
of the keys that occur at all a name may stand.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from leadwright.templates.fields import customary, fold

STANDARD = ("firstName", "lastName", "company", "title", "email", "linkedinUrl")
BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""All that Python takes for white space: a text of nothing else is a missing value."""


@dataclass(frozen=True, slots=True)
class Place:
    """First ``exact``; else the one value among ``alike``, two that differ are none; else ``alias``."""

    n: int
    exact: str
    alike: Sequence[str]
    alias: str | None


def places(names: Iterable[str], custom_keys: Collection[str]) -> list[Place]:
    """Numbered from 0 in the order of the names."""
    return [_place(n, name, custom_keys) for n, name in enumerate(names)]


def _place(n: int, name: str, custom_keys: Collection[str]) -> Place:
    folded = fold(name)
    alike = sorted({key for key in (*custom_keys, *STANDARD) if key != name and fold(key) == folded})
    return Place(n, name, alike, customary(name))
