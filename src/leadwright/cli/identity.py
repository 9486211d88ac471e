"""``leadwright identity``: what the server makes of LinkedIn addresses."""

from typing import Annotated, Any

import typer

_COLUMNS = ("url", "kind", "key", "code", "reason")


def identity(
    urls: Annotated[list[str], typer.Argument(metavar="URL", help="LinkedIn addresses in any spelling.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """Show whom LinkedIn addresses name.

    Equal kind and key mean one person.

    Needs no database. Exits with 1 when an address names nobody.
    """
    from leadwright.cli.output import show_json, show_table

    found = [_body(url) for url in urls]
    if as_json:
        show_json(found)
    else:
        show_table(_COLUMNS, [[each[column] for column in _COLUMNS] for each in found])
    if any(each["code"] for each in found):
        raise typer.Exit(1)


def _body(url: str) -> dict[str, Any]:
    from leadwright.identity import Identity, linkedin_identity

    told = linkedin_identity(url)
    if isinstance(told, Identity):
        return {"url": url, "kind": told.kind.value, "key": told.key, "code": None, "reason": None}
    return {"url": url, "kind": None, "key": None, "code": told.code.value, "reason": told.reason}
