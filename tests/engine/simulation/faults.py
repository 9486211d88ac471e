"""A process that can be killed between any two statements: the next one raises, and the database rolls back."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncCursor

from leadwright.postgres.pool import Connection, Database


class Killed(BaseException):
    """No ``except Exception`` of the engine may catch its own death."""


class FragileDatabase:
    """Lends another database's connections; ``die_at`` statements later everything of it raises Killed.

    The statement after the last of a transaction is its commit: half of those deaths come before, half after it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: int | None = None
        self._after_commit = False

    def die_at(self, statements: int | None) -> None:
        self._left = statements
        self._after_commit = statements is not None and statements % 2 == 0

    def count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Killed

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Connection]:
        async with self._database.session() as connection:
            connection.cursor_factory = _counting(self)
            try:
                yield connection
            finally:
                connection.cursor_factory = AsyncCursor

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        async with self.session() as connection:
            async with connection.transaction():
                yield connection
                if not self._after_commit:
                    self.count()
            if self._after_commit:
                self.count()


def _counting(database: FragileDatabase) -> type[AsyncCursor[Any]]:
    class Counting(AsyncCursor[Any]):
        async def execute(self, *arguments: Any, **more: Any) -> Any:
            database.count()
            return await super().execute(*arguments, **more)

    return Counting
