"""The JSON by which people change a lead: its outcome status and its tags."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from leadwright.errors import Detail, InvalidRequest
from leadwright.http.problems import NOT_BLANK
from leadwright.leads.model import (
    LONGEST_NOTE,
    LONGEST_TAG,
    OUTCOME_STATUSES,
    CustomLeadStatus,
    LeadStatus,
)
from leadwright.leads.outcomes import Verdict


def _only_outcomes(value: Any) -> Any:
    if value is not None and value not in OUTCOME_STATUSES:
        managed = "is set by the sequence; a person sets" if value in tuple(LeadStatus) else "expected"
        raise ValueError(f"{managed} {', '.join(OUTCOME_STATUSES)}")
    return value


def _only_custom(value: Any) -> Any:
    if value is not None and value not in tuple(CustomLeadStatus):
        raise ValueError(f"expected one of {', '.join(CustomLeadStatus)}")
    return value


_OUTCOMES: dict[str, Any] = {"enum": [*map(str, OUTCOME_STATUSES), None]}


class StatusBody(BaseModel):
    """At least one of the two statuses."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "OPPORTUNITY", "note": "Wants a demo"}]})

    status: Annotated[LeadStatus | None, BeforeValidator(_only_outcomes)] = Field(
        None, examples=["OPPORTUNITY"], description="What came of it; the sequence stops.", json_schema_extra=_OUTCOMES
    )
    customLeadStatus: Annotated[CustomLeadStatus | None, BeforeValidator(_only_custom)] = Field(
        None, examples=["INTERESTED"], description="A second axis; WRONG_PERSON stops the sequence too."
    )
    note: str | None = Field(None, max_length=LONGEST_NOTE, description="Kept in the lead's history.")

    def verdict(self) -> Verdict:
        """Raises InvalidRequest when neither status is given."""
        if self.status is None and self.customLeadStatus is None:
            sentence = "At least one of status or customLeadStatus is required"
            raise InvalidRequest(sentence, details=[Detail("status", "is missing, like customLeadStatus")])
        return Verdict(self.status, self.customLeadStatus, self.note)


class StatusChanged(BaseModel):
    success: bool
    leadId: str
    status: LeadStatus
    message: str = Field(examples=["Lead status updated to 'OPPORTUNITY'"])


def status_changed(lead_id: str, verdict: Verdict, status: LeadStatus) -> StatusChanged:
    told = f"Lead status updated to '{status}'"
    if verdict.status is None:
        told = f"Lead custom status updated to '{verdict.custom_status}'"
    return StatusChanged(success=True, leadId=lead_id, status=status, message=told)


class TagBody(BaseModel):
    tag: str = Field(min_length=1, max_length=LONGEST_TAG, pattern=NOT_BLANK, examples=["priority"])


class Tagged(BaseModel):
    success: bool
    leadId: str
    tags: list[str]
