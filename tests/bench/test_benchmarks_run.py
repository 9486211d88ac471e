"""Every benchmark runs at its smallest size and prints its table. What it measured is not judged here."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW_ROUNDS = ("--rounds", "1")


def output_of(name: str, *options: str) -> str:
    """In a process of its own, as a person would run it."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}" if name else "bench", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines_starting(output: str, *starts: str) -> list[str]:
    return [start for start in starts if any(line.startswith(start) for line in output.splitlines())]


@pytest.mark.slow
def test_ingest_compares_the_server_with_floor_and_peer() -> None:
    output = output_of("ingest", "--batches", "4", *FEW_ROUNDS)
    measures = ("adding leads : floor", "adding leads : ORM service", "sending known leads : adding")
    assert lines_starting(output, *measures) == list(measures)


@pytest.mark.slow
def test_curve_measures_adding_and_pages() -> None:
    output = output_of("curve", "--sizes", "2000", "--batches", "2", *FEW_ROUNDS, "--times", "1")
    shown = ("2,000", "leads of the large campaign", "all leads, deep cursor", "slowest page at 2 k")
    assert lines_starting(output, *shown) == list(shown)


@pytest.mark.slow
def test_reads_compares_lists_of_two_sizes() -> None:
    output = output_of("reads", "--small", "1000", "--sizes", "2000", "--times", "1")
    shown = (
        "all leads, deep cursor",
        "unread conversations of a sender",
        "audit log, rare key",
        "inbox at 2 k : at 1 k",
        "events at 2 k : at 1 k",
    )
    assert lines_starting(output, *shown) == list(shown)


@pytest.mark.slow
def test_forecast_leaves_nobody_out() -> None:
    output = output_of("forecast", "--leads", "300", *FEW_ROUNDS)
    shown = ("untouched", "half on their way", "told apart by their company", "forecast of 0.3 k leads over 90 days")
    assert lines_starting(output, *shown) == list(shown)


@pytest.mark.slow
def test_memory_samples_until_the_last_request() -> None:
    output = output_of("memory", "--requests", "80")
    shown = ("0 ", "16 ", "80 ", "private memory, idle", "growth from 16 to 80 requests")
    assert lines_starting(output, *shown) == list(shown)


@pytest.mark.slow
def test_deliveries_compares_with_a_bare_loop() -> None:
    output = output_of("deliveries", "--count", "80", *FEW_ROUNDS, "--log", "100")
    measures = ("deliveries : bare aiohttp loop", "with one endpoint hanging", "claim with 100 delivered rows")
    assert lines_starting(output, *measures) == list(measures)


@pytest.mark.slow
def test_engine_compares_with_a_bare_loop() -> None:
    output = output_of("engine", "--due", "40", *FEW_ROUNDS, "--sleepers", "200", "400", "--shut", "100")
    measures = (
        "engine : bare loop, one process",
        "its rows alone : bare loop, one process",
        "engine, with : without shut lanes",
        "empty poll",
        "memory of an engine",
    )
    assert lines_starting(output, *measures) == list(measures)


def test_identity_names_every_kind_of_address() -> None:
    output = output_of("identity", *FEW_ROUNDS)
    assert lines_starting(output, "common", "refused: empty slug") == ["common", "refused: empty slug"]


def test_an_unknown_name_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such benchmark: speed" in done.stderr


@pytest.mark.slow
def test_startup_times_help_serve_and_demo() -> None:
    output = output_of("startup", "--times", "1")
    shown = ("leadwright --help", "serve ready, new data folder", "leadwright demo")
    assert lines_starting(output, *shown) == list(shown)


@pytest.mark.slow
def test_layout_compares_two_layouts() -> None:
    output = output_of("layout", "--leads", "4000", *FEW_ROUNDS, "--only", "row,beside")
    assert "| measure | row | beside |" in output
