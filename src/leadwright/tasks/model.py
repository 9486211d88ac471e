"""What a task is; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Whether a task is still to be done, and if not, what came of it."""

    OPEN = "open"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Task:
    """An action that waits for a person, or did. ``since``: when it came up to be done. ``id`` is the action's.

    ``content`` is as rendered. A one-off deed of the inbox has neither lead nor campaign.
    """

    id: str
    state: State
    kind: str
    content: Mapping[str, Any]
    linkedin_url: str
    sender_id: str
    sender_name: str
    lead_id: str | None
    campaign_id: str | None
    campaign_name: str | None
    step_id: str | None
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks a list shall have, by bare ids; None: whoever's."""

    sender_id: str | None = None
    campaign_id: str | None = None
