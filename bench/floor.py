"""The floor of ingest: bare connections that insert prepared batches with one set-based statement, and nothing else."""

import json
import threading
import time
from datetime import UTC, datetime

import psycopg

from bench.batches import lead
from leadwright import ids

LEAD_ONLY = """
    INSERT INTO lead (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name, last_name,
        company, title, email, custom, import_id, created_at, updated_at)
    SELECT %(workspace)s, id, %(campaign)s, 'slug', p, u, f, l, o, t, NULL, x, %(import)s, %(now)s, %(now)s
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, p text, u text, f text, l text, o text, t text, x jsonb)
    ON CONFLICT DO NOTHING RETURNING id
"""
WITH_ENROLMENT = f"""
    WITH added AS ({LEAD_ONLY})
    INSERT INTO enrolment (workspace_id, lead_id, campaign_id, lane_id, due_at, updated_at)
    SELECT %(workspace)s, id, %(campaign)s, 1, %(now)s, %(now)s FROM added RETURNING lead_id
"""


def rows_of(start: int, count: int) -> str:
    """One JSON parameter: ``count`` leads as the server hands them to PostgreSQL."""
    rows = []
    for number, lead_id in zip(range(start, start + count), ids.new_ids(count), strict=True):
        fields = lead(number)
        url = fields.pop("linkedinUrl")
        names = {"f": "firstName", "l": "lastName", "o": "company", "t": "title"}
        row = {short: fields.pop(name) for short, name in names.items()}
        rows.append(row | {"id": lead_id, "p": url.rsplit("/", 1)[1], "u": url, "x": fields})
    return json.dumps(rows)


def insert_all(conninfo: str, statement: str, batches: list[str], *, connections: int) -> float:
    """Seconds to insert all batches, each in a transaction of its own, over so many connections."""
    waiting = iter(batches)
    guard = threading.Lock()
    opened = [psycopg.connect(conninfo, autocommit=True) for _ in range(connections)]
    constants = {"workspace": ids.new_id(), "campaign": ids.new_id(), "import": ids.new_id(), "now": datetime.now(UTC)}

    def work(connection: psycopg.Connection) -> None:
        while True:
            with guard:
                rows = next(waiting, None)
            if rows is None:
                return
            connection.execute(statement, constants | {"rows": rows}, prepare=True).fetchall()

    threads = [threading.Thread(target=work, args=(connection,)) for connection in opened]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    for connection in opened:
        connection.close()
    return seconds
