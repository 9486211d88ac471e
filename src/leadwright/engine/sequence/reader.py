"""Reads the values of one JSON object and notes every fault, with its place and what was expected."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from leadwright.durations import DurationError, name_of_type, parse_duration
from leadwright.engine.sequence.problems import Problem, nearest
from leadwright.templates import Template, TemplateError, compile_template

MAX_UNKNOWN_KEYS = 5
"""Unknown keys that are reported of one object."""

MAX_URL = 2_048

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f]")


class ObjectReader:
    """One object at ``path``; ``subject`` begins its messages (``step "hello"``). Null counts as absent."""

    def __init__(self, value: Mapping[str, object], path: str, subject: str, problems: list[Problem]) -> None:
        self.value = value
        self.path = path
        self.subject = subject
        self.problems = problems

    def fault(self, key: str | None, message: str) -> None:
        path, name = (self.path, "") if key is None else (f"{self.path}.{key}", f'"{key}" ')
        self.problems.append(Problem(path, f"{self.subject}: {name}{message}"))

    def refuse_unknown(self, known: Iterable[str]) -> None:
        unknown = [str(key) for key in self.value if key not in known]
        for key in unknown[:MAX_UNKNOWN_KEYS]:
            self.fault(None, f"unknown key {key[:40]!r}, {nearest(key, known)}")

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def duration(self, key: str) -> timedelta | None:
        if not self.has(key):
            return None
        try:
            return parse_duration(self.value[key], f"{self.path}.{key}")
        except DurationError as error:
            self.problems.append(Problem(error.path, f'{self.subject}: "{key}" {error.message}'))
            return None

    def text(self, key: str, longest: int, *, required: bool = True, blank: bool = False) -> str | None:
        """A string of 1 to ``longest`` characters; ``blank`` allows empty ones and white space alone."""
        value = self.value.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, str):
            found = "is missing, it" if value is None else ""
            kind = "" if value is None else f", not {name_of_type(value)}"
            self.fault(key, f"{found} must be a string of at most {longest} characters{kind}".strip())
        elif not blank and not value.strip():
            self.fault(key, "must not be blank")
        elif len(value) > longest:
            self.fault(key, f"must have at most {longest} characters, it has {len(value)}")
        elif _UNSTORABLE.search(value):
            self.fault(key, "holds a character that cannot be stored (NUL, or half of a surrogate pair)")
        else:
            return value
        return None

    def template(self, key: str, longest: int, *, required: bool = True, blank: bool = False) -> Template | None:
        source = self.text(key, longest, required=required, blank=blank)
        if source is None:
            return None
        try:
            return compile_template(source)
        except TemplateError as error:
            self.fault(key, f"is not a valid template: {error}")
            return None

    def number(self, key: str, default: float, most: int) -> float:
        value = self.value.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            self.fault(key, f"must be a number from 0 to {most}")
            return default
        return value

    def url(self, key: str) -> str | None:
        value = self.text(key, MAX_URL)
        if value is None:
            return None
        if not _is_web_address(value):
            self.fault(key, 'must be a web address such as "https://example.com/hook"')
            return None
        return value


def is_scalar(value: object) -> bool:
    """A string, number or boolean that can be stored: no NUL, nothing infinite, no more than 64 bits."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, float) and math.isfinite(value)


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    plain = not _NOT_IN_URL.search(value) and "@" not in parts.netloc and port != 0
    return parts.scheme in ("http", "https") and bool(host) and plain
