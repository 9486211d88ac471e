"""The filters of a template (``{{ name | upcase }}``): pure, and bounded in what they can produce.

A list of our own instead of Liquid's: its ``date`` reads the clock, others build gigabytes from a few lines,
and several quietly turn what they cannot read into 0 or nothing, which would then be sent to a person.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote_plus

from leadwright.templates.errors import RenderError, RenderLimitError, shorten
from leadwright.templates.fields import is_blank, text_of
from leadwright.templates.missing import MissingField

MAX_VALUE = 20_000
"""Characters that one value may have, and items that one list may have."""

MAX_INTEGER_BITS = 256

Number = int | float


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter's function and how many arguments it takes after the colon."""

    function: Callable[..., object]
    least: int
    most: int
    keywords: frozenset[str] = frozenset()

    def __call__(self, value: object, *arguments: object, **options: object) -> object:
        missing = [each for each in (value, *arguments) if isinstance(each, MissingField)]
        if missing:
            return MissingField.joining(missing)
        result = _bounded(self.function(_listed(value), *arguments, **options))
        return MissingField("") if is_blank(result) and not is_blank(value) else result


@dataclass(frozen=True, slots=True)
class DefaultFilter(Filter):
    """``default: "there"``: the only filter that turns a missing value into a present one."""

    def __call__(self, value: object, *arguments: object, **options: object) -> object:
        if not (is_blank(value) or isinstance(value, MissingField)) and not (
            value is False and options.get("allow_false") is False
        ):
            return value
        fallback = arguments[0]
        if isinstance(value, MissingField) and isinstance(fallback, MissingField):
            return MissingField.joining((value, fallback))
        return fallback


def _listed(value: object) -> object:
    if isinstance(value, range):
        raise RenderError("a range such as (1..3) can only be looped over")
    return value


def _bounded(value: object) -> object:
    if isinstance(value, (str, list)) and len(cast(str, value)) > MAX_VALUE:
        raise _too_long()
    if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
        raise RenderLimitError("a number in the template grew too large")
    return cast(object, value)


def _too_long() -> RenderLimitError:
    return RenderLimitError(f"a value in the template grew beyond {MAX_VALUE} characters")


def _text(function: Callable[..., object], least: int = 0, most: int | None = None) -> Filter:
    """A filter whose value and arguments are all texts."""

    def on_texts(*values: object) -> object:
        return function(*map(text_of, values))

    return Filter(on_texts, least, least if most is None else most)


def _number(function: Callable[..., Number], arguments: int = 0, optional: int = 0) -> Filter:
    """A filter whose value and arguments are all numbers, or texts that read as numbers."""

    def on_numbers(*values: object) -> object:
        try:
            return function(*map(_as_number, values))
        except ZeroDivisionError:
            raise RenderError("a number is divided by zero") from None
        except OverflowError:
            raise RenderLimitError("a number in the template grew too large") from None

    return Filter(on_numbers, arguments, arguments + optional)


def to_number(text: str) -> Number | None:
    """The number that a text spells in digits (``85``, ``-3.5``), or None."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    return float(text) if "." in text else int(text)


_NUMBER = re.compile(r"[+-]?\d{1,50}(\.\d{1,50})?", re.ASCII)


def _as_number(value: object) -> Number:
    number = to_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise RenderError(f"{shorten(text_of(value))!r} is not a number")
    return number


def _whole(text: str) -> int:
    number = to_number(text)
    if not isinstance(number, int):
        raise RenderError(f"{shorten(text)!r} is not a whole number")
    return number


def _replace(text: str, old: str, new: str, times: int = -1) -> str:
    found = text.count(old) if times < 0 else times
    if len(text) + found * len(new) > MAX_VALUE:
        raise _too_long()
    return text.replace(old, new, times)


def _replace_first(text: str, old: str, new: str) -> str:
    return _replace(text, old, new, 1)


def _remove(text: str, part: str) -> str:
    return text.replace(part, "")


def _remove_first(text: str, part: str) -> str:
    return text.replace(part, "", 1)


def _append(text: str, end: str) -> str:
    return text + end


def _prepend(text: str, start: str) -> str:
    return start + text


def _squish(text: str) -> str:
    return " ".join(text.split())


def _strip_newlines(text: str) -> str:
    return "".join(text.splitlines())


def _slice(text: str, start: str, length: str = "1") -> str:
    first = _whole(start)
    first = max(len(text) + first, 0) if first < 0 else first
    return text[first : first + max(_whole(length), 0)]


def _truncate(text: str, length: str = "50", end: str = "...") -> str:
    most = _whole(length)
    return text if len(text) <= most else text[: max(most - len(end), 0)] + end


def _truncate_words(text: str, count: str = "15", end: str = "...") -> str:
    words = text.split()
    most = max(_whole(count), 1)
    return text if len(words) <= most else " ".join(words[:most]) + end


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise RenderError('this filter works on a list: make one with split, as in {{ skills | split: "," | first }}')
    return cast(list[object], value)


def _first(value: object) -> object:
    return next(iter(_items(value)), None)


def _last(value: object) -> object:
    return next(reversed(_items(value)), None)


def _join(value: object, separator: object = " ") -> str:
    between = text_of(separator)
    texts = [text_of(item) for item in _items(value)]
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_VALUE:
        raise _too_long()
    return between.join(texts)


def _split(text: str, separator: str) -> list[str]:
    return list(text) if not separator else [part.strip() for part in text.split(separator)]


def _size(value: object) -> int:
    return len(cast(list[object], value)) if isinstance(value, list) else len(text_of(value))


def _plus(number: Number, other: Number) -> Number:
    return number + other


def _minus(number: Number, other: Number) -> Number:
    return number - other


def _times(number: Number, other: Number) -> Number:
    return number * other


def _modulo(number: Number, other: Number) -> Number:
    return number % other


def _absolute(number: Number) -> Number:
    return abs(number)


def _divided_by(number: Number, by: Number) -> Number:
    return number // by if isinstance(number, int) and isinstance(by, int) else number / by


def _round(number: Number, digits: Number = 0) -> Number:
    return round(number, int(digits)) if digits else math.floor(number + 0.5)


FILTERS: dict[str, Filter] = {
    "default": DefaultFilter(text_of, 1, 1, frozenset({"allow_false"})),
    "upcase": _text(str.upper),
    "downcase": _text(str.lower),
    "capitalize": _text(str.capitalize),
    "strip": _text(str.strip),
    "lstrip": _text(str.lstrip),
    "rstrip": _text(str.rstrip),
    "squish": _text(_squish),
    "strip_newlines": _text(_strip_newlines),
    "append": _text(_append, 1),
    "prepend": _text(_prepend, 1),
    "replace": _text(_replace, 2),
    "replace_first": _text(_replace_first, 2),
    "remove": _text(_remove, 1),
    "remove_first": _text(_remove_first, 1),
    "slice": _text(_slice, 1, 2),
    "truncate": _text(_truncate, 0, 2),
    "truncatewords": _text(_truncate_words, 0, 2),
    "url_encode": _text(quote_plus),
    "split": _text(_split, 1),
    "first": Filter(_first, 0, 0),
    "last": Filter(_last, 0, 0),
    "join": Filter(_join, 0, 1),
    "size": Filter(_size, 0, 0),
    "plus": _number(_plus, 1),
    "minus": _number(_minus, 1),
    "times": _number(_times, 1),
    "divided_by": _number(_divided_by, 1),
    "modulo": _number(_modulo, 1),
    "round": _number(_round, 0, 1),
    "ceil": _number(math.ceil),
    "floor": _number(math.floor),
    "abs": _number(_absolute),
    "at_least": _number(max, 1),
    "at_most": _number(min, 1),
}
