"""What every answer of the API is read into."""

from typing import Any

import msgspec

JSON = dict[str, Any]
Scalar = str | int | float | bool | None


class Answer(msgspec.Struct, rename="camel"):
    """A record with the wire's names in snake case. Fields that a newer server adds are left aside."""


class Pagination(Answer):
    """Where a page stands in its list."""

    total: int
    page: int
    limit: int
    total_pages: int
    total_is_estimate: bool = False


class TokenPagination(Answer):
    """Where a page of the inbox stands in its list."""

    continuation_token: str | None
    limit: int
    has_more: bool


class Page(Answer):
    """What every list by page or cursor answers beside its rows. ``next_cursor`` is there when a cursor was sent."""

    pagination: Pagination
    next_cursor: str | None = None


class Done(Answer):
    """Something was done to the thing with this id."""

    success: bool
    id: str
