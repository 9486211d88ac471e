"""``leadwright campaigns``: what leads can be added to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadwright.cli.remote import Key, Url, connected

if TYPE_CHECKING:
    from leadwright.campaigns.model import Overview
    from leadwright.cli.session import Session

app = typer.Typer(help="List campaigns.", no_args_is_help=True)

_COLUMNS = ("id", "name", "status", "totalLeads", "workspaceId", "createdAt")
_PAGE = 100


@app.command("list")
def list_campaigns(
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="ID", help="Only this workspace's. Without it, all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List campaigns with their status and number of leads, oldest first.

    On a server, those of the key's workspace.
    """
    from leadwright.cli.output import show_json, show_table
    from leadwright.cli.session import in_transaction

    found = _remote(url, key) if url else in_transaction(lambda session: _campaigns(session, workspace))
    if as_json:
        show_json(found)
    else:
        show_table(_COLUMNS, [[each[column] for column in _COLUMNS] for each in found])


def _remote(url: str, key: str | None) -> list[dict[str, Any]]:
    from leadwright.clock import iso

    with connected(url, key) as client:
        workspace = client.account.me().workspace.id
        return [
            {
                "id": each.id,
                "name": each.name,
                "status": each.status,
                "totalLeads": each.total_leads,
                "workspaceId": workspace,
                "createdAt": iso(each.created_at),
            }
            for each in client.campaigns.every()
        ]


async def _campaigns(session: "Session", workspace: str | None) -> list[dict[str, Any]]:
    """Raises NotFound for a workspace that does not exist."""
    from leadwright.accounts import store
    from leadwright.errors import NotFound
    from leadwright.ids import Prefix, bare

    existing = await store.workspaces(session.connection)
    wanted = [each.id for each in existing if workspace is None or each.id == bare(Prefix.WORKSPACE, workspace)]
    if not wanted:
        raise NotFound("Workspace not found; `leadwright workspaces list` shows them", code="workspace_not_found")
    return [
        _body(workspace_id, overview)
        for workspace_id in wanted
        for overview in await _of_workspace(session, workspace_id)
    ]


async def _of_workspace(session: "Session", workspace_id: str) -> "Sequence[Overview]":
    from leadwright.campaigns import service

    found: list[Overview] = []
    while True:
        shown, _ = await service.page(
            session.connection,
            workspace_id,
            status=None,
            after=found[-1].id if found else None,
            offset=0,
            limit=_PAGE,
        )
        found += shown
        if len(shown) < _PAGE:
            return found


def _body(workspace_id: str, overview: "Overview") -> dict[str, Any]:
    from leadwright.clock import iso
    from leadwright.ids import Prefix, public

    return {
        "id": public(Prefix.CAMPAIGN, overview.id),
        "name": overview.campaign.settings.name,
        "status": overview.campaign.status.value,
        "totalLeads": overview.totals.leads,
        "workspaceId": public(Prefix.WORKSPACE, workspace_id),
        "createdAt": iso(overview.campaign.created_at),
    }
