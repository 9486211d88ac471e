"""A channel that does what it is told to, keeps its own book of what really happened, and never forgives a repeat."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadwright.channels.channel import (
    Channel,
    Deed,
    Done,
    Later,
    Outcome,
    Permanent,
    RateLimited,
    SenderDown,
    Temporary,
    Unknown,
)
from leadwright.engine.sequence import StepType
from leadwright.senders.model import Sender

Behaviour = str
SOUND: Behaviour = "done"
BEHAVIOURS: tuple[Behaviour, ...] = (
    SOUND,
    "done, answer lost",
    "done, then broke",
    "lost",
    "broke",
    "found connected",
    "later, by a person",
    "later, by the channel",
    "temporary",
    "unreachable",
    "skipped",
    "rate limited",
    "down",
)
_ANSWERS: dict[Behaviour, Outcome] = {
    SOUND: Done(),
    "done, answer lost": Unknown("the line broke"),
    "lost": Unknown("the line broke"),
    "found connected": Done(found="already_connected"),
    "later, by a person": Later("person"),
    "later, by the channel": Later("channel"),
    "temporary": Temporary("busy"),
    "unreachable": Permanent("profile_unreachable"),
    "skipped": Permanent("skipped"),
    "rate limited": RateLimited(retry_after=timedelta(minutes=30)),
    "down": SenderDown(retry_after=timedelta(hours=3)),
}
_HAPPENS = frozenset({SOUND, "done, answer lost", "done, then broke"})


@dataclass(frozen=True, slots=True)
class Happened:
    """One deed that went out, when it began."""

    deed_id: str
    lead_id: str
    campaign_id: str
    sender_id: str
    url: str
    kind: StepType
    at: datetime


@dataclass
class Network:
    """``book`` holds what happened. A deed whose outcome comes later is in ``open`` until ``conclude`` says so."""

    book: list[Happened] = field(default_factory=list[Happened])
    open: dict[str, tuple[Deed, Later]] = field(default_factory=dict[str, tuple[Deed, Later]])
    temper: Behaviour = SOUND
    """How it behaves."""
    is_silent: bool = False
    """Whether it does not answer those who ask what became of a deed."""
    did: Counter[Behaviour] = field(default_factory=Counter[Behaviour])

    def of(self, sender: Sender) -> Channel:
        del sender
        return self

    @property
    def performs(self) -> frozenset[StepType]:
        return frozenset(StepType)

    async def perform(self, deed: Deed) -> Outcome:
        chosen = self.temper
        if chosen == "found connected" and deed.kind is not StepType.CONNECT:
            chosen = SOUND
        self.did[chosen] += 1
        if chosen in _HAPPENS:
            self._enter(deed)
        if chosen.endswith("broke"):
            raise RuntimeError(chosen)
        answer = _ANSWERS[chosen]
        if isinstance(answer, Later):
            self.open[deed.id] = (deed, answer)
        return answer

    async def reconcile(self, deed: Deed) -> Outcome:
        return Unknown("silent") if self.is_silent else self.truth(deed.id)

    def truth(self, deed_id: str) -> Outcome:
        """What an honest person says of a deed."""
        if any(each.deed_id == deed_id for each in self.book):
            return Done()
        return self.open[deed_id][1] if deed_id in self.open else Temporary("not_done", retry_after=timedelta())

    def conclude(self, deed_id: str, *, done: bool) -> None:
        """What was to come has come, or never will."""
        deed, _ = self.open.pop(deed_id)
        if done:
            self._enter(deed)

    def _enter(self, deed: Deed) -> None:
        assert deed.lead_id is not None
        assert deed.campaign_id is not None
        self.book.append(
            Happened(deed.id, deed.lead_id, deed.campaign_id, deed.sender.id, deed.linkedin_url, deed.kind, deed.at)
        )
