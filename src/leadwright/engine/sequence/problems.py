"""What is wrong with a sequence, all of it at once, each with its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault or a doubt: ``path`` is the place (``sequence.steps[2].text``), ``message`` names the step."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SequenceError(ValueError):
    """The sequence cannot be stored. ``problems`` are all that were found, in the order of the sequence."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first, more = self.problems[0], len(self.problems) - 1
        super().__init__(f"{first} (and {more} more)" if more else str(first))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that was probably meant, or at all of them when none is near."""
    choices = list(known)
    folded = {choice.replace("_", "").casefold(): choice for choice in choices}
    near = get_close_matches(word[:40].replace("_", "").casefold(), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else f"known are {', '.join(sorted(choices))}"
