"""``leadwright work``: what goes on behind the requests, in a process of its own."""

import contextlib
import signal
from typing import Annotated

import typer


def work(
    deliveries: Annotated[bool, typer.Option("--deliveries", help="Deliver webhooks.")] = False,
    engine: Annotated[bool, typer.Option("--engine", help="Plan and perform the steps of leads.")] = False,
) -> None:
    """Do the background work without answering requests.

    The options choose what; without any it is everything. Several processes share the work, on one machine or on many.
    `serve --no-work` leaves it to them.

    Logs go to standard error. SIGTERM and ^C let what is under way finish, within 10 seconds.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        from leadwright.cli import process
        from leadwright.workers import ALL_PARTS, Part

        wanted = {Part.DELIVERIES: deliveries, Part.ENGINE: engine}
        process.work(frozenset(part for part in wanted if wanted[part]) or ALL_PARTS)
