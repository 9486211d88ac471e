"""The JSON of leads: reports of the add route, and the shapes that the documents show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from leadwright.clock import iso
from leadwright.http.paging import Paged
from leadwright.ids import Prefix, public
from leadwright.leads.model import (
    MOST_CONTACT_DAYS,
    MOST_LEADS_A_REQUEST,
    Lead,
    LeadStatus,
    Outcome,
    Result,
    as_sent,
)

PROFILE_FIELDS = ("about", "location", "industry", "website")
LEARNED_FIELDS = ("profilePictureUrl", "followerCount", "connectionCount", "isPremium", "isOpenProfile")


class SkipIfBody(BaseModel):
    """A person for whom one of these holds, and who is not in the campaign, is left out and counts as a duplicate."""

    model_config = ConfigDict(extra="forbid")

    contactedWithinDays: int | None = Field(
        None, ge=1, le=MOST_CONTACT_DAYS, description="An invitation, message or e-mail went to them since."
    )
    inActiveCampaign: bool | None = Field(None, description="They are on the way in another started campaign.")
    sameCompanyReplied: bool | None = Field(None, description="Somebody whose lead has the same company replied.")


class LeadRow(BaseModel):
    """One lead of a request. Every other key is a custom field: any JSON scalar, kept with its type."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | float | bool | None]  # type: ignore[reportIncompatibleVariableOverride]

    linkedinUrl: str = Field(description="A LinkedIn profile address, in any usual spelling.", max_length=2048)
    firstName: str | None = None
    lastName: str | None = None
    company: str | None = None
    title: str | None = None
    email: str | None = None
    customFields: dict[str, str | int | float | bool | None] | SkipJsonSchema[None] = Field(
        None, description="Custom fields in the nested form of older clients; a flat key wins."
    )


class AddLeadsBody(BaseModel):
    """The documented form of what ``read_add_leads`` reads by hand; a test holds the two against each other."""

    campaignId: str = Field(description="The campaign to add leads to.", min_length=1)
    leads: list[LeadRow] = Field(min_length=1, max_length=MOST_LEADS_A_REQUEST)
    onDuplicate: Literal["skip", "fill", "overwrite"] | None = Field(
        "skip", description="What a row does when its person is in the campaign: nothing, fill empty fields, overwrite."
    )
    skipIf: SkipIfBody | None = Field(None, description="Whom to leave alone. Off unless it is asked for.")


class RowError(BaseModel):
    index: int = Field(description="Which row, from 0.")
    linkedinUrl: str | None = Field(description="As it was sent; null when it is no text, or the row cannot be read.")
    reason: str
    code: str = Field(description="A stable word, such as `wrong_host` or `suppressed`.")


class RowResult(BaseModel):
    index: int
    outcome: Outcome
    leadId: str | None
    identityKey: str | None
    code: str | None
    reason: str | None
    existingLeadId: str | None


class TemplateWarning(BaseModel):
    stepId: str
    field: str
    rows: list[int] = Field(
        description="Of the rows that would be added, from 0, those that lack the field and have no fallback."
    )


class AddLeadsAnswer(BaseModel):
    """What was done with the rows: added, updated, duplicates and invalid ones are as many as were sent."""

    success: bool
    leadsAdded: int
    duplicatesSkipped: int
    invalidEntries: int
    leadsUpdated: int | SkipJsonSchema[None] = Field(None, description="Only with `onDuplicate` fill or overwrite.")
    errors: list[RowError] | SkipJsonSchema[None] = Field(None, description="Only when a row was invalid.")
    importId: str | None = Field(None, description="Only with `report=full`.")
    willProcess: bool | SkipJsonSchema[None] = Field(None, description="Only with `report=full`.")
    willProcessReason: str | SkipJsonSchema[None] = Field(None, description="Only with `report=full`.")
    results: list[RowResult] | SkipJsonSchema[None] = Field(None, description="Only with `report=full`: one per row.")
    dryRun: bool | SkipJsonSchema[None] = Field(None, description="Only with `dryRun=true`: nothing was changed.")
    templateWarnings: list[TemplateWarning] | SkipJsonSchema[None] = Field(
        None, description="Only with `dryRun=true`: fields that steps need and rows lack."
    )


class LeadBody(BaseModel):
    id: str
    linkedinUrl: str
    status: LeadStatus
    firstName: str | None
    lastName: str | None
    title: str | None
    company: str | None
    email: str | None
    customLeadStatus: str | None
    senderId: str | None
    campaignId: str
    createdAt: str
    updatedAt: str
    about: str | None = Field(None, description="Only with `full`, like all that follow.")
    location: str | None = None
    industry: str | None = None
    website: str | None = None
    profilePictureUrl: str | None = None
    followerCount: int | None = None
    connectionCount: int | None = None
    isPremium: bool | None = None
    isOpenProfile: bool | None = None
    tags: list[str] | SkipJsonSchema[None] = Field(None)
    data: dict[str, Annotated[str | int | float | bool | None, Field()]] | SkipJsonSchema[None] = Field(
        None, description="The custom fields."
    )


def lead_body(lead: Lead, *, full: bool) -> dict[str, Any]:
    """A lead as the contract shows it; ``full`` adds the profile and the custom fields."""
    body: dict[str, Any] = {
        "id": public(Prefix.LEAD, lead.id),
        "linkedinUrl": lead.linkedin_url,
        "status": lead.status,
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "title": lead.title,
        "company": lead.company,
        "email": lead.email,
        "customLeadStatus": lead.custom_status,
        "senderId": public(Prefix.SENDER, lead.sender_id) if lead.sender_id else None,
        "campaignId": public(Prefix.CAMPAIGN, lead.campaign_id),
        "createdAt": iso(lead.created_at),
        "updatedAt": iso(lead.updated_at),
    }
    return body | _profile(lead) if full else body


def _profile(lead: Lead) -> dict[str, Any]:
    learned = lead.profile or {}
    told = {name: value for name in PROFILE_FIELDS if isinstance(value := lead.custom.get(name), str)}
    shown = {name: told.get(name, learned.get(name)) for name in PROFILE_FIELDS}
    return (
        shown | {name: learned.get(name) for name in LEARNED_FIELDS} | {"tags": lead.tags, "data": as_sent(lead.custom)}
    )


def result_body(result: Result) -> dict[str, Any]:
    return {
        "index": result.index,
        "outcome": result.outcome,
        "leadId": public(Prefix.LEAD, result.lead_id) if result.lead_id else None,
        "identityKey": result.identity_key,
        "code": result.code,
        "reason": result.reason,
        "existingLeadId": public(Prefix.LEAD, result.existing_lead_id) if result.existing_lead_id else None,
    }


def error_body(result: Result) -> dict[str, Any]:
    return {
        "index": result.index,
        "linkedinUrl": result.linkedin_url,
        "reason": result.reason,
        "code": result.code,
    }


class LeadsBody(Paged):
    leads: list[LeadBody]


class LeadRemoved(BaseModel):
    success: bool
    leadId: str
    purged: bool = Field(description="Whether the row is gone; otherwise the lead stays as STOPPED.")


class HistoryEntryBody(BaseModel):
    at: str
    type: str = Field(description="`added`, `status_changed`, …", examples=["added"])
    stepId: str | None
    detail: dict[str, Any]


class HistoryBody(BaseModel):
    leadId: str
    entries: list[HistoryEntryBody]
    nextCursor: str | None = Field(description="Where to go on; null on the last page.")


class HistoryRow(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def type(self) -> str: ...
    @property
    def step_id(self) -> str | None: ...
    @property
    def detail(self) -> dict[str, Any]: ...


def history_body(lead_id: str, fetched: Sequence[HistoryRow], limit: int) -> HistoryBody:
    """``fetched`` holds up to one entry more than the page shows: the next page begins with it.

    Its id is the cursor, and not that of the last one shown, which can be 0: some programs take ``"0"`` for nothing.
    """
    return HistoryBody(
        leadId=lead_id,
        entries=[
            HistoryEntryBody(at=iso(e.at), type=e.type, stepId=e.step_id, detail=e.detail) for e in fetched[:limit]
        ],
        nextCursor=str(fetched[limit].id) if len(fetched) > limit else None,
    )


class Told(Protocol):
    """What the report of an add call is written from."""

    @property
    def import_id(self) -> str | None: ...
    @property
    def added(self) -> int: ...
    @property
    def updated(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def results(self) -> tuple[Result, ...]: ...
    @property
    def invalid(self) -> tuple[Result, ...]: ...
    @property
    def will_process(self) -> bool: ...
    @property
    def will_process_reason(self) -> str: ...


class LackRow(Protocol):
    @property
    def step_id(self) -> str: ...
    @property
    def field(self) -> str: ...
    @property
    def rows(self) -> tuple[int, ...]: ...


def dry_run_body(lacks: Sequence[LackRow]) -> dict[str, Any]:
    """What a dry run adds to the report."""
    warnings = [{"stepId": lack.step_id, "field": lack.field, "rows": list(lack.rows)} for lack in lacks]
    return {"dryRun": True, "templateWarnings": warnings}


def report_body(report: Told, *, full: bool, updates: bool) -> dict[str, Any]:
    """Four keys, and more only for those who asked or have errors: that is what existing clients expect."""
    body: dict[str, Any] = {
        "success": True,
        "leadsAdded": report.added,
        "duplicatesSkipped": report.duplicates,
        "invalidEntries": len(report.invalid),
    }
    if updates:
        body["leadsUpdated"] = report.updated
    if report.invalid:
        body["errors"] = [error_body(result) for result in report.invalid]
    if full:
        body |= {
            "importId": public(Prefix.IMPORT, report.import_id) if report.import_id else None,
            "willProcess": report.will_process,
            "willProcessReason": report.will_process_reason,
            "results": [result_body(result) for result in report.results],
        }
    return body


class JoinBody(BaseModel):
    """Two addresses of one person."""

    linkedinUrl: str = Field(examples=["https://www.linkedin.com/in/jane-smith"], max_length=2048)
    sameAs: str = Field(examples=["https://www.linkedin.com/in/ACoAAABxYz0BqLmN"], max_length=2048)


class Joined(BaseModel):
    success: bool
    learned: bool = Field(description="False when that was known before.")
    identityKey: str = Field(description="The canonical key that both are now known by.")


ADD_LEADS_EXAMPLE: dict[str, Any] = {
    "campaignId": "camp_0199c0ffee0070008000000000000001",
    "leads": [
        {
            "linkedinUrl": "https://www.linkedin.com/in/john-doe",
            "firstName": "John",
            "lastName": "Doe",
            "company": "TechCorp",
            "title": "VP of Engineering",
            "industry": "Technology",
            "region": "North America",
        },
        {
            "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
            "firstName": "Jane",
            "lastName": "Smith",
            "referredBy": "Conference 2024",
            "customScore": 85,
            "icebreaker": "Loved your talk on AI automation",
        },
    ],
}
ADD_LEADS_EXAMPLE_ANSWER = {"success": True, "leadsAdded": 2, "duplicatesSkipped": 0, "invalidEntries": 0}
"""The request and the answer of the page that this API is compatible with."""

ADD_LEADS_REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/AddLeadsBody"}, "example": ADD_LEADS_EXAMPLE}
    },
}
