"""How long list and count pages take for one caller, one page after the other."""

import random
from collections.abc import Callable, Mapping
from statistics import median

import psycopg

from bench.fill import COMMON_STATUS, RARE_STATUS, UNUSED_STATUS, Fill
from bench.load import Generator, Request
from bench.processes import Server
from leadwright import ids

WARM_UP_TIMES = 3
"""At 40 pages each of the pool's connections has prepared its statements then, and PostgreSQL has settled on plans."""
PORTION = 10
LONGEST_SECONDS = 3.0
"""A slow page is read less often: it shows soon enough."""

_DEEP = """
    SELECT id FROM lead
    WHERE workspace_id = (SELECT id FROM workspace ORDER BY created_at LIMIT 1) AND campaign_id = %s
    ORDER BY id OFFSET (SELECT count(*) * 9 / 10 FROM lead WHERE campaign_id = %s)
    LIMIT 500
"""

Path = Callable[[], str]


def measure(server: Server, fill: Fill, generator: Generator, times: int) -> dict[str, float]:
    """Seconds a page, by what it shows: medians of ``times``, after as many more as it takes to settle."""
    return {name: _seconds(server, generator, path, times) for name, path in paths(fill).items()}


def _seconds(server: Server, generator: Generator, path: Path, times: int) -> float:
    read(server, generator, path, WARM_UP_TIMES * times)
    return median(read(server, generator, path, times))


def read(server: Server, generator: Generator, path: Path, times: int) -> list[float]:
    latencies: list[float] = []
    while len(latencies) < times and sum(latencies) < LONGEST_SECONDS:
        requests = [Request(path()) for _ in range(min(PORTION, times - len(latencies)))]
        latencies += generator.send(server.port, server.key, requests, connections=1).latencies
    return latencies


def paths(fill: Fill) -> Mapping[str, Path]:
    """What is asked; wherever a choice is random, each page makes its own."""
    rng = random.Random(1)
    deep = _deep_places(fill)
    large = f"/v1/leads?limit=50&campaignId={ids.public(ids.Prefix.CAMPAIGN, fill.campaigns[0])}"
    everything = "/v1/leads?limit=50"

    def small() -> str:
        return ids.public(ids.Prefix.CAMPAIGN, rng.choice(fill.campaigns[1:]))

    def after() -> str:
        return f"cursor={rng.choice(deep)}"

    return {
        "leads of the large campaign": lambda: large,
        "leads of the large campaign, deep cursor": lambda: f"{large}&{after()}",
        "leads of the large campaign, common status": lambda: f"{large}&status={COMMON_STATUS}",
        "leads of the large campaign, common status, deep": lambda: f"{large}&status={COMMON_STATUS}&{after()}",
        "leads of the large campaign, rare status": lambda: f"{large}&status={RARE_STATUS}",
        "leads of the large campaign, status of none": lambda: f"{large}&status={UNUSED_STATUS}",
        "leads of a small campaign": lambda: f"/v1/leads?limit=50&campaignId={small()}",
        "all leads": lambda: everything,
        "all leads, deep cursor": lambda: f"{everything}&{after()}",
        "all leads, common status": lambda: f"{everything}&status={COMMON_STATUS}",
        "all leads, rare status": lambda: f"{everything}&status={RARE_STATUS}",
        "all leads, status of none": lambda: f"{everything}&status={UNUSED_STATUS}",
        "one lead": lambda: f"/v1/leads/{ids.public(ids.Prefix.LEAD, rng.choice(deep))}",
        "campaigns": lambda: "/v1/campaigns?limit=20",
        "campaigns, deep cursor": lambda: f"/v1/campaigns?limit=20&cursor={_deep_campaign(fill)}",
        "one campaign": lambda: f"/v1/campaigns/{small()}",
    }


def _deep_places(fill: Fill) -> list[str]:
    """Bare ids of leads of the large campaign, nine tenths down its list, with pages to come."""
    large = fill.campaigns[0]
    with psycopg.connect(fill.conninfo) as connection:
        return [lead_id.hex for (lead_id,) in connection.execute(_DEEP, (large, large)).fetchall()]


def _deep_campaign(fill: Fill) -> str:
    return fill.campaigns[len(fill.campaigns) * 9 // 10 - 1]
