"""Connections to PostgreSQL: one pool a process, transactions for the edge, and which faults pass by themselves."""

import select
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.errors import DeadlockDetected, DiskFull, IdleInTransactionSessionTimeout, LockNotAvailable, QueryCanceled
from psycopg.pq import Format, TransactionStatus
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from leadwright.errors import Unavailable

Connection: TypeAlias = AsyncConnection[tuple[Any, ...]]
Begun = TypeVar("Begun")

STATEMENT_TIMEOUT_SECONDS = 30
WAIT_FOR_DATABASE_SECONDS = 10.0
AWAY_AFTER_SECONDS = 2.0
"""Whoever waits for a connection so long while nobody has one is told that the database is away."""
RECONNECT_SECONDS = 3.0
"""For so long the pool tries by itself to replace a lost connection; after that, when somebody asks for one.

Its pauses double: with a minute it would find a database that is back half a minute late.
"""
_TOOK_TOO_LONG = frozenset({QueryCanceled.sqlstate, LockNotAvailable.sqlstate, DeadlockDetected.sqlstate})
_AWAY_CLASSES = frozenset({"08", "53", "57"})
"""Connection exceptions, insufficient resources, operator intervention."""


class BareIdLoader(Loader):
    """Reads a ``uuid`` as 32 hexadecimal characters, the form of ids inside the program."""

    def load(self, data: Buffer) -> str:
        return str(data, "ascii").replace("-", "")


class BareIdBinaryLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return bytes(data).hex()


class Database:
    """The pool of one process. Open it before use, close it at the end.

    ``size`` is the most connections at once.
    """

    def __init__(self, conninfo: str, *, size: int = 10) -> None:
        self.conninfo = conninfo
        self._lent = 0
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            min_size=min(2, size),
            max_size=size,
            open=False,
            kwargs={"autocommit": True, "prepare_threshold": 5, "connect_timeout": 10},
            configure=_configure,
            timeout=WAIT_FOR_DATABASE_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,
        )

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=WAIT_FOR_DATABASE_SECONDS)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def session(self, *, wait: float = WAIT_FOR_DATABASE_SECONDS) -> AsyncGenerator[Connection]:
        """A connection on which every statement commits by itself, waited for at most ``wait`` seconds.

        Raises Unavailable when the database is away.
        """
        connection = await self._healthy_connection(wait)
        try:
            yield connection
        finally:
            await self._take_back(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back when it raises."""
        async with self.session() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def begun(self, begin: Callable[[Connection], Awaitable[Begun]]) -> AsyncGenerator[tuple[Connection, Begun]]:
        """A transaction that ``begin`` begins, so that BEGIN travels with the first question instead of before it.

        A round trip is more than its time: the answer then waits its turn in the event loop.
        """
        connection = await self._healthy_connection(WAIT_FOR_DATABASE_SECONDS)
        try:
            yield connection, await begin(connection)
            await connection.commit()
        except BaseException:
            if not connection.closed:
                await connection.rollback()
            raise
        finally:
            await self._take_back(connection)

    async def _healthy_connection(self, wait: float) -> Connection:
        """A connection that answers. After a crash of the database the pool holds dead ones: each is thrown away."""
        while True:
            try:
                connection = await self._next_connection(wait)
            except (PoolTimeout, psycopg.OperationalError) as error:
                raise away() from error
            if not _looks_dead(connection):
                self._lent += 1
                return connection
            await connection.close()
            await self._pool.putconn(connection)

    async def _next_connection(self, wait: float) -> Connection:
        """While others have connections the database is there and busy: only then the whole wait is worth it."""
        patience = min(wait, AWAY_AFTER_SECONDS)
        try:
            return await self._pool.getconn(patience)
        except PoolTimeout:
            if not self._lent or wait <= patience:
                raise
        return await self._pool.getconn(wait - patience)

    async def _take_back(self, connection: Connection) -> None:
        self._lent -= 1
        await self._pool.putconn(connection)


def _looks_dead(connection: Connection) -> bool:
    """Whether the server has hung up, told by the socket alone: no round trip.

    An idle connection has nothing to read: bytes or an end of file mean that the server said goodbye. The goodbye may
    come before the end of file, so neither is waited for; a notice that came by itself costs no more than a connection.
    """
    if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return True
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


async def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("uuid", BareIdLoader)
    connection.adapters.register_loader("uuid", BareIdBinaryLoader)
    set_json_loads(msgspec.json.decode, connection)  # A third of the time that the standard library takes.
    await connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false),"
        " set_config('idle_in_transaction_session_timeout', %s, false)",
        (f"{STATEMENT_TIMEOUT_SECONDS}s", "60s"),
    )


def away() -> Unavailable:
    return Unavailable("The database is not reachable; try again shortly", retry_after=2, code="database_unavailable")


def passing_fault(error: BaseException) -> Unavailable | None:
    """The 503 for a database fault that is nobody's mistake (away, restarting, disk full, overloaded), else None.

    Told by the SQLSTATE, since psycopg's exceptions do not inherit from that of their class; a fault of the connection
    itself has none.
    """
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state == DiskFull.sqlstate:
        return Unavailable("The server's disk is full; nothing was changed", retry_after=30, code="disk_full")
    if state in _TOOK_TOO_LONG:
        return Unavailable("The database took too long; nothing was changed", retry_after=5, code="database_timeout")
    lost = isinstance(error, psycopg.OperationalError) if state is None else state[:2] in _AWAY_CLASSES
    return away() if lost or state == IdleInTransactionSessionTimeout.sqlstate else None
