"""The one table that benchmarks end with: what was measured, what it should be, and whether it is."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """A ratio, or a figure with its unit. At most one of the two goals is set."""

    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """None when there is no goal."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def cells(self) -> tuple[str, str, str, str]:
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return self.what, _shown(self.value, self.unit), self._goal(), verdict

    def _goal(self) -> str:
        if self.at_least is not None:
            return f"at least {_shown(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"at most {_shown(self.at_most, self.unit)}"


def _shown(value: float, unit: str) -> str:
    digits = 2 if abs(value) < 100 else 0
    return f"{value:,.{digits}f} {unit}".rstrip()


def short(count: int) -> str:
    """100 k, 1.5 M."""
    return f"{count / 1_000_000:g} M" if count >= 1_000_000 else f"{count / 1_000:g} k"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell: the first to the left, the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def show(results: Sequence[Result]) -> None:
    print("\n" + table(("measure", "value", "goal", ""), [result.cells for result in results]))


def show_machine() -> None:
    """One line to put above figures; ratios are read with the load in mind."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())
