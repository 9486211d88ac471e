"""``python -m bench``: the default set, a few minutes, and one table of ratios at its end."""

import argparse
import time
from collections.abc import Callable, Mapping

from bench import curve, deliveries, engine, forecast, identity, ingest, memory, reads, report, startup
from bench.report import Result

DEFAULT_SET: Mapping[str, Callable[[], list[Result]]] = {
    "startup": lambda: startup.measure(times=3),
    "ingest": lambda: ingest.measure(batches=200, rounds=5),
    "curve": lambda: curve.measure(curve.SMALL, curve.DEFAULT),
    "reads": lambda: reads.measure(reads.DEFAULT),
    "memory": lambda: memory.measure(memory.SMALL),
    "deliveries": deliveries.measure,
    "engine": lambda: engine.measure(engine.DEFAULT),
    "forecast": lambda: forecast.measure(rounds=1),
    "identity": identity.measure,
}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(DEFAULT_SET)}; all of them")
    asked = options.parse_args().names or list(DEFAULT_SET)
    if unknown := set(asked) - set(DEFAULT_SET):
        options.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    report.show_machine()
    began = time.monotonic()
    results = [result for name in asked for result in _run(name)]
    print(f"\nall in {time.monotonic() - began:.0f} s")
    report.show(results)


def _run(name: str) -> list[Result]:
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    found = DEFAULT_SET[name]()
    print(f"\n{name} took {time.monotonic() - began:.0f} s", flush=True)
    return found


if __name__ == "__main__":
    main()
