"""What one connection of ``bench.layout`` does: prepared batches, ingest, enrolling, claiming and advancing."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.abc import Params

from bench.layout_sql import BATCH, CAMPAIGNS, START, Layout, advance_sql, claim_sql, enrol_sql, lock_sql

Work = Callable[[psycopg.Connection[Any], list[Any]], None]


@dataclass(slots=True)
class Spent:
    """Rows advanced and seconds spent claiming, summed over the connections of one pass."""

    rows: int = 0
    claiming: float = 0.0


def schema(layout: Layout) -> str:
    return "bench_layout_" + layout.name.replace("-", "_")


def run(conn: psycopg.Connection[Any], statement: str, given: Params | None = None) -> None:
    conn.execute(statement.encode(), given)


def wal_position(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row
    return int(row[0])


def new_batch(rng: random.Random) -> str:
    """100 leads of 400 to 600 bytes with five custom fields of about 30 characters, as JSON."""
    return json.dumps([new_lead(rng, campaign) for campaign in [rng.choice(CAMPAIGNS)] * BATCH])


def new_lead(rng: random.Random, campaign: str) -> dict[str, object]:
    word = f"{rng.getrandbits(120):030x}"
    stamp = 1790000000000 + time.monotonic_ns() // 1_000_000
    fields = ("industry", "region", "referredBy", "icebreaker", "eventName")
    custom = {name: f"{rng.getrandbits(120):030x}" for name in fields}
    return {
        "id": f"{stamp:012x}7{rng.getrandbits(12):03x}8{rng.getrandbits(60):015x}",
        "campaign": campaign, "key": "in/" + word, "url": "https://www.linkedin.com/in/" + word,
        "first_name": "Annabel", "last_name": "Fitzgerald", "company": "Company " + word[:8],
        "title": "Director of Operations", "email": word[:12] + "@example.org", "custom": custom,
    }  # fmt: skip


def ingest_one(sql: str) -> Work:
    def work(conn: psycopg.Connection[Any], batches: list[str]) -> None:
        for rows in batches:
            if len(conn.execute(sql.encode(), {"rows": rows, "now": START}).fetchall()) != BATCH:
                raise RuntimeError("a batch of new leads was not added whole")

    return work


def enrol_all(conn: psycopg.Connection[Any], campaigns: list[str]) -> None:
    for campaign in campaigns:
        if len(conn.execute(enrol_sql().encode(), {"campaign": campaign, "now": START}).fetchall()) != BATCH:
            raise RuntimeError("the lazy layout ran out of fresh leads: ingest more before enrolling")


def advance_lanes(layout: Layout, now: datetime, spent: Spent, *, leased: bool) -> Work:
    """Claims and advances until each lane has nothing due; with leases in two transactions, else in one."""
    claim = (claim_sql(layout) if leased else lock_sql(layout)).encode()
    advance, lock = advance_sql(layout).encode(), threading.Lock()

    def step(conn: psycopg.Connection[Any], lane: int) -> bool:
        began = time.perf_counter()
        claimed = conn.execute(claim, {"lane": lane, "now": now}).fetchall()
        took = time.perf_counter() - began
        if claimed:
            conn.execute(advance, {"rows": moves(claimed, now), "now": now})
        with lock:
            spent.rows += len(claimed)
            spent.claiming += took
        return bool(claimed)

    def work(conn: psycopg.Connection[Any], lanes: list[int]) -> None:
        conn.autocommit = leased
        for lane in lanes:
            while step(conn, lane):
                conn.commit()
            conn.commit()

    return work


def moves(claimed: list[Any], now: datetime) -> str:
    """The next place of each claimed lead: another step each time, another status every second time."""
    due, day = (now + timedelta(hours=23)).isoformat(), (now - START).days
    place = {"step": f"step{day}", "status": 1 + day // 2 % 6, "due": due}
    return json.dumps([{"id": lead, "token": token, **place} for lead, token, *_ in claimed])
