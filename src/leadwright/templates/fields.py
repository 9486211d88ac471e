"""A lead's field by the name that a person wrote, and a value as text."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

Scalar = str | int | float | bool
Fields = Mapping[str, Scalar | None]
"""Field name to value, as the lead has it: ``firstName``, ``Job Title``, ``customScore``."""

_ALIASES = {
    "jobtitle": "title",
    "position": "title",
    "companyname": "company",
    "organization": "company",
    "emailaddress": "email",
}
_SEPARATORS = re.compile(r"[\s_\-]+")


def is_blank(value: object) -> bool:
    """Null, and text of nothing but white space: both count as missing. ``False`` and ``0`` are values."""
    return value is None or (isinstance(value, str) and not value.strip())


def look_up(fields: Fields, name: str) -> Scalar | None:
    """The value of the field, None when the lead lacks it or has it blank.

    The exact name first. Then the one filled field whose name differs only in case, spaces, ``_`` and ``-``
    (``first_name`` finds ``firstName``); of two such fields with different values neither is found.
    Last the customary names of standard fields (``jobTitle`` finds ``title``).
    """
    value = fields.get(name)
    if not is_blank(value):
        return value
    wanted = fold(name)
    similar = {fields[key] for key in fields if fold(key) == wanted and not is_blank(fields[key])}
    if similar:
        return similar.pop() if len(similar) == 1 else None
    aliased = fields.get(customary(name) or "")
    return None if is_blank(aliased) else aliased


def customary(name: str) -> str | None:
    """The standard field that people often call so: ``jobTitle`` is ``title``."""
    return _ALIASES.get(fold(name))


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The name without case, white space, ``_`` and ``-``: names that fold alike are meant alike."""
    return _SEPARATORS.sub("", name.casefold())


def text_of(value: object) -> str:
    """A value as a message shows it: as in JSON, whole numbers without ``.0``, nothing for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "".join(map(text_of, cast(list[object], value)))
    return ""
