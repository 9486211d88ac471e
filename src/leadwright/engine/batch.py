"""Decisions about the leads of one lane, turned into the rows that record them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from leadwright.campaigns.model import Counter
from leadwright.campaigns.schedule import Schedule
from leadwright.engine import calendar, lanes
from leadwright.engine.action_store import NewAction
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Act, Enrolment, Finish, Hold, Passed, Standing, Wait
from leadwright.engine.sequence import Step
from leadwright.engine.store import Place, Row
from leadwright.leads.progress import StatusChange
from leadwright.senders import caps
from leadwright.senders.limits import kind_of
from leadwright.senders.model import Sender
from leadwright.senders.quotas import Taken


def lane_kind(step: Step, *, own_zone: bool) -> str:
    """The lane in which a lead waits for this step."""
    if not step.type.is_performed:
        return lanes.JUDGE
    kind = kind_of(step.type) or lanes.FREE
    return f"{kind}{lanes.OWN_ZONE}" if own_zone else str(kind)


class Decided(msgspec.Struct, frozen=True):
    """One lead with its sender, what was decided, and where; ``zone``: its own, where the campaign has hours."""

    row: Row
    sender: Sender
    zone: str | None
    decision: Standing
    enrolment: Enrolment
    passed: tuple[Passed, ...]

    @property
    def sender_id(self) -> str:
        return self.sender.id

    @property
    def step(self) -> Step | None:
        return None if isinstance(self.decision, Finish) else self.decision.step

    @property
    def lane(self) -> tuple[str, str]:
        """Sender and kind of the lane that the lead is in from now on."""
        if self.step is None or isinstance(self.decision, Hold):
            return self.sender_id, lanes.JUDGE
        return self.sender_id, lane_kind(self.step, own_zone=self.zone is not None)


@dataclass(slots=True)
class Batch:
    """The rows that one planning transaction writes; of one campaign. At most ``room`` deeds begin with their plan."""

    campaign_id: str
    version: int
    schedule: Schedule | None
    now: datetime
    room: int
    new_ids: Iterator[str]
    ledger: Ledger
    lane_ids: dict[tuple[str | None, str], int] = field(default_factory=dict[tuple[str | None, str], int])
    places: list[Place] = field(default_factory=list[Place])
    actions: list[NewAction] = field(default_factory=list[NewAction])
    begun: list[tuple[NewAction, Decided]] = field(default_factory=list[tuple[NewAction, Decided]])

    def add(self, decided: Decided, quota: Sequence[Taken] | None) -> None:
        """Records the decision; an Act is planned when ``quota`` was taken for it (an empty list: none is needed)."""
        status = self._tell_passed(decided)
        decision = decided.decision
        if isinstance(decision, Act) and quota is not None:
            self._plan(decided, decision, status, quota)
        elif isinstance(decision, Finish):
            self._finish(decided, decision, status)
        else:
            self._wait(decided, decision, status)

    def _tell_passed(self, decided: Decided) -> str:
        """The lead's status after the steps that it left without a deed."""
        status = decided.row.status
        for passed in decided.passed:
            self._note_passed(decided.row.lead_id, passed)
            if passed.status is not None:
                self._change(decided, status, passed.status, passed.step_id)
                status = passed.status
        return status

    def _note_passed(self, lead_id: str, passed: Passed) -> None:
        if passed.reason is None:
            self.ledger.note(lead_id, "condition_judged", passed.step_id, passed.detail)
        else:
            detail = {"reason": passed.reason, **passed.detail}
            self.ledger.note(lead_id, "step_skipped", passed.step_id, detail)

    def _plan(self, decided: Decided, act: Act, status: str, quota: Sequence[Taken]) -> None:
        row, step = decided.row, act.step
        begins = self._may_begin(decided, step)
        action = NewAction(
            id=next(self.new_ids),
            lead_id=row.lead_id,
            sender_id=decided.sender_id,
            identity_kind=row.identity_kind,
            identity_key=row.identity_key,
            linkedin_url=row.linkedin_url,
            step_id=step.id,
            step_number=step.number,
            sequence_version=self.version,
            variant=act.variant,
            kind=step.type.value,
            content=act.content,
            quota=quota,
            begins=begins,
        )
        self.actions.append(action)
        if begins:
            self.begun.append((action, decided))
        self._place(decided, status, "leased", self.now)

    def _may_begin(self, decided: Decided, step: Step) -> bool:
        """Where a gap has to be kept, the plan waits for whoever keeps it; one outside the hours is withdrawn there."""
        sender = decided.sender
        return (
            len(self.begun) < self.room
            and not caps.keeps_gap(sender, step.type)
            and calendar.are_open(self.schedule, decided.zone, sender.schedule, self.now)
        )

    def _finish(self, decided: Decided, finish: Finish, status: str) -> None:
        self._change(decided, status, finish.status, None, reason=finish.reason)
        self.ledger.count(self.campaign_id, Counter.ACTIVE, -1)
        self._place(decided, finish.status, "done", self.now)

    def _wait(self, decided: Decided, decision: Act | Wait | Hold, status: str) -> None:
        """An Act without quota waits for its turn in the lane of its kind."""
        if isinstance(decision, Act):
            self._place(decided, status, "due", self.now)
        elif isinstance(decision, Wait):
            self._place(decided, status, "due", decision.until, rule=decision.rule)
        else:
            state = "held" if decision.until is None else "due"
            if decision.rule != decided.row.hold_rule:
                detail = {"rule": decision.rule.value, **decision.detail}
                self.ledger.note(decided.row.lead_id, "held", decision.step.id, detail)
            self._place(
                decided, status, state, decision.until or self.now, rule=decision.rule, detail=dict(decision.detail)
            )

    def _place(
        self,
        decided: Decided,
        status: str,
        state: str,
        due_at: datetime,
        rule: str | None = None,
        detail: dict[str, object] | None = None,
    ) -> None:
        row, step = decided.row, decided.step
        self.places.append(
            Place(
                lead_id=row.lead_id,
                status=status,
                state=state,
                step_id=step.id if step is not None else row.step_id,
                step_since=decided.enrolment.step_since,
                sequence_version=self.version,
                sender_id=decided.sender_id,
                lane_id=self.lane_ids[decided.lane],
                due_at=due_at,
                hold_rule=rule,
                hold_detail=detail or {},
                contacted_at=row.contacted_at,
                messages_sent=row.messages_sent,
                enrolled=row.enrolled,
            )
        )

    def _change(
        self, decided: Decided, before: str, after: str, step_id: str | None, reason: str | None = None
    ) -> None:
        row = decided.row
        self.ledger.change(
            StatusChange(
                row.lead_id,
                self.campaign_id,
                row.linkedin_url,
                before,
                after,
                row.custom_status,
                step_id,
                decided.sender.is_simulated,
                {"reason": reason} if reason else {},
            )
        )
