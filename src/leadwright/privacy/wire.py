"""The JSON about one person's data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from leadwright.clock import iso
from leadwright.errors import Detail, InvalidRequest
from leadwright.identity import Identity, linkedin_identity
from leadwright.ids import Prefix, public
from leadwright.privacy.service import Erased, Export
from leadwright.suppression.model import LONGEST_TEXT, email_value

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class PersonBody(BaseModel):
    """Who is meant: exactly one of the two."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        json_schema_extra={
            "oneOf": [{"required": ["linkedinUrl"]}, {"required": ["email"]}],
            "examples": [{"linkedinUrl": "https://www.linkedin.com/in/jane-smith"}, {"email": "jane@example.com"}],
        },
    )

    linkedin_url: str = Field(default_factory=str, max_length=LONGEST_TEXT, description="A LinkedIn profile address.")
    email: str = Field(default_factory=str, max_length=LONGEST_TEXT, description="An e-mail address of their leads.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "PersonBody":
        if len(self.model_fields_set) != 1:
            raise ValueError("expected either linkedinUrl or email")
        return self

    def named(self) -> dict[str, Any]:
        """The person as the service is told them. Raises InvalidRequest naming the field that names nobody."""
        if "email" in self.model_fields_set:
            address = email_value(self.email)
            if address is None:
                raise InvalidRequest.of([Detail("email", "expected an e-mail address such as jane@example.com")])
            return {"identity": None, "email": address}
        found = linkedin_identity(self.linkedin_url)
        if not isinstance(found, Identity):
            raise InvalidRequest.of([Detail("linkedinUrl", found.reason.removeprefix("linkedinUrl "))])
        return {"identity": found, "email": None}


class ErasedBody(BaseModel):
    model_config = _CAMEL

    leads_erased: int = Field(description="Leads whose personal fields are gone now; their rows and counts stay.")
    messages_erased: int
    suppressed: bool = Field(description="Always true: the person can be neither added nor approached again.")


class ExportBody(BaseModel):
    """Everything that is held of the person. Each list has one object a record, as it is stored."""

    model_config = _CAMEL

    identity_keys: list[str] = Field(description="Every key that the person is known by.", examples=[["slug:jane"]])
    emails: list[str]
    suppressed: bool
    leads: list[dict[str, Any]] = Field(description="With their custom fields, tags, and the import they came by.")
    places: list[dict[str, Any]] = Field(description="Where each lead stands in its sequence.")
    history: list[dict[str, Any]]
    imports: list[dict[str, Any]] = Field(description="Rows of add calls that were not added.")
    actions: list[dict[str, Any]] = Field(description="What was or is to be done, with its text.")
    relationships: list[dict[str, Any]] = Field(description="What each sender has with the person.")
    company_replies: list[dict[str, Any]] = Field(description="Of whose company an answer of theirs is remembered.")
    conversations: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]
    deliveries: list[dict[str, Any]] = Field(description="Webhook deliveries of these events.")
    suppressions: list[dict[str, Any]]


def erased_body(done: Erased) -> ErasedBody:
    return ErasedBody(leads_erased=done.leads, messages_erased=done.messages, suppressed=True)


def export_body(found: Export) -> ExportBody:
    lists = {heading: [_row(row) for row in rows] for heading, rows in found.found.items()}
    return ExportBody(
        identity_keys=[key.text for key in found.person.keys],
        emails=list(found.person.emails),
        suppressed=found.suppressed,
        **lists,
    )


_IDS: Mapping[str, Prefix] = {
    "lead_id": Prefix.LEAD,
    "campaign_id": Prefix.CAMPAIGN,
    "sender_id": Prefix.SENDER,
    "import_id": Prefix.IMPORT,
    "event_id": Prefix.EVENT,
    "action_id": Prefix.ACTION,
    "conversation_id": Prefix.CONVERSATION,
    "message_id": Prefix.MESSAGE,
    "suppression_id": Prefix.SUPPRESSION,
    "webhook_id": Prefix.WEBHOOK,
    "delivery_id": Prefix.DELIVERY,
}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {to_camel(column): _value(column, value) for column, value in row.items()}


def _value(column: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return public(_IDS[column], value) if column in _IDS and value is not None else value
