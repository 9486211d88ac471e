"""What naming a person costs: microseconds a URL, beside urlsplit and unquote on the same URL and run."""

import argparse
from collections.abc import Callable
from time import perf_counter
from urllib.parse import unquote, urlsplit

from bench import report
from bench.report import Result
from leadwright.identity import linkedin_identity

ROUNDS = 9
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


def microseconds(url: str, rounds: int) -> tuple[float, float]:
    """Per URL, ours and the floor's: the best of interleaved rounds."""
    # Not one object again and again: urlsplit keeps its last answers, and real URLs are seldom the same.
    urls = [f"{url}{separator(url)}n={number}" for number in range(CALLS)]
    ours = floor = float("inf")
    for _ in range(rounds):
        ours = min(ours, round_seconds(linkedin_identity, urls))
        floor = min(floor, round_seconds(split_and_unquote, urls))
    return ours / CALLS * 1e6, floor / CALLS * 1e6


def separator(url: str) -> str:
    return "&" if "?" in url else "?"


def measure(rounds: int = ROUNDS) -> list[Result]:
    """Prints each kind of address and returns the ratio for the most frequent one."""
    print(f"best of {rounds} rounds of {CALLS:,} calls")
    times = {name: microseconds(url, rounds) for name, url in URLS.items()}
    lines = [(name, f"{ours:.2f}", f"{floor:.2f}", f"{ours / floor:.2f}") for name, (ours, floor) in times.items()]
    print("\n" + report.table(("URL", "µs", "floor µs", "ratio"), lines))
    ours, floor = times["common"]
    return [Result("naming a person : urlsplit and unquote", ours / floor), Result("naming a person", ours, "µs")]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    asked = options.parse_args()
    report.show_machine()
    report.show(measure(asked.rounds))


if __name__ == "__main__":
    main()
