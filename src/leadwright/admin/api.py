"""The routes about the caller's key, its workspace and that workspace's keys."""

from typing import Annotated

from fastapi import Depends, Query, Request

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.admin import wire
from leadwright.http.paging import paging
from leadwright.http.route import ANY_KEY, CurrentCall, api_router, needs
from leadwright.pages import Page
from leadwright.settings import Settings

router = api_router("account")


@router.get("/me", summary="Who am I", operation_id="read_me", response_model=wire.Me, openapi_extra=needs(ANY_KEY))
async def read_me(call: CurrentCall, request: Request) -> wire.Me:
    """The key that asks, what it may do, and its workspace."""
    settings: Settings = request.app.state.settings
    workspace = await accounts.workspace(call.connection, call.workspace_id)
    return wire.me(call.principal, workspace, settings.rate_limit)


@router.get(
    "/credits",
    summary="Read the allowance",
    operation_id="read_credits",
    response_model=wire.Credits,
    openapi_extra=needs("workspace:read"),
)
async def read_credits(call: CurrentCall, request: Request) -> wire.Credits:
    """A server of one's own sells nothing: the allowance is a setting, for clients that ask."""
    settings: Settings = request.app.state.settings
    return wire.credits_of(settings.credits, call.now)


@router.get(
    "/workspace",
    summary="Read the workspace",
    operation_id="read_workspace",
    response_model=wire.WorkspaceBody,
    openapi_extra=needs("workspace:read"),
)
async def read_workspace(call: CurrentCall) -> wire.WorkspaceBody:
    """The workspace that the key acts for."""
    return wire.workspace_body(await accounts.workspace(call.connection, call.workspace_id))


@router.patch(
    "/workspace",
    summary="Rename the workspace",
    operation_id="rename_workspace",
    response_model=wire.WorkspaceBody,
    openapi_extra=needs("keys:manage"),
)
async def rename_workspace(body: wire.WorkspaceChange, call: CurrentCall) -> wire.WorkspaceBody:
    """Further workspaces are made on the command line, by who runs the server."""
    return wire.workspace_body(await accounts.rename_workspace(call.connection, call.workspace_id, body.name))


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    operation_id="create_key",
    response_model=wire.KeyMade,
    openapi_extra=needs("keys:manage"),
)
async def create_key(body: wire.NewKey, call: CurrentCall) -> wire.KeyMade:
    """A key of this workspace, which may do no more than yours. `secret` is shown this once."""
    key, secret = await accounts.grant_key(
        call.connection, call.principal, name=body.name, scopes=body.scopes, expires_at=body.expiresAt, now=call.now
    )
    return wire.key_made(key, secret)


@router.get(
    "/keys",
    summary="List keys",
    operation_id="list_keys",
    response_model=wire.Keys,
    openapi_extra=needs("keys:manage"),
)
async def list_keys(call: CurrentCall) -> wire.Keys:
    """Those of this workspace, oldest first, the revoked ones too."""
    keys = await accounts.keys_of(call.connection, call.workspace_id)
    return wire.Keys(keys=[wire.key_body(key) for key in keys], total=len(keys))


@router.delete(
    "/keys/{key_id}",
    summary="Revoke a key",
    operation_id="revoke_key",
    response_model=wire.KeyRevoked,
    openapi_extra=needs("keys:manage"),
)
async def revoke_key(key_id: str, call: CurrentCall) -> wire.KeyRevoked:
    """At once, in every process. A key may revoke itself."""
    bare = ids.bare(ids.Prefix.API_KEY, key_id)
    await accounts.revoke_key_of(call.connection, call.workspace_id, bare, call.now)
    return wire.KeyRevoked(success=True, id=key_id)


@router.get(
    "/audit",
    summary="Read the audit log",
    operation_id="read_audit_log",
    response_model=wire.AuditLog,
    openapi_extra=needs("audit:read"),
)
async def read_audit_log(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    key_id: Annotated[str | None, Query(alias="keyId", description="Only what this key did.")] = None,
    action: Annotated[str | None, Query(description="Only this: `add_leads`, …")] = None,
) -> wire.AuditLog:
    """What was changed, when, by which key, from which address: oldest first, by cursor. Nobody can change it."""
    key = None if key_id is None else accounts.known_key_id(key_id)
    fetched = await accounts.audit_log(
        call.connection, call.workspace_id, key_id=key, action=action, after=page.after, limit=page.limit + 1
    )
    return wire.audit_log(fetched, page.limit)
