"""The JSON of import records."""

from pydantic import BaseModel, Field

from leadwright.clock import iso
from leadwright.http.paging import Paged
from leadwright.ids import Prefix, public
from leadwright.imports.model import Import, RowOutcome


class ImportBody(BaseModel):
    id: str = Field(examples=["imp_0199c0ffee0070008000000000000001"])
    campaignId: str
    apiKeyId: str = Field(description="The key that made the call.")
    received: int = Field(description="The rows sent: the sum of the four that follow.")
    leadsAdded: int
    leadsUpdated: int
    duplicatesSkipped: int
    invalidEntries: int = Field(description="Rows that were refused, suppressed people included.")
    createdAt: str


class RowOutcomeBody(BaseModel):
    index: int = Field(description="Which row of the call, from 0.")
    outcome: str = Field(description="updated, duplicate, duplicate_in_request, suppressed or invalid.")
    code: str | None
    identityKey: str | None = Field(description="Null of invalid rows and of persons who were erased.")
    existingLeadId: str | None


class ImportDetailBody(ImportBody):
    outcomes: list[RowOutcomeBody] = Field(description="The rows that were not added.")


class ImportsBody(Paged):
    imports: list[ImportBody]


def import_body(found: Import) -> ImportBody:
    return ImportBody(
        id=public(Prefix.IMPORT, found.id),
        campaignId=public(Prefix.CAMPAIGN, found.campaign_id),
        apiKeyId=public(Prefix.API_KEY, found.api_key_id),
        received=found.received,
        leadsAdded=found.added,
        leadsUpdated=found.updated,
        duplicatesSkipped=found.duplicates,
        invalidEntries=found.invalid,
        createdAt=iso(found.created_at),
    )


def detail_body(found: Import, outcomes: list[RowOutcome]) -> ImportDetailBody:
    rows = [
        RowOutcomeBody(
            index=row.row_index,
            outcome=row.outcome,
            code=row.code,
            identityKey=row.identity_key,
            existingLeadId=public(Prefix.LEAD, row.lead_id) if row.lead_id else None,
        )
        for row in outcomes
    ]
    return ImportDetailBody(**import_body(found).model_dump(), outcomes=rows)
