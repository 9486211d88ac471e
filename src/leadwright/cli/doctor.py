"""``leadwright doctor``: what is wrong with this installation, and what to do about it."""

from typing import Annotated

import typer

from leadwright.cli.serve import DEFAULT_PORT


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port that `serve` is to have.")] = DEFAULT_PORT,
) -> None:
    """Say what is wrong here and what to do about it.

    Checks settings, data folder, secret key, database, port and time zones; changes and starts nothing.

    Exits with 1 when a check failed; warnings do not count.
    """
    from dataclasses import asdict

    from leadwright.cli import checks
    from leadwright.cli.output import show_json, show_table

    findings = checks.examine(port)
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        show_table(
            ("check", "result", "found", "what to do"),
            [(finding.check, finding.result.value, finding.found, finding.advice) for finding in findings],
        )
    if any(finding.result is checks.Result.FAIL for finding in findings):
        raise typer.Exit(1)
