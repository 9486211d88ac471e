"""What a task is; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """An action that waits for a person. ``since``: when it came up to be done. ``id`` is the action's.

    ``content`` is as rendered. A one-off deed of the inbox has neither lead nor campaign.
    """

    id: str
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
