"""``leadwright workspaces``: who owns what."""

from typing import Annotated

import typer

app = typer.Typer(help="Make and list workspaces.", no_args_is_help=True)


@app.command()
def create(name: Annotated[str, typer.Option("--name", help="Up to 200 characters.")]) -> None:
    """Make a workspace and print its id, alone on the last line."""
    from leadwright.accounts import service
    from leadwright.cli.session import in_transaction
    from leadwright.ids import Prefix, public

    made = in_transaction(lambda session: service.create_workspace(session.connection, name, session.now))
    print(public(Prefix.WORKSPACE, made.id))


@app.command("list")
def list_workspaces(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the workspaces, oldest first; the first is the default one."""
    from leadwright.accounts import store
    from leadwright.cli.output import show_json, show_table
    from leadwright.cli.session import in_transaction
    from leadwright.clock import iso
    from leadwright.ids import Prefix, public

    found = [
        {"id": public(Prefix.WORKSPACE, each.id), "name": each.name, "createdAt": iso(each.created_at)}
        for each in in_transaction(lambda session: store.workspaces(session.connection))
    ]
    if as_json:
        show_json(found)
    else:
        show_table(("id", "name", "createdAt"), [list(each.values()) for each in found])
