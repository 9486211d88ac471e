"""The add-leads body is decoded by hand: what is documented of it and what is read are held against each other."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leadwright.errors import InvalidRequest
from leadwright.http.app import create_app
from leadwright.http.openapi import document
from leadwright.leads.decoding import read_add_leads
from leadwright.leads.model import NewLead, Rejection, parse_row
from leadwright.leads.wire import AddLeadsBody, LeadRow
from leadwright.settings import Settings

STANDARD = ("linkedinUrl", "firstName", "lastName", "company", "title", "email")
PERSON = "https://www.linkedin.com/in/jane-smith"
NOT_BY_SCHEMA = {"too_long", "too_many_fields", "bad_character"}
"""Why a row that fits its schema may be refused still, beside an address that names nobody."""

documented = schemathesis.openapi.from_dict(document(create_app(None, Settings())))  # type: ignore[arg-type]
bodies = documented["/v1/leads"]["POST"].as_strategy().map(lambda case: case.body)
rows = bodies.flatmap(lambda body: st.sampled_from(body["leads"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
anything = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=9), below, max_size=3)
)
quick = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def by_hand(value: object) -> set[str]:
    """The fields of the envelope that the hand decoder refuses; ``""`` is the body itself."""
    try:
        read_add_leads(json.dumps(value).encode())
    except InvalidRequest as error:
        return {detail.path for detail in error.details} or {""}
    return set()


def as_documented(value: object) -> set[str]:
    """The fields of the envelope that the documented model refuses; what is wrong within a row is the row's."""
    try:
        AddLeadsBody.model_validate(value, strict=True)
    except ValidationError as error:
        places = [fault["loc"] for fault in error.errors() if len(fault["loc"]) < 2]
        return {str(place[0]) if place else "" for place in places}
    return set()


@quick
@given(bodies)
def test_every_documented_body_is_read(body: Any) -> None:
    assert by_hand(body) == set()
    assert read_add_leads(json.dumps(body).encode()).campaign_id == body["campaignId"]


@quick
@given(rows)
def test_a_documented_row_is_refused_only_for_what_a_schema_cannot_say(row: dict[str, Any]) -> None:
    judged = parse_row(0, json.loads(json.dumps(row)) | {"linkedinUrl": PERSON}, "0" * 32, check_nul=True)
    if isinstance(judged, Rejection):
        assert judged.code in NOT_BY_SCHEMA or "beyond 64 bits" in judged.reason


@quick
@given(rows)
def test_a_row_becomes_the_lead_that_its_document_says(row: dict[str, Any]) -> None:
    row |= {"linkedinUrl": PERSON}
    judged = parse_row(0, json.loads(json.dumps(row)), "0" * 32)
    if isinstance(judged, NewLead):
        read = LeadRow.model_validate(row)
        assert judged.custom == (row.get("customFields") or {}) | (read.model_extra or {})
        told = (judged.first_name, judged.last_name, judged.company, judged.title, judged.email)
        assert told == (read.firstName, read.lastName, read.company, read.title, read.email)


@quick
@given(rows, st.sampled_from([name for name in STANDARD if name != "linkedinUrl"]), anything)
def test_a_field_of_another_kind_is_refused_by_both(row: dict[str, Any], name: str, value: Any) -> None:
    row |= {"linkedinUrl": PERSON, name: value}
    judged = parse_row(0, json.loads(json.dumps(row)), "0" * 32)
    if isinstance(judged, NewLead) and type(value) not in (int, float):  # a number becomes its text
        LeadRow.model_validate(row, strict=True)


@quick
@given(rows, st.text(min_size=1, max_size=20), anything)
def test_a_custom_value_is_refused_by_both_or_by_none(row: dict[str, Any], name: str, value: Any) -> None:
    row |= {"linkedinUrl": PERSON, f"x{name}": value}
    judged = parse_row(0, json.loads(json.dumps(row)), "0" * 32)
    nested = isinstance(value, (list, dict))
    assert isinstance(judged, Rejection) or not nested
    if nested:
        with pytest.raises(ValidationError):
            LeadRow.model_validate(row, strict=True)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return usual | anything


envelopes = st.fixed_dictionaries(
    {},
    optional={
        "campaignId": mostly(st.just("camp_1")),
        "leads": mostly(st.integers(0, 103).map(lambda count: [{"linkedinUrl": PERSON}] * count)),
        "onDuplicate": mostly(st.sampled_from(["skip", "fill", "overwrite", "SKIP", ""])),
        "more": anything,
    },
)


@settings(quick, max_examples=500)
@given(envelopes | anything)
def test_an_envelope_is_refused_by_both_for_the_same_fields_or_by_none(envelope: Any) -> None:
    assert by_hand(envelope) == as_documented(envelope)


@pytest.mark.parametrize("count", [0, 1, 100, 101])
def test_the_number_of_rows(count: int) -> None:
    body = {"campaignId": "camp_1", "leads": [{"linkedinUrl": PERSON}] * count}
    assert by_hand(body) == as_documented(body) == (set() if 1 <= count <= 100 else {"leads"})
