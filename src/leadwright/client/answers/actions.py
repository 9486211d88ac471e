"""Answers about deeds."""

from datetime import datetime

from leadwright.client.answers.base import JSON, Answer


class Action(Answer):
    """One intended deed, and what became of it; ``asked_again_at`` is None when a person is to resolve it."""

    id: str
    state: str
    kind: str
    lead_id: str | None
    campaign_id: str | None
    sender_id: str
    linkedin_url: str
    step_id: str | None
    sequence_version: int | None
    variant: int | None
    content: JSON
    attempt: int
    planned_at: datetime
    performing_at: datetime | None
    finished_at: datetime | None
    code: str | None
    message: str | None
    external_id: str | None
    asked_again_at: datetime | None


class Actions(Answer):
    actions: list[Action]
    next_cursor: str | None


class Received(Answer):
    """``duplicate``: the fact was known; ``lead_id`` is None when it is nobody's lead."""

    success: bool
    duplicate: bool
    lead_id: str | None
