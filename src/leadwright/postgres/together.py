"""Several prepared statements in one message and one transaction: one round trip, whatever their number."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from leadwright.postgres.pool import Connection

UUID, TEXT, JSONB, SMALLINT, INTEGER, BIGINT, TIMESTAMP = 2950, 25, 3802, 21, 23, 20, 1184
"""PostgreSQL's numbers of the types that parameters have here."""

_WENT_WELL = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.PIPELINE_SYNC})


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with ``$1``, ``$2`` … for its parameters, whose types are told. ``name`` is its own."""

    name: bytes
    text: bytes
    types: tuple[int, ...]


def numbered(name: bytes, sql: str, types: Mapping[str, int]) -> Statement:
    """A statement written with ``%(name)s`` for its parameters; they are given in the order of ``types``."""
    for number, parameter in enumerate(types, 1):
        sql = sql.replace(f"%({parameter})s", f"${number}")
    return Statement(name, sql.encode(), tuple(types.values()))


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with its parameters in PostgreSQL's text form."""

    statement: Statement
    parameters: Sequence[bytes | None]


Row = tuple[bytes | None, ...]
"""Values in PostgreSQL's text form."""

_prepared: WeakKeyDictionary[Connection, dict[bytes, bytes]] = WeakKeyDictionary()
"""Under which names a connection knows which statements. A name is used once: what became of an old one is unclear."""
_numbers = itertools.count()


async def together(connection: Connection, asked: Sequence[Asked]) -> list[list[Row]]:
    """Runs the statements in order, all or none; the rows of each. For an idle connection in autocommit.

    What stands between two synchronization points of the protocol is one transaction, and each statement sees what
    was committed until it began, as between BEGIN and COMMIT. The driver's own pipeline sends each statement by
    itself, and every message wakes the server's process. Raises psycopg.Error.
    """
    async with connection.lock:
        try:
            return await connection.wait(_talk(connection, asked))
        except InvalidSqlStatementName:
            # The driver forgets its statements after a rollback, and has the server forget all: nothing was done.
            _prepared.pop(connection, None)
            return await connection.wait(_talk(connection, asked))


def _talk(connection: Connection, asked: Sequence[Asked]) -> PQGen[list[list[Row]]]:
    pgconn = connection.pgconn
    known = _prepared.get(connection, {})
    new = list(dict.fromkeys(each.statement for each in asked if each.statement.name not in known))
    names = known | {statement.name: b"%b_%d" % (statement.name, next(_numbers)) for statement in new}
    try:
        pgconn.enter_pipeline_mode()
        for statement in new:
            pgconn.send_prepare(names[statement.name], statement.text, statement.types)
        for each in asked:
            pgconn.send_query_prepared(names[each.statement.name], each.parameters)
        pgconn.pipeline_sync()
        yield from generators.send(pgconn)
        results = yield from _results(pgconn, len(new) + len(asked))
        pgconn.exit_pipeline_mode()
    except BaseException:
        pgconn.finish()  # whatever it was doing, the server undoes it
        raise
    if fault := next((result for result in results if result.status not in _WENT_WELL), None):
        _prepared.pop(connection, None)
        raise error_from_result(fault)
    _prepared[connection] = names
    return [_rows(result) for result in results[len(new) :]]


def _results(pgconn: PGconn, count: int) -> PQGen[list[PGresult]]:
    """One result of each command; behind one that failed the others were left out."""
    results: list[PGresult] = []
    for _ in range(count + 1):  # the last one says that the transaction has ended
        results += yield from generators.fetch_many(pgconn)
    return results[:-1]


def _rows(result: PGresult) -> list[Row]:
    return [tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]
