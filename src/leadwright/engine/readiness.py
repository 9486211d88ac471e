"""What keeps a campaign from working, and what is doubtful about it; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadwright.campaigns.schedule import Schedule
from leadwright.engine.readiness_hours import ever_meet, may_meet
from leadwright.engine.readiness_texts import faults
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import SequenceError, Step, StepType, parse_sequence
from leadwright.templates import Fields, look_up


@dataclass(frozen=True, slots=True)
class Hand:
    """A sender as a campaign needs it: what its channel can do, and what templates see of it as ``sender.…``."""

    id: str
    name: str
    performs: frozenset[StepType]
    fields: Fields
    is_active: bool = True
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``path``: the place in the campaign's body, as errors name it."""

    code: str
    path: str
    message: str


def obstacles(source: Mapping[str, object], hands: Sequence[Hand], schedule: Schedule | None = None) -> list[Obstacle]:
    """Why a campaign with this sequence, these senders, the removed ones left out, and these hours cannot work.

    All reasons.
    """
    found: list[Obstacle] = []
    if not hands:
        found.append(Obstacle("no_sender", "senderIds", "the campaign has no sender; give it one in senderIds"))
    try:
        steps = parse_sequence(source)
    except SequenceError as error:
        return found + [Obstacle("broken_sequence", problem.path, problem.message) for problem in error.problems]
    if steps.is_empty:
        found.append(Obstacle("empty_sequence", "sequence", "the sequence has no steps"))
    found += _unrenderable(steps)
    if hands:
        found += [*_not_performed(steps, hands), *_unfilled(steps, hands), *_apart(hands, schedule)]
    return found


def _not_performed(steps: Steps, hands: Sequence[Hand]) -> Iterator[Obstacle]:
    for step in _performing(steps):
        if not any(step.type in hand.performs for hand in hands):
            message = f'step "{step.id}": no sender of the campaign has a channel that can do {step.type}'
            yield Obstacle("step_not_supported", step.path, message)


def _unfilled(steps: Steps, hands: Sequence[Hand]) -> Iterator[Obstacle]:
    """Texts that would hold every lead, whoever its sender is."""
    for step in _performing(steps):
        for name in _sender_fields(step):
            if all(look_up(hand.fields, name) is None for hand in hands):
                message = f'step "{step.id}" prints sender.{name}, which no sender of the campaign has'
                yield Obstacle("sender_field_missing", step.path, message)


def _unrenderable(steps: Steps) -> Iterator[Obstacle]:
    """Texts that fail whatever the fields of a lead hold, such as a loop without an end."""
    for step in _performing(steps):
        fault, _ = faults(step)
        if fault is not None:
            yield Obstacle("template_fails", step.path, f'step "{step.id}" can be rendered for nobody: {fault}')


def _apart(hands: Sequence[Hand], schedule: Schedule | None) -> Iterator[Obstacle]:
    if not any(may_meet(schedule, hand.schedule) for hand in hands):
        yield Obstacle("hours_never_meet", "schedule", "the hours of the campaign and of its senders never meet")


def doubts(steps: Steps, hands: Sequence[Hand], schedule: Schedule | None = None) -> list[Obstacle]:
    """What works for some senders or leads only, or may not be meant."""
    found = [Obstacle("sequence", problem.path, problem.message) for problem in steps.warnings]
    found += [*_of_wordings(steps), *_uninvited(steps)]
    for hand in hands:
        found += _never_open(hand, schedule)
        if not hand.is_active:
            found.append(Obstacle("sender_unavailable", "senderIds", f'the sender "{hand.name}" is not active'))
        for step in _performing(steps):
            if step.type not in hand.performs and any(step.type in other.performs for other in hands):
                message = f'step "{step.id}": the channel of the sender "{hand.name}" cannot do {step.type}'
                found.append(Obstacle("step_not_supported", step.path, message))
            for name in _sender_fields(step):
                if look_up(hand.fields, name) is None and any(look_up(h.fields, name) is not None for h in hands):
                    message = f'step "{step.id}" prints sender.{name}, which the sender "{hand.name}" lacks'
                    found.append(Obstacle("sender_field_missing", step.path, message))
    return found


def _of_wordings(steps: Steps) -> Iterator[Obstacle]:
    for step in _performing(steps):
        _, failing = faults(step)
        for fault in failing:
            yield Obstacle(
                "template_fails", step.path, f'step "{step.id}": a variant can be rendered for nobody: {fault}'
            )


def _uninvited(steps: Steps) -> Iterator[Obstacle]:
    """The first messages of a way on which nobody is invited, or known to be connected, before."""
    told = {problem.path for problem in steps.warnings}
    approached: set[int] = set()
    for step in steps.steps:
        if step.type is StepType.MESSAGE and step.index not in approached and step.path not in told:
            message = (
                f'step "{step.id}": nobody is invited before it, so people who are not known to be connected wait for '
                "acceptanceTimeout; a connect step before it finds those who are"
            )
            yield Obstacle("no_invitation", step.path, message)
        if step.index in approached or step.type in (StepType.CONNECT, StepType.MESSAGE):
            approached |= step.successors
        elif step.branch is not None and step.branch.when is None and step.branch.then is not None:
            approached.add(step.branch.then)


def _never_open(hand: Hand, schedule: Schedule | None) -> Iterator[Obstacle]:
    if not ever_meet(schedule, hand.schedule):
        some = ", but for leads with a time zone of their own" if may_meet(schedule, hand.schedule) else ""
        message = f'the hours of the campaign and of the sender "{hand.name}" never meet{some}'
        yield Obstacle("hours_never_meet", "schedule", message)


def _performing(steps: Steps) -> Iterator[Step]:
    return (step for step in steps.steps if step.type.is_performed)


def _sender_fields(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for template in step.templates for name in template.sender_required))
