"""What ``leadwright demo`` shows: headings, answers, claims; coloured on a terminal, plain elsewhere."""

import json

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text


class Stage:
    """Shows one thing after another, and remembers whether every claim held."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.as_claimed = True

    def heading(self, text: str) -> None:
        self.console.print(Text(f"\n{text}", style="bold"))

    def say(self, text: str) -> None:
        self.console.print(Text(text))

    def code(self, text: str) -> None:
        self._show(text, "bash")

    def json(self, value: object) -> None:
        self._show(json.dumps(value, indent=2, ensure_ascii=False), "json")

    def claim(self, text: str, holds: bool) -> None:
        """States what was to be seen in the answers; one that does not hold makes the demo fail."""
        mark, style = ("ok", "green") if holds else ("NOT SO", "bold red")
        self.console.print(Text.assemble((f"  {mark}: ", style), text))
        self.as_claimed = self.as_claimed and holds

    def end(self, seconds: float) -> None:
        self.heading("Done" if self.as_claimed else "Something was not as claimed")
        self.say(
            f"In {seconds:.1f} s; the scratch folder and its database are gone. "
            "A server of your own: leadwright serve --dev"
        )

    def _show(self, text: str, language: str) -> None:
        if self.console.is_terminal:
            self.console.print(Syntax(text, language, theme="ansi_dark", background_color="default"))
        else:
            self.console.print(Text(text))
