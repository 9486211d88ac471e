"""How long a user waits: for the help, for a server that is ready, for the demo."""

import argparse
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench import report
from bench.processes import LEADWRIGHT, SERVE, environment, running, scratch_folder, wait_until_stopped
from bench.report import Result
from leadwright.postgres.embedded import attach


def seconds_of(command: Sequence[str], data_dir: Path) -> float:
    """From the start of a command to its end. Raises CalledProcessError when it fails."""
    began = time.perf_counter()
    subprocess.run(command, env=environment(data_dir), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return time.perf_counter() - began


def seconds_until_ready(data_dir: Path) -> float:
    """From the start of ``serve`` to the line that says it is ready."""
    began = time.perf_counter()
    with running(SERVE, environment(data_dir)):
        return time.perf_counter() - began


def on_a_new_folder() -> float:
    with scratch_folder() as folder:
        return seconds_until_ready(folder)


def with_the_database_down(folder: Path) -> float:
    wait_until_stopped(folder)
    return seconds_until_ready(folder)


def measure(times: int) -> list[Result]:
    """Medians of ``times``; a first run of each, which meets a cold file cache, is not counted."""
    with scratch_folder() as folder:
        found = [
            Result(
                "leadwright --help",
                _median(times, lambda: seconds_of((*LEADWRIGHT, "--help"), folder)),
                "s",
                at_most=0.5,
            ),
            Result("serve ready, new data folder", _median(times, on_a_new_folder), "s", at_most=6.0),
            Result(
                "serve ready, database stopped",
                _median(times, lambda: with_the_database_down(folder)),
                "s",
                at_most=2.0,
            ),
        ]
        with attach(folder):
            beside = _median(times, lambda: seconds_until_ready(folder))
        found.append(Result("serve ready, database running", beside, "s", at_most=2.0))
        demo = _median(max(1, times // 2), lambda: seconds_of((*LEADWRIGHT, "demo"), folder))
        return [*found, Result("leadwright demo", demo, "s", at_most=20.0)]


def _median(times: int, run: Callable[[], float]) -> float:
    run()
    return median(run() for _ in range(times))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=5)
    asked = options.parse_args()
    report.show_machine()
    report.show(measure(asked.times))


if __name__ == "__main__":
    main()
