"""``leadwright demo``: from adding leads to the end of their sequence, shown on a scratch data folder."""

import signal

import typer


def demo() -> None:
    """Show on a scratch folder what the server does with leads.

    Starts everything, adds leads over HTTP, has them walk a sequence with simulated people, checks what comes back.

    Takes about ten seconds and leaves nothing behind. Exits with 1 when an answer was not as it should be.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from leadwright.cli import walkthrough

    if not walkthrough.run():
        raise typer.Exit(1)
