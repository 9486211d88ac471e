"""Which part of a list is wanted: by page number, or behind a cursor; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

LARGEST_OFFSET = 2**63 - 1


class Identified(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that a request wants; the list is in the order of its rows' bare ids, oldest first.

    ``after`` is the id behind which the page begins, None for the start. A list by cursor ignores ``number``.
    """

    number: int
    limit: int
    after: str | None = None
    by_cursor: bool = False

    @property
    def offset(self) -> int:
        """Rows to leave out, always a number that PostgreSQL's bigint holds."""
        return 0 if self.by_cursor else min((self.number - 1) * self.limit, LARGEST_OFFSET)

    @property
    def fetch(self) -> int:
        """Rows to ask the store for: one more than are shown tells whether another page follows."""
        return self.limit + 1

    def shown(self, fetched: Sequence[Row]) -> Sequence[Row]:
        return fetched[: self.limit]

    def next_cursor(self, fetched: Sequence[Row]) -> str | None:
        """The cursor of the page behind this one, None on the last; ``fetched``: see ``fetch``."""
        return fetched[self.limit - 1].id if len(fetched) > self.limit else None
