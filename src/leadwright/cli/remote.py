"""Commands that work on a server somewhere else, over its API: which server, and by which key."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from leadwright.client import Client

URL_VARIABLE = "LEADWRIGHT_URL"
API_KEY_VARIABLE = "LEADWRIGHT_API_KEY"
"""Beside the settings of a server, which they are not."""

Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="ADDRESS", envvar=URL_VARIABLE, help="Work on the server at this address, by its API."
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        envvar=API_KEY_VARIABLE,
        help="The API key for it. The variable keeps it out of the list of processes.",
        show_default=False,
    ),
]


@contextmanager
def connected(url: str | None, key: str | None) -> "Generator[Client]":
    """A client of the server that is named. Raises CommandError when address or key is missing or cannot be one."""
    from leadwright.cli.faults import CommandError
    from leadwright.client import Client

    if not url:
        raise CommandError(f"This works on a server: give its address by --url or {URL_VARIABLE}")
    if not key:
        raise CommandError(f"The server at {url} wants an API key: give it by {API_KEY_VARIABLE} or --key")
    try:
        client = Client(url, key)
    except ValueError as error:
        raise CommandError(str(error)) from error
    with client:
        yield client
