"""A whole campaign, lead by lead, with the people of the simulated network: what happened to whom, and when; pure.

The same leads, sequence, senders, seed and start give the same timeline.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from leadwright.campaigns.schedule import Schedule
from leadwright.channels.simulated_network import SimulatorConfig, accepts, is_connected, replies
from leadwright.engine import calendar
from leadwright.engine.forecast_quota import Block, VirtualSender
from leadwright.engine.forecast_run import Cohort, Course, Parts, Run
from leadwright.engine.model import Act, Facts, Finish, Hold, Passed, Policy
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import StepType
from leadwright.identity import Identity
from leadwright.senders.model import Sender
from leadwright.templates import Fields

ENDS_AFTER = timedelta(days=3652)
_NEVER = {
    "outside_window": "the hours of the campaign and of its senders never meet",
    "sender_unavailable": "no sender of the campaign is active",
    "new_leads_per_day": "the campaign lets no new leads begin",
}
"""What holds leads back that never begin, in words."""


@dataclass(frozen=True, slots=True)
class Character:
    """A lead of the play. ``id`` fixes its wordings, ``identity`` how it behaves."""

    id: str
    identity: Identity
    fields: Fields

    @property
    def shown(self) -> str:
        name = " ".join(str(self.fields.get(part) or "") for part in ("firstName", "lastName")).strip()
        return name or self.identity.key


@dataclass(frozen=True, slots=True)
class Play:
    """``network``: how its people behave, by the sender that approaches them."""

    steps: Steps
    policy: Policy
    schedule: Schedule | None
    max_new_leads_per_day: int | None
    characters: Sequence[Character]
    senders: Sequence[Sender]
    network: Mapping[str, SimulatorConfig]
    start: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. ``what``: a step's type, or accepted, replied, skipped, held, done, …"""

    at: datetime
    lead: str
    sender: str | None
    what: str
    step_id: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Timeline:
    """In the order of time. ``counts``: how often each thing happened. ``blocks``: what held leads before one began."""

    lines: list[Line] = field(default_factory=list[Line])
    counts: Tally[str] = field(default_factory=Tally[str])
    blocks: dict[Block, None] = field(default_factory=dict[Block, None])

    @property
    def why_nothing(self) -> str | None:
        """Why no lead has begun; None when one has."""
        if self.counts["leads"]:
            return None
        rules = dict.fromkeys((block.rule, block.kind) for block in self.blocks)
        return "; ".join(_NEVER.get(rule, f"{rule} ({kind}) lets none begin") for rule, kind in rules)


def simulate(play: Play) -> Timeline:
    return _Stage(play).run()


class _Stage:
    """Plays, answers for the people, and writes down what happens."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._characters = {each.id: each for each in play.characters}
        self._found = Timeline()

    def run(self) -> Timeline:
        play = self._play
        senders = [VirtualSender(sender, play.start) for sender in play.senders]
        course = Course(play.schedule, play.max_new_leads_per_day)
        Run(course, senders, self, self, play.start, play.start + ENDS_AFTER).play(
            [self._cohort(each) for each in play.characters]
        )
        self._found.lines.sort(key=lambda line: line.at)
        return self._found

    def _cohort(self, character: Character) -> Cohort:
        play = self._play
        facts = Facts(character.fields, {}, play.policy)
        zone = None if play.schedule is None else calendar.own_zone(character.fields)
        return Cohort(character.id, 1, play.steps, facts, play.steps.start, play.start, zone=zone)

    def accepting(self, cohort: Cohort) -> Parts:
        asked = self._asked(cohort)
        return [(1, timedelta() if is_connected(*asked) else accepts(*asked))]

    def answering(self, cohort: Cohort) -> Parts:
        return [(1, replies(*self._asked(cohort)))]

    def _asked(self, cohort: Cohort) -> tuple[SimulatorConfig, Identity]:
        assert cohort.sender is not None
        return self._play.network[cohort.sender.id], self._characters[cohort.name].identity

    # What happens

    def began(self, _at: datetime, _cohort: Cohort) -> None:
        self._found.counts["leads"] += 1

    def did(self, at: datetime, cohort: Cohort, act: Act) -> None:
        if act.kind is StepType.CONNECT and is_connected(*self._asked(cohort)):
            self._write(at, cohort, "already_connected", act.step.id)
            return
        text = act.content.get("text") or act.content.get("title")
        self._write(at, cohort, act.kind.value, act.step.id, None if text is None else str(text))

    def passed(self, at: datetime, cohort: Cohort, passed: Passed) -> None:
        """A condition that was judged is a step that took no time: what follows shows which way it went."""
        if passed.reason is not None:
            self._write(at, cohort, "skipped", passed.step_id, passed.reason)

    def accepted(self, at: datetime, cohort: Cohort) -> None:
        if not is_connected(*self._asked(cohort)):
            self._write(at, cohort, "accepted")

    def replied(self, at: datetime, cohort: Cohort) -> None:
        assert cohort.sender is not None
        self._write(at, cohort, "replied", None, self._play.network[cohort.sender.id].reply_text)

    def held(self, at: datetime, cohort: Cohort, hold: Hold) -> None:
        lacking = hold.detail.get("fields", hold.detail.get("error"))
        if isinstance(lacking, list):
            lacking = ", ".join(map(str, cast(list[object], lacking)))
        text = hold.rule.value if lacking is None else f"{hold.rule.value}: {lacking}"
        self._write(at, cohort, "held", hold.step.id, text)

    def finished(self, at: datetime, cohort: Cohort, finish: Finish) -> None:
        self._write(at, cohort, finish.status.value.lower(), None, finish.reason)

    def blocked(self, _at: datetime, block: Block, _waiting: int) -> None:
        if not self._found.counts["leads"]:
            self._found.blocks[replace(block, until=None)] = None

    def _write(
        self, at: datetime, cohort: Cohort, what: str, step_id: str | None = None, text: str | None = None
    ) -> None:
        sender = None if cohort.sender is None else cohort.sender.sender.name
        self._found.lines.append(Line(at, self._characters[cohort.name].shown, sender, what, step_id, text))
        self._found.counts[what] += 1
