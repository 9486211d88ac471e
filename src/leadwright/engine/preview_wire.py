"""The JSON of previews and validations."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from leadwright.durations import duration_to_json
from leadwright.engine.preview import PreviewedStep, Wording
from leadwright.engine.preview_service import CheckedStep, FieldLack, Preview, Validation
from leadwright.engine.readiness import Obstacle
from leadwright.engine.sequence import StepType
from leadwright.errors import Detail, InvalidRequest
from leadwright.ids import Prefix, new_id, public
from leadwright.leads.model import NewLead, parse_row
from leadwright.leads.wire import LeadRow

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_GIVEN = ("lead_id", "linkedin_url", "lead")


class PreviewBody(BaseModel):
    """For whom: exactly one of `leadId`, `linkedinUrl` (a lead of the campaign) and `lead` (anybody)."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        strict=True,
        json_schema_extra={"examples": [{"leadId": "lead_0199c0ffee0070008000000000000001"}]},
    )

    lead_id: str | None = Field(default=None, description="A lead of the campaign.")
    linkedin_url: str | None = Field(default=None, max_length=2048, description="The address of such a lead.")
    lead: Annotated[Any, WithJsonSchema(LeadRow.model_json_schema())] = Field(
        default=None, description="A row as it would be added; nothing is stored."
    )
    sender_id: str | None = Field(default=None, description="Else the lead's own, else the campaign's first.")

    @model_validator(mode="after")
    def _one(self) -> "PreviewBody":
        if sum(getattr(self, name) is not None for name in _GIVEN) != 1:
            raise ValueError("expected exactly one of leadId, linkedinUrl and lead")
        return self

    def new_lead(self) -> NewLead:
        """The ``lead``, judged as when it is added. Raises InvalidRequest."""
        judged = parse_row(0, self.lead, new_id(), check_nul=True)
        if isinstance(judged, NewLead):
            return judged
        raise InvalidRequest.of([Detail("lead", judged.reason)])


class WordingBody(BaseModel):
    model_config = _CAMEL

    variant: int = Field(description="From 0.")
    is_given: bool = Field(description="Whether it is the one that this lead gets.")
    weight: float
    note: str | None = Field(description="Of a connect step.")
    text: str | None = Field(description="Null where a field is missing, or where it comes out blank.")
    subject: str | None
    missing: list[str] = Field(description="Fields without a value and without a fallback.")
    problems: list[str] = Field(description="Why it cannot go out as it is, such as a note over 300 characters.")


class PreviewedStepBody(BaseModel):
    """The texts are those of the variant that the lead gets."""

    model_config = _CAMEL

    id: str
    type: StepType
    sequence_step: int | None
    after: dict[str, float | int] = Field(examples=[{"hours": 2}])
    note: str | None
    text: str | None
    subject: str | None
    title: str | None
    url: str | None
    missing: list[str]
    problems: list[str]
    variants: list[WordingBody]


class PreviewedLeadBody(BaseModel):
    model_config = _CAMEL

    id: str | None = Field(description="Null for somebody who is no lead.")
    linkedin_url: str


class PreviewedSenderBody(BaseModel):
    id: str
    name: str


class PreviewAnswer(BaseModel):
    model_config = _CAMEL

    campaign_id: str
    lead: PreviewedLeadBody
    sender: PreviewedSenderBody | None = Field(description="Null when the campaign has none: its fields are missing.")
    steps: list[PreviewedStepBody]


def preview_body(campaign_id: str, found: Preview) -> PreviewAnswer:
    person, sender = found.person, found.sender
    return PreviewAnswer(
        campaign_id=campaign_id,
        lead=PreviewedLeadBody(
            id=public(Prefix.LEAD, person.lead_id) if person.lead_id else None, linkedin_url=person.linkedin_url
        ),
        sender=PreviewedSenderBody(id=public(Prefix.SENDER, sender.id), name=sender.name) if sender else None,
        steps=[_step_body(each) for each in found.steps],
    )


def _step_body(previewed: PreviewedStep) -> PreviewedStepBody:
    step = previewed.step
    variants = [_wording_body(step.type, wording) for wording in previewed.wordings]
    given = next((variant for variant in variants if variant.is_given), None)
    return PreviewedStepBody(
        id=step.id,
        type=step.type,
        sequence_step=step.number,
        after=duration_to_json(step.after),
        note=given.note if given else None,
        text=given.text if given else None,
        subject=given.subject if given else None,
        title=previewed.title,
        url=step.url,
        missing=list(previewed.missing),
        problems=list(previewed.problems),
        variants=variants,
    )


def _wording_body(kind: StepType, wording: Wording) -> WordingBody:
    is_note = kind is StepType.CONNECT
    return WordingBody(
        variant=wording.index,
        is_given=wording.is_given,
        weight=wording.weight,
        note=wording.text if is_note else None,
        text=None if is_note else wording.text,
        subject=wording.subject,
        missing=list(wording.missing),
        problems=list(wording.problems),
    )


class FieldLackBody(BaseModel):
    model_config = _CAMEL

    field: str = Field(examples=["icebreaker"])
    leads: int = Field(description="Exactly how many of the leads on their way lack it.")
    examples: list[str] = Field(description="The first of them.")


class CheckedStepBody(BaseModel):
    model_config = _CAMEL

    id: str
    type: StepType
    sequence_step: int | None
    missing_fields: list[FieldLackBody]
    leads_lacking: int = Field(description="Leads that lack one or more of them: they are held, or skip the step.")
    unsupported_by: list[str] = Field(description="Senders of the campaign whose channel cannot do it.")


class FindingBody(BaseModel):
    code: str = Field(examples=["no_sender"])
    path: str = Field(examples=["senderIds"])
    message: str


class ValidationAnswer(BaseModel):
    """Whether the campaign can work, and what its leads lack."""

    model_config = _CAMEL

    campaign_id: str
    can_start: bool = Field(description="Whether nothing keeps the campaign from working; its status is not asked.")
    reasons: list[FindingBody] = Field(description="What keeps it: with these, `start` is refused.")
    warnings: list[FindingBody]
    leads: int = Field(description="Leads on their way, which were looked at; exact.")
    missing_variable: Literal["hold", "skip_step"]
    unknown_senders: list[str] = Field(description="Of its `senderIds`: removed since.")
    steps: list[CheckedStepBody]


def validation_body(campaign_id: str, found: Validation) -> ValidationAnswer:
    return ValidationAnswer(
        campaign_id=campaign_id,
        can_start=not found.obstacles,
        reasons=[_finding(each) for each in found.obstacles],
        warnings=[_finding(each) for each in found.doubts],
        leads=found.leads,
        missing_variable=found.campaign.settings.missing_variable.value,
        unknown_senders=[public(Prefix.SENDER, each) for each in found.unknown_senders],
        steps=[_checked_body(each) for each in found.steps],
    )


def _finding(found: Obstacle) -> FindingBody:
    return FindingBody(code=found.code, path=found.path, message=found.message)


def _checked_body(checked: CheckedStep) -> CheckedStepBody:
    return CheckedStepBody(
        id=checked.step.id,
        type=checked.step.type,
        sequence_step=checked.step.number,
        missing_fields=[_lack_body(lack) for lack in checked.lacks],
        leads_lacking=checked.leads_lacking,
        unsupported_by=[public(Prefix.SENDER, each) for each in checked.cannot_perform],
    )


def _lack_body(lack: FieldLack) -> FieldLackBody:
    return FieldLackBody(
        field=lack.field, leads=lack.leads, examples=[public(Prefix.LEAD, each) for each in lack.examples]
    )
