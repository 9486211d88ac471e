"""``leadwright keys``: API keys."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadwright.cli.remote import Key, Url, connected

if TYPE_CHECKING:
    from leadwright.accounts.model import ApiKey
    from leadwright.client.answers import account as answers

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
    url: Url = None,
    key: Key = None,
) -> None:
    """Make an API key and print it, alone on the last line.

    It is stored as a hash and cannot be shown again. On a server it belongs to the workspace of --key, and may do no
    more than that.
    """
    from leadwright.cli.output import remark

    if url and workspace is not None:
        raise typer.BadParameter("a server makes keys for the workspace of --key alone", param_hint="--workspace")
    expires_at = _expiry(expires)
    if url:
        with connected(url, key) as client:
            granted = client.account.create_key(name, scopes=scopes or (), expires_at=expires_at)
        told, end, secret = f"{granted.id} ({', '.join(granted.scopes)})", granted.expires_at, granted.secret
    else:
        made, secret = _make(name, scopes or (), workspace, expires_at)
        told, end = f"{_body(made)['id']} ({', '.join(made.scopes)})", made.expires_at
    until = f"until {end:%Y-%m-%d %H:%M} UTC" if end else "until it is revoked"
    remark(f"Key {told} is good {until}. It is shown only now:")
    print(secret)


def _make(name: str, scopes: Sequence[str], workspace: str | None, expires_at: datetime | None) -> "tuple[ApiKey, str]":
    from leadwright.accounts import service
    from leadwright.cli.session import Session, in_transaction
    from leadwright.ids import Prefix, public

    async def work(session: Session) -> "tuple[ApiKey, str]":
        key, secret = await service.create_key(
            session.connection,
            name=name,
            scopes=scopes,
            workspace_id=_workspace_id(workspace),
            expires_at=expires_at,
            now=session.now,
        )
        told = public(Prefix.API_KEY, key.id)
        await service.audit_command(session.connection, key.workspace_id, "keys create", told, session.now)
        return key, secret

    return in_transaction(work)


@app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List the API keys of all workspaces, oldest first; on a server, those of the workspace of --key."""
    from leadwright.accounts import store
    from leadwright.cli.output import show_json, show_table
    from leadwright.cli.session import in_transaction

    if url:
        found = _remote(url, key)
    else:
        found = [_body(each) for each in in_transaction(lambda session: store.keys(session.connection))]
    if as_json:
        show_json(found)
        return
    rows = [each | {"scopes": " ".join(each["scopes"]), "state": _state(each)} for each in found]
    columns = _BRIEFLY if sys.stdout.isatty() else _COLUMNS
    show_table(columns, [[row[column] for column in columns] for row in rows])


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it: key_…")],
    url: Url = None,
    key: Key = None,
) -> None:
    """End a key at once, in every running process."""
    from leadwright.accounts import service
    from leadwright.cli.output import remark
    from leadwright.cli.session import in_transaction
    from leadwright.ids import Prefix, bare

    if url:
        with connected(url, key) as client:
            client.account.revoke_key(key_id)
    else:
        wanted = bare(Prefix.API_KEY, key_id)
        in_transaction(lambda session: service.revoke_key(session.connection, wanted, session.now))
    remark(f"Key {key_id} is revoked.")


def _remote(url: str, key: str | None) -> list[dict[str, Any]]:
    with connected(url, key) as client:
        workspace = client.account.me().workspace.id
        return [_remote_body(each, workspace) for each in client.account.keys().keys]


def _remote_body(key: "answers.Key", workspace: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "workspaceId": workspace,
        "prefix": key.shown,
        "scopes": key.scopes,
        **{
            f"{name}At": None if moment is None else _iso(moment)
            for name, moment in (
                ("created", key.created_at),
                ("expires", key.expires_at),
                ("revoked", key.revoked_at),
                ("lastUsed", key.last_used_at),
            )
        },
    }


def _iso(moment: datetime) -> str:
    from leadwright.clock import iso

    return iso(moment)


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
