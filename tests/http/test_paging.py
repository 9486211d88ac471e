"""Pages of a list: their offsets, cursors and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from leadwright.errors import InvalidRequest
from leadwright.http.paging import Paged, paged, pagination, paging
from leadwright.pages import LARGEST_OFFSET, Page
from leadwright.postgres.counting import Total

LIMITS = st.integers(1, 100)


@dataclass(frozen=True)
class Row:
    id: str


def rows(count: int) -> list[Row]:
    return [Row(f"{number:032x}") for number in range(count)]


def fetched(all_rows: Sequence[Row], page: Page) -> Sequence[Row]:
    """What a store answers for a page."""
    behind = [row for row in all_rows if page.after is None or row.id > page.after]
    return behind[page.offset : page.offset + page.fetch]


@given(st.integers(0, 250), LIMITS)
def test_pages_by_number_show_every_row_once(count: int, limit: int) -> None:
    everything = rows(count)
    pages = pagination(Page(1, limit), Total(count)).total_pages
    shown = [row for n in range(1, pages + 1) for row in Page(n, limit).shown(fetched(everything, Page(n, limit)))]
    assert shown == everything
    assert fetched(everything, Page(pages + 1, limit)) == []


@given(st.integers(0, 250), LIMITS)
def test_pages_by_cursor_show_every_row_once_and_end(count: int, limit: int) -> None:
    everything, shown, cursor, turns = rows(count), [], "", 0
    while cursor is not None:
        page = Page(7, limit, after=cursor or None, by_cursor=True)
        found = fetched(everything, page)
        shown += page.shown(found)
        cursor, turns = page.next_cursor(found), turns + 1
    assert shown == everything
    assert turns == max(1, -(-count // limit))


@given(st.integers(1, 10**30), LIMITS)
def test_an_offset_always_fits_the_database(number: int, limit: int) -> None:
    assert 0 <= Page(number, limit).offset <= LARGEST_OFFSET


def test_pagination_counts() -> None:
    shown = pagination(Page(2, 20), Total(41)).model_dump(by_alias=True, exclude_unset=True)
    assert shown == {"total": 41, "page": 2, "limit": 20, "totalPages": 3}
    assert pagination(Page(1, 20), Total(0)).total_pages == 0
    assert pagination(Page(1, 20), Total(10**6, estimated=True)).total_is_estimate


def test_the_next_cursor_is_told_to_those_who_sent_one_only() -> None:
    found = rows(3)
    by_number = paged(Page(1, 2), Paged(pagination=pagination(Page(1, 2), Total(3))), found)
    assert "nextCursor" not in by_number.model_dump(by_alias=True, exclude_unset=True)
    page = Page(1, 2, by_cursor=True)
    assert paged(page, Paged(pagination=pagination(page, Total(3))), found).next_cursor == found[1].id


async def test_the_query_is_read() -> None:
    page_of = paging(20)
    assert await page_of(page=3, limit=10, cursor=None) == Page(3, 10)
    assert await page_of(page=1, limit=10, cursor="") == Page(1, 10, by_cursor=True)
    assert await page_of(page=2, limit=10, cursor="") == Page(1, 10, by_cursor=True)
    cursor = "0" * 32
    assert await page_of(page=1, limit=10, cursor=cursor) == Page(1, 10, after=cursor, by_cursor=True)


@pytest.mark.parametrize("cursor", ["x", "0" * 31, "A" * 32, "0" * 33, " "])
async def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor: expected nothing or the nextCursor"):
        await paging(20)(page=1, limit=10, cursor=cursor)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
    ],
)
async def test_numbers_out_of_range_are_refused(query: str, place: str) -> None:
    app = FastAPI()

    @app.get("/")
    async def listed(page: Annotated[Page, Depends(paging(20))]) -> int:
        return page.limit

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        refused = (await client.get(f"/?{query}")).json()["detail"]
        assert [found["loc"] for found in refused] == [["query", place]]
        assert (await client.get("/")).json() == 20
