"""What can be wrong with a template: when it is saved, and when it is rendered."""


class TemplateError(ValueError):
    """The template cannot be read. ``message`` is plain words; ``line`` and ``column`` count from 1.

    ``snippet`` is the part of the template that the message is about, shortened.
    """

    def __init__(self, message: str, source: str = "", at: int | None = None) -> None:
        self.message = message
        self.line, self.column = _line_and_column(source, at) if at is not None else (None, None)
        self.snippet = _snippet(source, at) if at is not None else None
        super().__init__(message if at is None else f"{message} (line {self.line}, column {self.column})")


class RenderError(ValueError):
    """The template cannot be rendered with these values: text stands where a number must, for example."""


class RenderLimitError(RenderError):
    """Rendering was stopped: the text, a loop or a value grew beyond the limits."""


def shorten(text: str, length: int = 60) -> str:
    """The text on one line, cut with ``…`` when longer than ``length``."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _line_and_column(source: str, at: int) -> tuple[int, int]:
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _snippet(source: str, at: int) -> str:
    line_end = source.find("\n", at)
    return shorten(source[at : line_end if line_end >= 0 else len(source)])
