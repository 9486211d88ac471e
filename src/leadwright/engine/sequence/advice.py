"""Doubts about a sequence that works but may not do what its writer means."""

from collections.abc import Iterator, Sequence

from leadwright.engine.sequence.model import Step, StepType
from leadwright.engine.sequence.problems import Problem


def warnings_of(steps: Sequence[Step]) -> tuple[Problem, ...]:
    return tuple(
        Problem(step.path, f'step "{step.id}": {doubt}')
        for step, doubt in (*_unreachable(steps), *_invitations(steps), *_hasty(steps), *_strangers(steps))
    )


def _unreachable(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    reached = {0} | {successor for step in _reachable(steps) for successor in step.successors}
    for step in steps:
        if step.index not in reached:
            yield step, "no lead ever gets here, the sequence has ended before"


def _reachable(steps: Sequence[Step]) -> list[Step]:
    """Successors are always later in the list, so one pass finds all."""
    reached = {0}
    for step in steps:
        if step.index in reached:
            reached |= step.successors
    return [step for step in steps if step.index in reached]


def _invitations(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Follow whether an invitation can be open on some way to each step."""
    can_be_open: set[int] = set()
    for step in _reachable(steps):
        is_open = step.index in can_be_open
        if step.type is StepType.CONNECT and is_open:
            yield step, "an invitation may be open already, this one then changes nothing"
        if step.type is StepType.WITHDRAW_CONNECTION and not is_open:
            yield step, "no invitation goes out before, there is nothing to withdraw"
        if step.type is StepType.CONNECT or (is_open and step.type is not StepType.WITHDRAW_CONNECTION):
            can_be_open |= step.successors


def _hasty(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    invited = {successor for step in steps if step.type is StepType.CONNECT for successor in step.successors}
    for step in steps:
        asks_connected = step.branch is not None and step.branch.when is None and not step.branch.within
        if asks_connected and step.index in invited and not step.after:
            yield step, 'it is judged the moment the invitation is out, give it a "within"'


def _strangers(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Messages where the lead is known not to be connected, and is not invited before."""
    for step in steps:
        if step.type is not StepType.MESSAGE:
            continue
        for parent in (steps[index] for index in step.parents):
            asks_connected = parent.branch is not None and parent.branch.when is None
            otherwise = f"{parent.path}.else["
            if asks_connected and step.path.startswith(otherwise) and not _invites(steps, otherwise, step):
                yield step, f'it stands in the "else" of "{parent.id}", where the lead is not connected'
                break


def _invites(steps: Sequence[Step], within: str, before: Step) -> bool:
    return any(
        step.type is StepType.CONNECT and step.index < before.index and step.path.startswith(within) for step in steps
    )
