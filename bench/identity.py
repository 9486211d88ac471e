"""What naming a person costs: microseconds a URL, beside urlsplit and unquote on the same URL and run."""

import os
from collections.abc import Callable
from time import perf_counter
from urllib.parse import unquote, urlsplit

from leadwright.identity import linkedin_identity

ROUNDS = 15
CALLS = 10_000

URLS = {
    "common": "https://www.linkedin.com/in/john-doe",
    "common, with a query": "https://uk.linkedin.com/in/John-Doe/?trk=people-guest&x=1",
    "bare": "in/john-doe",
    "with a section": "https://www.linkedin.com/in/john-doe/details/experience/",
    "percent-encoded": "https://de.linkedin.com/in/j%C3%BCrgen-m%C3%BCller-1a2b",
    "member token": "https://www.linkedin.com/in/ACoAABxYz0BqLmNx7kQ2b9TfVwR4uYc1sDePgHj",
    "sales token": "https://www.linkedin.com/sales/lead/ACwAAAdEf1kBxx,NAME_SEARCH,k9Zq",
    "old public address": "https://www.linkedin.com/pub/anna-testowa/a7/576/b50",
    "refused: not a person": "https://www.linkedin.com/company/techcorp",
    "refused: wrong host": "https://www.linkedin.com.evil.example/in/john-doe",
    "refused: not a URL": "john-doe",
    "refused: empty slug": "https://www.linkedin.com/in/",
}


def split_and_unquote(url: str) -> tuple[str, str | None]:
    """The floor: the standard library takes the URL apart, and decides nothing."""
    parts = urlsplit(url)
    return unquote(parts.path), parts.hostname


def round_seconds(call: Callable[[str], object], urls: list[str]) -> float:
    started = perf_counter()
    for url in urls:
        call(url)
    return perf_counter() - started


def microseconds(url: str) -> tuple[float, float]:
    """Per URL, ours and the floor's: the best of interleaved rounds."""
    # Not one object again and again: urlsplit keeps its last answers, and real URLs are seldom the same.
    urls = [f"{url}{separator(url)}n={number}" for number in range(CALLS)]
    ours = floor = float("inf")
    for _ in range(ROUNDS):
        ours = min(ours, round_seconds(linkedin_identity, urls))
        floor = min(floor, round_seconds(split_and_unquote, urls))
    return ours / CALLS * 1e6, floor / CALLS * 1e6


def separator(url: str) -> str:
    return "&" if "?" in url else "?"


def main() -> None:
    load = os.getloadavg()[0]
    print(f"identity: best of {ROUNDS} rounds of {CALLS:,} calls, load {load:.1f}")
    print(f"{'URL':<24}{'µs':>8}{'floor µs':>10}{'ratio':>8}")
    for name, url in URLS.items():
        ours, floor = microseconds(url)
        print(f"{name:<24}{ours:>8.2f}{floor:>10.2f}{ours / floor:>8.2f}")


if __name__ == "__main__":
    main()
