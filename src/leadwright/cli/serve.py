"""``leadwright serve``: the server."""

import contextlib
import signal
from typing import Annotated

import typer

DEFAULT_PORT = 8080


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    dev: Annotated[
        bool,
        typer.Option("--dev", help="Also make a first campaign and a fresh key, and show how to use them."),
    ] = False,
    no_work: Annotated[
        bool, typer.Option("--no-work", help="Only answer requests, and leave the rest to `leadwright work`.")
    ] = False,
) -> None:
    """Run the server.

    With the embedded database, unless LEADWRIGHT_DATABASE_URL names another.

    Logs go to standard error. SIGTERM and ^C let the requests under way finish, within 10 seconds.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        from leadwright.cli import process

        process.serve(host, port, dev=dev, working=not no_work)
