"""What a call asks of the server, and how a list goes on from one page to the next; nothing here sends anything."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

T = TypeVar("T")
Row = TypeVar("Row")

_PLACE = re.compile(r"{\w+}")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request. ``template`` is the route's path, ``named`` fills its places, ``answer`` is what a 2xx is read as
    (a ``File`` as it comes).

    ``key`` is sent as ``Idempotency-Key``: with it a repeated POST happens once.
    """

    method: str
    template: str
    named: tuple[str, ...]
    answer: type[T]
    query: Mapping[str, str]
    body: bytes | None = None
    key: str | None = None
    content_type: str = "application/json"

    @property
    def path(self) -> str:
        filled = iter(self.named)
        return _PLACE.sub(lambda _: quote(next(filled), safe=""), self.template)

    def keyed(self, key: str) -> "Request[T]":
        """The same under an Idempotency-Key of the caller's own."""
        return replace(self, key=key)

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no more than sending it once: then a lost answer may be asked for again."""
        return self.method in ("GET", "PUT") or self.key is not None


def request(
    method: str, template: str, answer: type[T], *named: str, query: Mapping[str, Any] | None = None, body: Any = None
) -> Request[T]:
    """A request; what is None in the query, or UNSET in the body, is left out. Each POST gets a key of its own."""
    key = secrets.token_hex(16) if method == "POST" else None
    encoded = None if body is None else msgspec.json.encode(_set(body))
    return Request(method, template, named, answer, _texts(query or {}), encoded, key)


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file, or a part of one: ``next_cursor`` is None at its end."""

    content: bytes
    next_cursor: str | None


def upload(template: str, answer: type[T], content: bytes, content_type: str) -> Request[T]:
    """A POST of a file."""
    return Request("POST", template, (), answer, {}, content, secrets.token_hex(16), content_type)


def _set(body: Any) -> Any:
    if not isinstance(body, Mapping):
        return body
    return {name: value for name, value in body.items() if value is not msgspec.UNSET}  # type: ignore[reportUnknownVariableType]


def _texts(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in query.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Walk(Generic[Row]):
    """A whole list: its first page, the rows of a page, and the query of the page behind it (None: it was the last)."""

    first: Request[Any]
    rows: Callable[[Any], Sequence[Row]]
    following: Callable[[Any], Mapping[str, str] | None]

    def behind(self, page: Any) -> Request[Any] | None:
        """The request of the page behind this one."""
        query = self.following(page)
        return None if query is None else replace(self.first, query={**self.first.query, **query})


def by_cursor(first: Request[Any], rows: Callable[[Any], Sequence[Row]]) -> Walk[Row]:
    """A list that goes on by ``cursor``: it misses and repeats nothing while rows are added."""

    def following(page: Any) -> Mapping[str, str] | None:
        return None if page.next_cursor is None else {"cursor": page.next_cursor}

    return Walk(replace(first, query={**first.query, "cursor": first.query.get("cursor", "")}), rows, following)


def by_token(first: Request[Any], rows: Callable[[Any], Sequence[Row]]) -> Walk[Row]:
    """A list of the inbox, which goes on by ``continuationToken``."""

    def following(page: Any) -> Mapping[str, str] | None:
        token = page.pagination.continuation_token
        return {"continuationToken": token} if page.pagination.has_more and token else None

    return Walk(first, rows, following)


def by_position(first: Request[Any], rows: Callable[[Any], Sequence[Row]]) -> Walk[Row]:
    """The event feed, as far as it goes now."""

    def following(page: Any) -> Mapping[str, str] | None:
        return {"after": page.next_cursor} if page.has_more else None

    return Walk(first, rows, following)
