"""Answers about deeds."""

from datetime import datetime

from leadwright.client.answers.base import JSON, Answer


class Action(Answer):
    """One intended deed, and what became of it."""

    id: str
    state: str
    kind: str
    lead_id: str | None
    campaign_id: str | None
    sender_id: str
    linkedin_url: str
    step_id: str | None
    content: JSON
    attempt: int
    planned_at: datetime
    performing_at: datetime | None


class Actions(Answer):
    actions: list[Action]
    next_cursor: str | None


class Received(Answer):
    """``duplicate``: the fact was known; ``lead_id`` is None when it is nobody's lead."""

    success: bool
    duplicate: bool
    lead_id: str | None
