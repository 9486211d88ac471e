"""Answers about deeds that wait for a person."""

from datetime import datetime

from leadwright.client.answers.base import Answer, Page


class TaskPerson(Answer):
    linkedin_url: str
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None


class Task(Answer):
    """A deed that waits for a person, as it is to be done. ``state``: open, completed, skipped, failed, cancelled."""

    id: str
    state: str
    type: str
    title: str | None
    text: str | None
    person: TaskPerson
    sender_id: str
    sender_name: str
    campaign_id: str | None
    campaign_name: str | None
    lead_id: str | None
    step_id: str | None
    since: datetime


class Tasks(Page, kw_only=True):
    tasks: list[Task]


class TaskResolved(Answer):
    success: bool
    id: str
    lead_id: str | None
    outcome: str
