"""Finding a lead's field by the name that a person wrote."""

import pytest

from leadwright.templates import look_up, text_of


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"firstName": "A"}, "firstName", "A"),
        ({"firstName": "A", "FIRSTNAME": "B"}, "FIRSTNAME", "B"),
        ({"firstName": "A"}, "First Name", "A"),
        ({"firstName": None, "First Name": "B"}, "firstName", "B"),
        ({"firstName": "A", "first-name": "B"}, "first_name", None),
        ({"firstName": "A", "first-name": "A"}, "first_name", "A"),
        ({"title": "CEO"}, "jobTitle", "CEO"),
        ({"title": "CEO", "Job Title": "Chief"}, "jobTitle", "Chief"),
        ({"title": "\t"}, "title", None),
        ({"a": False, "b": 0}, "a", False),
        ({"b": 0}, "b", 0),
        ({}, "a", None),
    ],
)
def test_look_up(fields: dict[str, str | int | bool | None], name: str, value: object) -> None:
    assert look_up(fields, name) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (85, "85"),
        (85.0, "85"),
        (0.1, "0.1"),
        (1e20, "1" + "0" * 20),
        (1e300, "1e+300"),
        (True, "true"),
        (None, ""),
    ],
)
def test_text_of(value: object, text: str) -> None:
    assert text_of(value) == text
