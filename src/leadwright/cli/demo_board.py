"""Leads on their way, as ``leadwright demo`` shows them: a table that changes on a terminal, else a line a deed."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

_COLOURS = {"REPLY_RECEIVED": "bold green", "DONE": "dim", "CONNECTION_ACCEPTED": "cyan", "MESSAGE_SENT": "cyan"}
_DEEDS = {
    "visit_profile": "visited",
    "connect": "invited",
    "message": "messaged",
    "withdraw_connection": "invitation withdrawn",
}
_TOLD = {"connection_accepted": "accepted", "replied": "replied"}


@dataclass(slots=True)
class Walker:
    """A lead as it was last looked at; ``history`` as the API tells it, ``why`` likewise."""

    id: str
    name: str
    status: str
    why: dict[str, Any]
    history: list[dict[str, Any]]

    @property
    def deeds(self) -> list[tuple[str, str]]:
        """When, and what was done by or to the lead."""
        told = [(entry["at"], described(entry)) for entry in self.history]
        return [(at, what) for at, what in told if what]

    @property
    def next_step(self) -> str:
        step = self.why["nextStep"]
        return "-" if step is None else step["id"]

    def is_held_by(self, rule: str) -> bool:
        return any(held["rule"] == rule for held in self.why["heldBy"])


def described(entry: dict[str, Any]) -> str:
    """A deed in words; empty for what is no deed."""
    if entry["type"] == "performed":
        detail = entry["detail"]
        variant = f", variant {'AB'[detail['variant']]}" if entry["stepId"] == "hello" else ""
        return _DEEDS[detail["kind"]] + variant
    return _TOLD.get(entry["type"], "")


@dataclass(slots=True)
class Board:
    """Use ``live()`` around the looks that are shown."""

    console: Console
    _live: Live | None = None
    _shown: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])

    @contextmanager
    def live(self) -> Generator[None]:
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, auto_refresh=False, vertical_overflow="visible") as self._live:
            yield

    def show(self, walkers: Sequence[Walker], seconds: float) -> None:
        """``seconds`` since the start."""
        if self._live is not None:
            self._live.update(_table(walkers, seconds), refresh=True)
        else:
            self._tell(walkers)

    def _tell(self, walkers: Sequence[Walker]) -> None:
        told = {(at, walker.name, what) for walker in walkers for at, what in walker.deeds}
        for at, name, what in sorted(told - self._shown):
            self.console.print(Text(f"{at[11:22]}  {name:<16}{what}"))
        self._shown |= told


def _table(walkers: Sequence[Walker], seconds: float) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, caption=f"{seconds:.1f} s", caption_justify="left")
    for column, width in (("lead", 14), ("status", 20), ("next step", 10), ("last deed", 22)):
        table.add_column(column, min_width=width)
    for walker in walkers:
        last = walker.deeds[-1][1] if walker.deeds else "-"
        status = Text(walker.status, style=_COLOURS.get(walker.status, ""))
        table.add_row(Text(walker.name), status, Text(walker.next_step), Text(last))
    return table
