"""What keeps a campaign from working, and what is doubtful about it; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``path``: the place in the campaign's body, as errors name it."""

    code: str
    path: str
    message: str


def obstacles(source: Mapping[str, object], hands: Sequence[Hand]) -> list[Obstacle]:
    """Why a campaign with this sequence and these senders, the removed ones left out, cannot work: all reasons."""
    found: list[Obstacle] = []
    if not hands:
        found.append(Obstacle("no_sender", "senderIds", "the campaign has no sender; give it one in senderIds"))
    try:
        steps = parse_sequence(source)
    except SequenceError as error:
        return found + [Obstacle("broken_sequence", problem.path, problem.message) for problem in error.problems]
    if steps.is_empty:
        found.append(Obstacle("empty_sequence", "sequence", "the sequence has no steps"))
    return found + ([*_not_performed(steps, hands), *_unfilled(steps, hands)] if hands else [])


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


def doubts(steps: Steps, hands: Sequence[Hand]) -> list[Obstacle]:
    """What works for some senders only, or may not be meant."""
    found = [Obstacle("sequence", problem.path, problem.message) for problem in steps.warnings]
    for hand in hands:
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


def _performing(steps: Steps) -> Iterator[Step]:
    return (step for step in steps.steps if step.type.is_performed)


def _sender_fields(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for template in step.templates for name in template.sender_required))
