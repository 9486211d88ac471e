"""What happens next to one lead: the one rule book of the engine, pure, so that forecasts run it too."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from leadwright.engine.model import (
    Act,
    Branch,
    Decision,
    Enrolment,
    Facts,
    Finish,
    Hold,
    Passed,
    Rule,
    Standing,
    Status,
    Wait,
)
from leadwright.engine.sequence import Sequence, Step, StepType, too_long
from leadwright.templates import Missing, RenderError, Template, look_up

CONVERSATION_RECHECK = timedelta(days=1)
"""How soon a lead in conversation elsewhere is looked at again."""
INVITATION_RECHECK = timedelta(minutes=5)
"""How soon a lead is looked at again whose person is being invited for another one."""
_THEN, _ELSE = {"branch": "then"}, {"branch": "else"}


def walk(
    sequence: Sequence, step: Step | None, enrolment: Enrolment, facts: Facts, now: datetime
) -> tuple[Standing, Enrolment, tuple[Passed, ...]]:
    """Decides, going on through steps that take no time, until something has to be done or waited for.

    Answers the decision, the place it was made at, and what was passed on the way. Ends, since each branch
    leads to a later step.
    """
    passed: list[Passed] = []
    while step is not None:
        decision = decide(step, enrolment, facts, now)
        if not isinstance(decision, Branch):
            return decision, enrolment, tuple(passed)
        if decision.reason is not None or decision.detail:
            passed.append(Passed(step.id, decision.reason, decision.status, decision.detail))
        enrolment = replace(enrolment, step_since=decision.at)
        step = None if decision.to is None else sequence.steps[decision.to]
    return Finish(Status.DONE), enrolment, tuple(passed)


def decide(step: Step, enrolment: Enrolment, facts: Facts, now: datetime) -> Decision:
    """What happens at this step at ``now``: the first rule that has something to say decides."""
    if step.id in facts.done:
        return Branch(step.next, enrolment.step_since)
    if facts.suppressed:
        return Finish(Status.SKIPPED, Rule.SUPPRESSED.value)
    if step.type is StepType.MESSAGE and facts.connected_at is None:
        return _await_connection(step, enrolment, facts, now)
    ready = ready_at(step, enrolment, facts)
    if now < ready:
        return Wait(step, ready, Rule.WAITING_FOR_DELAY)
    if step.type is StepType.END:
        return Finish(Status.DONE)
    if step.type is StepType.CONDITION:
        return _judge(step, ready, facts, now)
    return _needless(step, facts, ready) or _perform(step, enrolment, facts, now)


def ready_at(step: Step, enrolment: Enrolment, facts: Facts) -> datetime:
    """When the step's delay is over: counted from the acceptance for a message that had to wait for it."""
    since = enrolment.step_since
    if step.type is StepType.MESSAGE and facts.connected_at is not None:
        since = max(since, facts.connected_at)
    return since + step.after


def _await_connection(step: Step, enrolment: Enrolment, facts: Facts, now: datetime) -> Decision:
    deadline = enrolment.step_since + facts.policy.acceptance_timeout
    if now >= deadline:
        return Finish(Status.NOT_CONNECTED, "acceptance_timed_out")
    return Hold(step, Rule.WAITING_FOR_ACCEPTANCE, deadline)


def _judge(step: Step, reached: datetime, facts: Facts, now: datetime) -> Decision:
    """A condition's answer, at the moment it became true, or at the end of its time."""
    branch = step.branch
    assert branch is not None
    if branch.when is None:
        if facts.connected_at is not None:
            return Branch(branch.then, max(reached, min(facts.connected_at, now)), detail=_THEN)
    elif branch.when.holds(facts.fields):
        return Branch(branch.then, now, detail=_THEN)
    deadline = reached + (branch.within or timedelta())
    if now >= deadline:
        return Branch(branch.otherwise, deadline if branch.within else now, detail=_ELSE)
    if branch.when is None:
        return Hold(step, Rule.WAITING_FOR_ACCEPTANCE, deadline)
    return Wait(step, deadline, Rule.WAITING_FOR_DELAY)  # whoever changes its fields wakes the lead


def _needless(step: Step, facts: Facts, ready: datetime) -> Branch | None:
    """A deed that has nothing to do: the lead goes on, as what it turned out to be."""
    connected, invited = facts.connected_at is not None, facts.invited_at is not None
    if step.type is StepType.CONNECT and connected:
        return Branch(step.next, ready, Status.CONNECTED, "already_connected")
    if step.type is StepType.CONNECT and invited:
        return Branch(step.next, ready, Status.CONNECTION_ALREADY_SENT, "already_invited")
    if step.type is StepType.WITHDRAW_CONNECTION and (connected or not invited):
        return Branch(step.next, ready, None, "nothing_to_withdraw")
    return None


def _perform(step: Step, enrolment: Enrolment, facts: Facts, now: datetime) -> Decision:
    if facts.other_conversation:
        return Hold(step, Rule.OTHER_CONVERSATION, now + CONVERSATION_RECHECK)
    if step.type is StepType.CONNECT and facts.inviting:
        return Hold(step, Rule.OTHER_CONVERSATION, now + INVITATION_RECHECK)
    if facts.opens_at is not None and facts.opens_at > now:
        return Wait(step, facts.opens_at, Rule.OUTSIDE_WINDOW)
    try:
        act = rendered(step, enrolment.lead_id, facts)
    except RenderError as error:
        return _lacking(step, facts, now, {"error": str(error)})
    if isinstance(act, Missing):
        return _lacking(step, facts, now, {"fields": list(act.fields)})
    return act


def _lacking(step: Step, facts: Facts, now: datetime, detail: dict[str, object]) -> Decision:
    if facts.policy.skips_missing:
        return Branch(step.next, now, None, Rule.MISSING_FIELD.value, detail)
    return Hold(step, Rule.MISSING_FIELD, None, detail)


def rendered(step: Step, lead_id: str, facts: Facts) -> Act | Missing:
    """The step with its texts for this lead, or the fields it lacks.

    Raises RenderError, also for a text that came out longer than any channel sends.
    """
    variant = step.variant_for(lead_id)
    content: dict[str, object] = {}
    lacking: dict[str, None] = {}

    def add(name: str, template: Template | None) -> None:
        if template is None:
            return
        result = template.render(facts.fields, facts.sender, step.spin_seed(lead_id))
        if isinstance(result, Missing):
            lacking.update(dict.fromkeys(result.fields))
        elif result.text.strip():
            if (problem := too_long(step.type, name, result.text)) is not None:
                raise RenderError(problem)
            content[name] = result.text

    if variant is not None:
        add("text", step.variants[variant].text)
        add("subject", step.variants[variant].subject)
    add("title", step.title)
    _COMPLETE.get(step.type, _nothing)(step, facts, content, lacking)
    return Missing(tuple(lacking)) if lacking else Act(step, content, variant)


_Completion = Callable[[Step, Facts, dict[str, object], dict[str, None]], None]


def _nothing(step: Step, facts: Facts, content: dict[str, object], lacking: dict[str, None]) -> None:
    del step, facts, content, lacking


def _message(step: Step, facts: Facts, content: dict[str, object], lacking: dict[str, None]) -> None:
    """A blank message is a hole, however its template came to it."""
    del step, facts
    if "text" not in content and not lacking:
        lacking["text"] = None


def _email(step: Step, facts: Facts, content: dict[str, object], lacking: dict[str, None]) -> None:
    _message(step, facts, content, lacking)
    address = look_up(facts.fields, "email")
    if address is None:
        lacking["email"] = None
    else:
        content["to"] = str(address)


def _webhook(step: Step, facts: Facts, content: dict[str, object], lacking: dict[str, None]) -> None:
    del lacking
    content["url"] = step.url
    content["payload"] = {"fields": dict(facts.fields)}


_COMPLETE: dict[StepType, _Completion] = {
    StepType.MESSAGE: _message,
    StepType.EMAIL: _email,
    StepType.WEBHOOK: _webhook,
}
