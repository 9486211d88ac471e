"""How cells are shown."""

import pytest

from leadwright.cli.output import printable


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (7, "7"),
        ("Zoë Müller", "Zoë Müller"),
        ("two\nlines\tand a tab", r"two\nlines\tand a tab"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("right\u202eleft", r"right\u202eleft"),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_a_cell_stays_on_its_line_and_steers_nothing(value: object, shown: str) -> None:
    assert printable(value) == shown
