"""The JSON of tasks."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from leadwright.channels.channel import Done, Outcome, Permanent
from leadwright.clock import iso
from leadwright.http.paging import Paged
from leadwright.ids import Prefix, public
from leadwright.tasks.model import State, Task

LONGEST_NOTE = 8_000

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "task_0199c0ffee0070008000000000000001"

Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE)]


class _Answer(BaseModel):
    """What a person says of a task. Unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        strict=True,
        extra="ignore",
        json_schema_extra={"examples": [{"note": "Done by phone"}]},
    )

    note: Note | None = Field(default=None, description="Kept in the lead's history.", examples=["Done by phone"])


class CompleteTask(_Answer):
    """It was done."""

    found: Literal["already_connected", "already_invited"] | None = Field(
        default=None, description="For an invitation that there was no need of: it then costs none of the limit."
    )

    def outcome(self) -> Outcome:
        return Done(found=self.found, note=self.note)


class SkipTask(_Answer):
    """It is left out, and the lead goes on."""

    def outcome(self) -> Outcome:
        return Permanent("skipped", self.note)


class FailTask(_Answer):
    """It cannot be done."""

    code: Literal["profile_unreachable", "blocked", "not_connected", "note_too_long", "refused"] = Field(
        default="refused", description="Why: the lead's status follows it."
    )

    def outcome(self) -> Outcome:
        return Permanent(self.code, self.note)


class TaskPerson(BaseModel):
    model_config = _CAMEL

    linkedin_url: str = Field(description="The profile to open.")
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None


class TaskBody(BaseModel):
    """A deed that waits for a person, or did."""

    model_config = _CAMEL

    id: str = Field(examples=[_ID])
    state: State = Field(description="Lists show open ones; `cancelled`: the deed was no longer wanted.")
    type: str = Field(description="The type of the step.", examples=["connect"])
    title: str | None = Field(description="Of a `manual_task`.")
    text: str | None = Field(description="The note, the message or what is to be done, as rendered.")
    person: TaskPerson
    sender_id: str
    sender_name: str
    campaign_id: str | None = Field(description="Null for a one-off deed.")
    campaign_name: str | None
    lead_id: str | None
    step_id: str | None
    since: str = Field(description="When it came up to be done.", examples=["2026-03-01T09:00:00.000Z"])


class TaskList(Paged):
    tasks: list[TaskBody]


class TaskResolved(BaseModel):
    model_config = _CAMEL

    success: Literal[True] = True
    id: str = Field(examples=[_ID])
    lead_id: str | None
    outcome: Literal["completed", "skipped", "failed"]


def task_body(task: Task) -> TaskBody:
    return TaskBody(
        id=public(Prefix.TASK, task.id),
        state=task.state,
        type=task.kind,
        title=task.content.get("title"),
        text=task.content.get("text"),
        person=TaskPerson(
            linkedin_url=task.linkedin_url,
            first_name=task.first_name,
            last_name=task.last_name,
            company=task.company,
            title=task.job_title,
        ),
        sender_id=public(Prefix.SENDER, task.sender_id),
        sender_name=task.sender_name,
        campaign_id=task.campaign_id and public(Prefix.CAMPAIGN, task.campaign_id),
        campaign_name=task.campaign_name,
        lead_id=_lead(task),
        step_id=task.step_id,
        since=iso(task.since),
    )


def resolved(task: Task, outcome: Literal["completed", "skipped", "failed"]) -> TaskResolved:
    return TaskResolved(id=public(Prefix.TASK, task.id), lead_id=_lead(task), outcome=outcome)


def _lead(task: Task) -> str | None:
    return task.lead_id and public(Prefix.LEAD, task.lead_id)
