"""Pages of a list: by number with an exact total, or by a cursor that stays right while rows are added."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.errors import Detail, InvalidRequest
from leadwright.pages import Identified, Page
from leadwright.postgres.counting import Total

MOST_ON_A_PAGE = 100
_CURSOR = re.compile(r"[0-9a-f]{32}")


class Pagination(BaseModel):
    """Where a page stands in its list."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    total: int = Field(description="Rows in the whole list.", examples=[41])
    page: int = Field(examples=[1])
    limit: int = Field(examples=[20])
    total_pages: int = Field(description="0 for an empty list.", examples=[3])
    total_is_estimate: bool = Field(
        default=False, description="Only there, and true, when `total` was estimated.", examples=[True]
    )


class Paged(BaseModel):
    """What every list answers beside its rows. Routes set ``response_model_exclude_unset``: see ``paged``."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    pagination: Pagination
    next_cursor: str | None = Field(
        default=None,
        description="Only there when `cursor` was sent: the next page's cursor, null on the last page.",
        examples=["0199c0ffee0070008000000000000001"],
    )


PagedBody = TypeVar("PagedBody", bound=Paged)


def paging(default_limit: int) -> Callable[..., Awaitable[Page]]:
    """The dependency of a list route: ``page: Annotated[Page, Depends(paging(20))]``."""

    async def wanted_page(
        page: Annotated[int, Query(ge=1, description="From 1; one past the end is empty.")] = 1,
        limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="Rows on a page.")] = default_limit,
        cursor: Annotated[
            str | None,
            Query(description="Empty for the start, then the last page's `nextCursor`; `page` is ignored."),
        ] = None,
    ) -> Page:
        if cursor is None:
            return Page(page, limit)
        return Page(1, limit, after=_after(cursor), by_cursor=True)

    return wanted_page


def _after(cursor: str) -> str | None:
    if cursor and not _CURSOR.fullmatch(cursor):
        raise InvalidRequest.of([Detail("cursor", "expected nothing or the nextCursor of an earlier answer")])
    return cursor or None


def pagination(page: Page, total: Total) -> Pagination:
    body = Pagination(total=total.rows, page=page.number, limit=page.limit, total_pages=-(-total.rows // page.limit))
    if total.estimated:
        body.total_is_estimate = True
    return body


def paged(page: Page, body: PagedBody, fetched: Sequence[Identified]) -> PagedBody:
    """The body with its ``nextCursor`` when the request came with a cursor, else without."""
    if page.by_cursor:
        body.next_cursor = page.next_cursor(fetched)
    return body
