"""docs/operations.md names what is measured and where to ask."""

from collections.abc import Callable
from typing import Any

from leadwright.http import status
from leadwright.telemetry.metrics import REGISTRY


def test_every_metric_stands_there(document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]) -> None:
    rows = document("docs/operations.md").rows("Is it well")
    told = {word for row in rows for word in in_backticks(row[0]) if word.startswith("leadwright_")}
    assert told == {metric.name + ("_total" if metric.type == "counter" else "") for metric in REGISTRY.collect()}


def test_every_route_without_a_key_stands_there(
    document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    rows = document("docs/operations.md").rows("Is it well")
    told = {word for row in rows for word in in_backticks(row[0]) if word.startswith("GET ")}
    assert told == {f"GET {route.path}" for route in status.router.routes}
