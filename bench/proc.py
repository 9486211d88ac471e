"""What Linux says of processes: who belongs to a database, the memory they hold, the processor time they used."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the second, the name, may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    return [each for each in _pids() if _parent(each) == pid]


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return None


def processor_seconds(pid: int) -> float:
    """User and system time of a process and of its children, ended ones included if it has waited for them."""
    own = sum(map(int, _stat(pid)[11:15]))
    return own / _TICKS + sum(_own_seconds(child) for child in children(pid))


def _own_seconds(pid: int) -> float:
    try:
        return sum(map(int, _stat(pid)[11:13])) / _TICKS
    except OSError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. ``private`` no other process maps; ``proportional`` adds a share of what some do."""

    private: int = 0
    proportional: int = 0

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.private + other.private, self.proportional + other.proportional)


def memory(pids: Iterable[int]) -> Memory:
    """Without shared memory, PostgreSQL's buffers above all: a page of it that one process alone has touched counts
    as private in smaps_rollup. A process that has ended meanwhile counts nothing."""
    return sum((_memory(pid) for pid in pids), Memory())


def _memory(pid: int) -> Memory:
    private = proportional = 0
    shared = False
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
    except OSError:
        return Memory()
    for line in lines:
        name, _, rest = line.partition(" ")
        if not name.endswith(":"):
            shared = rest[3] == "s"
        elif not shared and name in ("Private_Clean:", "Private_Dirty:"):
            private += int(rest.split()[0]) * 1024
        elif not shared and name == "Pss:":
            proportional += int(rest.split()[0]) * 1024
    return Memory(private, proportional)
