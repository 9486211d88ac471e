"""What a condition asks of a lead's field."""

import pytest

from leadwright.engine.sequence import parse_sequence

LEAD = {
    "title": " CEO ",
    "score": 85,
    "employees": "120",
    "hiring": True,
    "city": None,
    "note": "has 5 stars",
}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"field": "title", "equals": "ceo"}, True),
        ({"field": "jobTitle", "equals": "CEO"}, True),
        ({"field": "title", "equals": "CTO"}, False),
        ({"field": "title", "notEquals": "CTO"}, True),
        ({"field": "score", "equals": 85.0}, True),
        ({"field": "score", "equals": "85"}, True),
        ({"field": "employees", "equals": 120}, True),
        ({"field": "employees", "equals": "120.0"}, False),
        ({"field": "hiring", "equals": True}, True),
        ({"field": "hiring", "equals": 1}, False),
        ({"field": "hiring", "equals": "true"}, True),
        ({"field": "title", "contains": "E"}, True),
        ({"field": "note", "contains": 5}, True),
        ({"field": "note", "notContains": "5 s"}, False),
        ({"field": "title", "in": ["CTO", "CEO"]}, True),
        ({"field": "score", "in": [1, "85"]}, True),
        ({"field": "title", "notIn": ["CTO"]}, True),
        ({"field": "score", "greaterThan": 85}, False),
        ({"field": "score", "atLeast": 85}, True),
        ({"field": "employees", "lessThan": 121}, True),
        ({"field": "employees", "atMost": 119.5}, False),
        ({"field": "title", "atLeast": 0}, False),
        ({"field": "hiring", "atLeast": 0}, False),
        ({"field": "city", "exists": True}, False),
        ({"field": "city", "exists": False}, True),
        ({"field": "title", "exists": True}, True),
        ({"field": "title", "exists": False}, False),
        ({"field": "city", "equals": ""}, False),
        ({"field": "city", "notEquals": "Bern"}, True),
        ({"field": "city", "notIn": ["Bern"]}, True),
        ({"field": "city", "contains": ""}, False),
        ({"field": "city", "atMost": 9}, False),
    ],
)
def test_comparisons(when: dict[str, object], holds: bool) -> None:
    condition = parse_sequence({"steps": [{"type": "condition", "when": when}]}).steps[0]
    assert condition.branch is not None
    assert condition.branch.when is not None
    assert condition.branch.when.to_json() == when
    assert condition.branch.when.holds(LEAD) is holds
