"""The command ``leadwright``: its groups of commands, and how a fault becomes one line and an exit code."""

import io
import os
import sys
from typing import Annotated

import typer

from leadwright.cli import (
    campaigns,
    db,
    demo,
    doctor,
    forecast,
    identity,
    keys,
    leads,
    serve,
    simulate,
    work,
    workspaces,
)

app = typer.Typer(
    name="leadwright",
    help="A self-hosted outreach server that speaks the SendPilot API.",
    epilog="Settings are LEADWRIGHT_… variables. Exit codes: 0 done, 1 failed, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Boxes and colours are for people; importing what draws them takes a third of the time of --help.
    rich_markup_mode="rich" if sys.stdout is not None and sys.stdout.isatty() else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(work.work)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(identity.identity)
app.command()(forecast.forecast)
app.command()(simulate.simulate)
app.add_typer(keys.app, name="keys")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(leads.app, name="leads")
app.add_typer(db.app, name="db")


def _show_version(wanted: bool) -> None:
    if wanted:
        from leadwright import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction] -- typer calls it
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    del version


def _open_standard_streams() -> None:
    """Puts nothing where a stream was closed: else the next file or socket takes its number, and is written to."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 -- for as long as the process
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def run() -> None:
    """Runs the command line and exits: 0 done, 1 failed, 2 wrong usage. A fault is one line on stderr."""
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="leadwright")
    except Exception as error:
        from leadwright.cli.faults import explained

        fault = explained(error)
        if fault is None:
            raise
        sys.stderr.write(f"leadwright: {fault.line}\n")
        sys.exit(fault.exit_code)
