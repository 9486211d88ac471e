"""``leadwright demo``: the main job, shown on a scratch data folder."""

import signal

import typer


def demo() -> None:
    """Start everything on a scratch folder, add leads over HTTP, and show what the server makes of them.

    Takes a few seconds and leaves nothing behind. Exits with 1 when an answer was not as it should be.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from leadwright.cli import walkthrough

    if not walkthrough.run():
        raise typer.Exit(1)
