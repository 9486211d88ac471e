"""The body of the add route as it comes: the envelope is read strictly, and a broken row is alone at fault."""

import json
from typing import Any, cast

import msgspec

from leadwright.errors import Detail, InvalidRequest
from leadwright.leads.courtesy_fields import read_skip_if, skip_faults
from leadwright.leads.model import MOST_LEADS_A_REQUEST, AddLeads, OnDuplicate, Undecodable


def read_add_leads(body: bytes) -> AddLeads:
    """Reads the envelope strictly. Raises InvalidRequest naming what is missing or wrong."""
    if not body:
        raise InvalidRequest.of([Detail("body", "is required: a JSON object with campaignId and leads")])
    value = _decode(body)
    if not isinstance(value, dict):
        raise InvalidRequest("The request body must be a JSON object with campaignId and leads")
    envelope = cast(dict[str, Any], value)
    wrong = [fault for fault in (_campaign_fault(envelope), _leads_fault(envelope), _mode_fault(envelope)) if fault]
    wrong += skip_faults(envelope.get("skipIf"))
    if wrong:
        raise InvalidRequest.of(wrong)
    mode = OnDuplicate(envelope.get("onDuplicate") or "skip")
    return AddLeads(envelope["campaignId"], envelope["leads"], mode, read_skip_if(envelope.get("skipIf")))


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _decode_row_by_row(body, error)


def _decode_row_by_row(body: bytes, first: Exception) -> Any:
    """When the body as a whole cannot be read, perhaps a single row cannot: then only that row is at fault."""
    try:
        envelope: dict[str, Any] = dict(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
        rows = msgspec.json.decode(envelope.pop("leads", b"null"), type=list[msgspec.Raw])
        decoded: dict[str, Any] = {name: msgspec.json.decode(value) for name, value in envelope.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_half_characters(body, first)
    return decoded | {"leads": [_decode_row(row) for row in rows]}


def _decode_half_characters(body: bytes, first: Exception) -> Any:
    """Half an emoji, escaped: JavaScript makes it by cutting a text. Python's own decoder reads on behind it."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        rows = value["leads"]
        msgspec.json.encode({name: part for name, part in value.items() if name != "leads"})
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError) as error:
        raise InvalidRequest(f"The request body is not valid JSON: {_say(first)}", code="invalid_json") from error
    return value | {"leads": [_whole(row) for row in cast(list[Any], rows)]} if isinstance(rows, list) else value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(row: Any) -> Any:
    try:
        msgspec.json.encode(row)
    except (UnicodeEncodeError, RecursionError):
        return Undecodable("the row holds half a character (a lone surrogate), as when a text is cut inside an emoji")
    except OverflowError:
        pass
    return row


def _decode_row(row: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Undecodable(f"the row is not valid JSON: {_say(error)}")


def _say(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).split(" - at")[0].removeprefix("JSON is malformed: ")


def _campaign_fault(envelope: dict[str, Any]) -> Detail | None:
    campaign = envelope.get("campaignId")
    if isinstance(campaign, str) and campaign:
        return None
    return Detail("campaignId", "is required" if campaign is None else "expected a non-empty string")


def _leads_fault(envelope: dict[str, Any]) -> Detail | None:
    leads = envelope.get("leads")
    if leads is None:
        return Detail("leads", "is required")
    if type(leads) is not list:
        return Detail("leads", f"expected an array of 1 to {MOST_LEADS_A_REQUEST} leads")
    count = len(leads)  # type: ignore[reportUnknownArgumentType]
    if not 1 <= count <= MOST_LEADS_A_REQUEST:
        return Detail("leads", f"expected 1 to {MOST_LEADS_A_REQUEST} leads, got {count}")
    return None


def _mode_fault(envelope: dict[str, Any]) -> Detail | None:
    mode = envelope.get("onDuplicate")
    if mode is None or mode in list(OnDuplicate):
        return None
    return Detail("onDuplicate", f"expected one of {', '.join(OnDuplicate)}")
