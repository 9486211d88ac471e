"""How long a text may be when it is sent."""

from leadwright.engine.sequence.model import StepType

MAX_TEXT = 8_000
MAX_NOTE = 300
"""Characters of an invitation's note: LinkedIn takes no more. Of a note without fields it is checked when saved."""

MAX_LINE = 300
"""Characters of a subject, a title or a field's name."""


def too_long(kind: StepType, part: str, text: str) -> str | None:
    """What to say of a rendered ``text``, ``subject`` or ``title`` that nobody can use; None for one that goes."""
    is_note = kind is StepType.CONNECT
    most = MAX_LINE if part != "text" else MAX_NOTE if is_note else MAX_TEXT
    if len(text) <= most:
        return None
    return f"the {'note' if is_note else part} has {len(text):,} characters, at most {most:,} can be sent"
