"""How long a text may be when it is sent."""

from leadwright.engine.sequence.model import StepType

MAX_TEXT = 8_000
MAX_NOTE = 300
"""Characters of an invitation's note: LinkedIn takes no more. Of a note without fields it is checked when saved."""

_LONGEST = {StepType.CONNECT: MAX_NOTE, StepType.MESSAGE: MAX_TEXT, StepType.EMAIL: MAX_TEXT}


def too_long(kind: StepType, text: str) -> str | None:
    """What to say of a rendered text that no channel can send; None for one that can be sent."""
    most = _LONGEST.get(kind)
    if most is None or len(text) <= most:
        return None
    name = "the note" if kind is StepType.CONNECT else "the text"
    return f"{name} has {len(text):,} characters, at most {most:,} can be sent"
