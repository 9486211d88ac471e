"""Where leads go on when the sequence under them is edited."""

from leadwright.engine.sequence.model import Sequence, Step


def position_after_edit(old: Sequence, step_id: str, new: Sequence) -> Step | None:
    """The step of ``new`` at which a lead waiting at a step of ``old`` goes on; None when it is through.

    Its own step while that exists, wherever it was moved to. Otherwise the first step that followed in the
    old sequence and exists in the new one: for a condition first through ``then``, next ``else``, last what
    comes after both. When that step now stands within a condition that was never judged for this lead, the
    lead goes to that condition. The step found may be one the lead did before (steps can be moved): whoever
    performs passes it over. Raises KeyError when ``old`` has no such step.
    """
    kept = new.by_id(step_id)
    if kept is not None:
        return kept
    left = old.by_id(step_id)
    if left is None:
        raise KeyError(step_id)
    heir = _first_kept(old, left, new)
    return None if heir is None else _unjudged(old, left, new, heir)


def changed_steps(old: Sequence, new: Sequence) -> frozenset[str]:
    """The steps of ``old`` at which a lead that waits may now have to wait longer, shorter or for something else."""
    return frozenset(step.id for step in old.steps if _waiting(step) != _waiting(new.by_id(step.id)))


def _waiting(step: Step | None) -> tuple[object, ...] | None:
    if step is None:
        return None
    branch = step.branch
    return step.type, step.after, branch and branch.when, branch and branch.within


def _first_kept(old: Sequence, left: Step, new: Sequence) -> Step | None:
    """Of all that could follow in the old sequence, the first (depth first) that is still there."""
    following = {left.index}
    for step in old.steps[left.index :]:
        if step.index not in following:
            continue
        kept = new.by_id(step.id)
        if kept is not None:
            return kept
        following |= step.successors | ({step.next} if step.next is not None else set())
    return None


def _unjudged(old: Sequence, left: Step, new: Sequence, heir: Step) -> Step:
    """The outermost condition around ``heir`` that the lead was not already inside of, or ``heir`` itself."""
    judged = {old.steps[index].id for index in left.parents}
    around = (new.steps[index] for index in heir.parents)
    return next((condition for condition in around if condition.id not in judged), heir)
