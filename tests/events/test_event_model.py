"""Events without a database: the cursor and the data that each type promises."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright import ids
from leadwright.errors import InvalidRequest
from leadwright.events.model import (
    DATA_FIELDS,
    LAST_POSITION,
    Event,
    EventType,
    cursor_at,
    ordered_data,
    position_of,
)
from leadwright.events.wire import envelope, read_types

WORKSPACE = ids.new_id()
positions = st.integers(min_value=0, max_value=LAST_POSITION)


@given(positions)
def test_a_cursor_stands_for_its_place(position: int) -> None:
    assert position_of(WORKSPACE, cursor_at(WORKSPACE, position)) == position


@given(positions)
def test_a_cursor_of_another_workspace_is_none(position: int) -> None:
    assert position_of(ids.new_id(), cursor_at(WORKSPACE, position)) is None


def test_the_empty_cursor_is_the_beginning() -> None:
    assert position_of(WORKSPACE, "") == 0


@given(st.text(min_size=1) | st.from_regex(r"[A-Za-z0-9_-]{16}", fullmatch=True))
def test_what_was_never_given_out_is_no_cursor(text: str) -> None:
    position = position_of(WORKSPACE, text)
    assert position is None or cursor_at(WORKSPACE, position) == text


@pytest.mark.parametrize("text", ["0", "1", "null", " ", "\0", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA\n"])
def test_plausible_texts_are_no_cursors(text: str) -> None:
    assert position_of(WORKSPACE, text) is None


def test_every_type_has_its_fields() -> None:
    assert set(DATA_FIELDS) == set(EventType)


def test_data_comes_in_the_documented_order_with_extra_fields_behind() -> None:
    given_data = {
        "extra": 1,
        "pausedBy": "api",
        "campaignName": "A",
        "pausedAt": "then",
        "campaignId": "camp_1",
    }
    ordered = ordered_data(EventType.CAMPAIGN_PAUSED, given_data)
    assert list(ordered) == ["campaignId", "campaignName", "pausedAt", "pausedBy", "extra"]
    assert ordered == given_data


def test_missing_data_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"campaign\.paused lacks campaignName, pausedBy"):
        ordered_data(EventType.CAMPAIGN_PAUSED, {"campaignId": "camp_1", "pausedAt": "then"})


def test_the_envelope_passes_the_stored_text_on_to_the_byte() -> None:
    stored = '{"b":1.0,"a":1e400,"\\u00e9":"é"}'
    when = datetime(2026, 3, 1, 9, 30, 0, 123_900, UTC)
    event = Event(ids.new_id(), 1, EventType.LEAD_UPDATED, stored, simulated=False, created_at=when)
    body = msgspec.json.encode(envelope(WORKSPACE, event)).decode()
    assert f'"data":{stored}' in body
    assert '"timestamp":"2026-03-01T09:30:00.123Z"' in body
    assert list(json.loads(body)) == ["eventId", "eventType", "timestamp", "workspaceId", "data"]


def test_types_come_as_comma_lists_each_once() -> None:
    given_types = ["lead.updated, message.sent", "lead.updated", ""]
    assert read_types(given_types) == [EventType.LEAD_UPDATED, EventType.MESSAGE_SENT]


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"types: 'lead\.moved' is not an event type"):
        read_types(["lead.updated,lead.moved"])
