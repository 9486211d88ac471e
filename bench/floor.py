"""The floor of ingest: bare connections that insert prepared batches with one set-based statement, and nothing else."""

import asyncio
import json
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from bench.batches import LEADS_A_BATCH, lead
from leadwright import ids
from leadwright.postgres.migrate import migrate

LEAD = """
    INSERT INTO lead (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name, last_name,
        company, title, email, custom, import_id, created_at, updated_at)
    SELECT %(workspace)s, id, %(campaign)s, 'slug', p, u, f, l, o, t, NULL, x, %(import)s, %(now)s, %(now)s
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, p text, u text, f text, l text, o text, t text, x jsonb)
    ON CONFLICT DO NOTHING RETURNING id
"""


def make_database(conninfo: str, name: str) -> str:
    """A fresh database with the server's own schema: the same tables, indexes and settings."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    made = make_conninfo(conninfo, dbname=name)
    asyncio.run(migrate(made))
    return made


def rows_of(start: int) -> str:
    """One JSON parameter: a batch of leads as the server hands them to PostgreSQL."""
    rows: list[dict[str, Any]] = []
    for number, lead_id in enumerate(ids.new_ids(LEADS_A_BATCH), start):
        fields = lead(number)
        url = fields.pop("linkedinUrl")
        names = {"f": "firstName", "l": "lastName", "o": "company", "t": "title"}
        row = {short: fields.pop(name) for short, name in names.items()}
        rows.append(row | {"id": lead_id, "p": url.rsplit("/", 1)[1], "u": url, "x": fields})
    return json.dumps(rows)


def _constants() -> dict[str, object]:
    now = datetime.now(UTC)
    return {"workspace": ids.new_id(), "campaign": ids.new_id(), "import": ids.new_id(), "now": now}


@dataclass(frozen=True, slots=True)
class Floor:
    """Open connections to a database of their own. All batches go to one campaign of one workspace, as the server's."""

    name: str
    conninfo: str
    statement: str
    connections: tuple[psycopg.Connection[Any], ...]
    constants: dict[str, object] = field(default_factory=_constants)

    def insert(self, batches: Sequence[str]) -> float:
        """Seconds to insert all batches, each in a transaction of its own."""
        waiting = iter(batches)
        guard = threading.Lock()

        def work(connection: psycopg.Connection[Any]) -> int:
            done = 0
            while (rows := self._next(waiting, guard)) is not None:
                done += self._insert(connection, rows)
            return done

        with ThreadPoolExecutor(len(self.connections)) as threads:
            started = time.perf_counter()
            added = sum(threads.map(work, self.connections))
            seconds = time.perf_counter() - started
        if added != len(batches) * LEADS_A_BATCH:
            raise RuntimeError(f"{added} leads were added and not {len(batches) * LEADS_A_BATCH}")
        return seconds

    @staticmethod
    def _next(waiting: Iterator[str], guard: threading.Lock) -> str | None:
        with guard:
            return next(waiting, None)

    def _insert(self, connection: psycopg.Connection[Any], rows: str) -> int:
        given = self.constants | {"rows": rows}
        return len(connection.execute(self.statement.encode(), given, prepare=True).fetchall())


@contextmanager
def open_floor(name: str, conninfo: str, statement: str, connections: int) -> Generator[Floor]:
    with ExitStack() as opened:
        made = [opened.enter_context(psycopg.connect(conninfo, autocommit=True)) for _ in range(connections)]
        yield Floor(name, conninfo, statement, tuple(made))
