"""Lanes: what says when to look at leads that wait for the same sender and kind of deed; pure."""

from dataclasses import dataclass

ENTER = "enter"
"""Leads before their first deed."""
JUDGE = "judge"
"""Leads that wait for something other than a deed's turn: no limit binds this lane."""
FREE = "free"
"""Deeds that no cap counts."""
OWN_ZONE = ":own-zone"
"""Ends the kind of a lane whose leads are bound by windows of their own, not by the campaign's."""


@dataclass(frozen=True, slots=True)
class Lane:
    """``kind``: what its leads do next. ``sender_id`` is None while they have no sender."""

    id: int
    workspace_id: str
    campaign_id: str
    sender_id: str | None
    kind: str

    @property
    def deed(self) -> str:
        return self.kind.removesuffix(OWN_ZONE)

    @property
    def is_own_zone(self) -> bool:
        return self.kind.endswith(OWN_ZONE)
