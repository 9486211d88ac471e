"""The JSON about keys, workspaces and allowances."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from leadwright.accounts.model import ALL_SCOPES, ApiKey, AuditEntry, Principal, Scope, Workspace
from leadwright.accounts.service import NAME_LIMIT
from leadwright.clock import iso
from leadwright.http.moments import Moment
from leadwright.ids import Prefix, public


class MyKey(BaseModel):
    id: str
    name: str
    scopes: list[str] = Field(description="All that it may do, each by name.")
    expiresAt: str | None
    rateLimit: int = Field(description="Requests a second.")


class WorkspaceName(BaseModel):
    id: str
    name: str


class Subscription(BaseModel):
    status: str = Field(description="Always `active`: a server of one's own has nothing to subscribe to.")


class Me(BaseModel):
    apiKey: MyKey
    workspace: WorkspaceName
    subscription: Subscription
    missingScopes: list[str] = Field(description="Always empty; what a key lacks is told where it is asked for.")


def me(principal: Principal, workspace: Workspace, rate_limit: int) -> Me:
    key = MyKey(
        id=public(Prefix.API_KEY, principal.key_id),
        name=principal.key_name,
        scopes=_named(principal.scopes),
        expiresAt=iso(principal.expires_at) if principal.expires_at else None,
        rateLimit=rate_limit,
    )
    return Me(
        apiKey=key, workspace=workspace_name(workspace), subscription=Subscription(status="active"), missingScopes=[]
    )


def _named(scopes: Sequence[str]) -> list[str]:
    return [scope.value for scope in Scope] if ALL_SCOPES in scopes else list(scopes)


class Credits(BaseModel):
    """An allowance without a price: nothing here is sold, and nothing uses it up."""

    available: int
    subscription: int
    purchased: int
    used: int
    nextResetDate: str


def credits_of(allowance: int, now: datetime) -> Credits:
    """The allowance is whole again on the first of each month."""
    year, month = divmod(now.year * 12 + now.month, 12)
    first = now.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return Credits(available=allowance, subscription=allowance, purchased=0, used=0, nextResetDate=iso(first))


class NewKey(BaseModel):
    name: str = Field(min_length=1, max_length=NAME_LIMIT, examples=["crm"])
    scopes: list[str] = Field(
        default_factory=list,
        max_length=len(Scope),
        description="Empty: all that your own key may do.",
        json_schema_extra={"items": {"type": "string", "enum": [scope.value for scope in Scope]}},
    )
    expiresAt: Moment | None = Field(None, examples=["2030-01-01T00:00:00.000Z"])


class KeyBody(BaseModel):
    id: str
    name: str
    shown: str = Field(description="Its first characters: all that can be shown of it.")
    scopes: list[str]
    createdAt: str
    expiresAt: str | None
    revokedAt: str | None
    lastUsedAt: str | None


class KeyMade(KeyBody):
    secret: str | None = Field(description="The key. Shown this once; null when the answer is a replay.")


class Keys(BaseModel):
    keys: list[KeyBody]
    total: int


class KeyRevoked(BaseModel):
    success: bool
    id: str


def key_body(key: ApiKey) -> KeyBody:
    return KeyBody(
        id=public(Prefix.API_KEY, key.id),
        name=key.name,
        shown=key.shown,
        scopes=_named(key.scopes),
        createdAt=iso(key.created_at),
        expiresAt=_iso(key.expires_at),
        revokedAt=_iso(key.revoked_at),
        lastUsedAt=_iso(key.last_used_at),
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def key_made(key: ApiKey, secret: str) -> KeyMade:
    return KeyMade(**key_body(key).model_dump(), secret=secret)


class AuditEntryBody(BaseModel):
    id: str
    at: str
    action: str = Field(description="What was done: the route's operation id, or a command.", examples=["add_leads"])
    path: str = Field(description="The path and query of the request.")
    status: int = Field(description="As it was answered; 0 for a command.")
    keyId: str | None = Field(description="Null for the command line.")
    keyName: str
    address: str | None
    requestId: str | None


class AuditLog(BaseModel):
    entries: list[AuditEntryBody]
    nextCursor: str | None = Field(description="Where to go on; null on the last page.")


def audit_log(fetched: Sequence[AuditEntry], limit: int) -> AuditLog:
    """``fetched`` holds up to one entry more than the page shows."""
    shown = fetched[:limit]
    entries = [
        AuditEntryBody(
            id=entry.id,
            at=iso(entry.at),
            action=entry.action,
            path=entry.path,
            status=entry.status,
            keyId=public(Prefix.API_KEY, entry.key_id) if entry.key_id else None,
            keyName=entry.key_name,
            address=entry.address,
            requestId=entry.request_id,
        )
        for entry in shown
    ]
    return AuditLog(entries=entries, nextCursor=shown[-1].id if len(fetched) > limit else None)


class WorkspaceBody(WorkspaceName):
    createdAt: str


class WorkspaceChange(BaseModel):
    name: str = Field(min_length=1, max_length=NAME_LIMIT, examples=["Acme outreach"])


def workspace_name(workspace: Workspace) -> WorkspaceName:
    return WorkspaceName(id=public(Prefix.WORKSPACE, workspace.id), name=workspace.name)


def workspace_body(workspace: Workspace) -> WorkspaceBody:
    return WorkspaceBody(**workspace_name(workspace).model_dump(), createdAt=iso(workspace.created_at))
