"""``leadwright keys``: API keys."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadwright.accounts.model import ApiKey

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

_COLUMNS = (
    "id",
    "name",
    "workspaceId",
    "prefix",
    "scopes",
    "createdAt",
    "expiresAt",
    "revokedAt",
    "lastUsedAt",
)
_BRIEFLY = ("id", "name", "prefix", "scopes", "state")
"""What fits a terminal of 80 columns."""


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What the key is for.")],
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="Such as leads:write; repeatable. Without it, everything."),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="ID", help="Without it, the default workspace.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="D", help="30d, 12h, 2030-12-31 or 2030-12-31T18:00:00Z. Without it, never."),
    ] = None,
) -> None:
    """Make an API key and print it, alone on the last line.

    It is stored as a hash and cannot be shown again.
    """
    from leadwright.accounts import service
    from leadwright.cli.output import remark
    from leadwright.cli.session import Session, in_transaction
    from leadwright.ids import Prefix, public

    expires_at = _expiry(expires)

    async def work(session: Session) -> "tuple[ApiKey, str]":
        key, secret = await service.create_key(
            session.connection,
            name=name,
            scopes=scopes or (),
            workspace_id=_workspace_id(workspace),
            expires_at=expires_at,
            now=session.now,
        )
        told = public(Prefix.API_KEY, key.id)
        await service.audit_command(session.connection, key.workspace_id, "keys create", told, session.now)
        return key, secret

    key, secret = in_transaction(work)
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    shown = f"{public(Prefix.API_KEY, key.id)} ({', '.join(key.scopes)})"
    remark(f"Key {shown} is good {until}. It is shown only now:")
    print(secret)


@app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the API keys of all workspaces, oldest first."""
    from leadwright.accounts import store
    from leadwright.cli.output import show_json, show_table
    from leadwright.cli.session import in_transaction

    found = [_body(key) for key in in_transaction(lambda session: store.keys(session.connection))]
    if as_json:
        show_json(found)
        return
    rows = [key | {"scopes": " ".join(key["scopes"]), "state": _state(key)} for key in found]
    columns = _BRIEFLY if sys.stdout.isatty() else _COLUMNS
    show_table(columns, [[row[column] for column in columns] for row in rows])


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it: key_…")],
) -> None:
    """End a key at once, in every running process."""
    from leadwright.accounts import service
    from leadwright.cli.output import remark
    from leadwright.cli.session import in_transaction
    from leadwright.ids import Prefix, bare

    wanted = bare(Prefix.API_KEY, key_id)
    in_transaction(lambda session: service.revoke_key(session.connection, wanted, session.now))
    remark(f"Key {key_id} is revoked.")


def _workspace_id(text: str | None) -> str | None:
    """The bare id. Raises NotFound for a text that cannot be one, like the service for an unknown one."""
    from leadwright.errors import NotFound
    from leadwright.ids import Prefix, bare

    if text is None:
        return None
    known = bare(Prefix.WORKSPACE, text)
    if known is None:
        raise NotFound("Workspace not found; `leadwright workspaces list` shows them", code="workspace_not_found")
    return known


def _expiry(text: str | None) -> datetime | None:
    from leadwright.cli.expiry import read_expiry
    from leadwright.clock import system_clock

    try:
        return None if text is None else read_expiry(text, system_clock())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expires") from error


def _body(key: "ApiKey") -> dict[str, Any]:
    from leadwright.clock import iso
    from leadwright.ids import Prefix, public

    return {
        "id": public(Prefix.API_KEY, key.id),
        "name": key.name,
        "workspaceId": public(Prefix.WORKSPACE, key.workspace_id),
        "prefix": key.shown,
        "scopes": list(key.scopes),
        "createdAt": iso(key.created_at),
        "expiresAt": iso(key.expires_at) if key.expires_at else None,
        "revokedAt": iso(key.revoked_at) if key.revoked_at else None,
        "lastUsedAt": iso(key.last_used_at) if key.last_used_at else None,
    }


def _state(key: dict[str, Any]) -> str:
    from leadwright.clock import iso, system_clock

    if key["revokedAt"] is not None:
        return "revoked"
    ended = key["expiresAt"] is not None and key["expiresAt"] <= iso(system_clock())
    return "expired" if ended else "active"
