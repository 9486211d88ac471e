"""Calls about leads, imports and who is the same person."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import UNSET

from leadwright.client.answers import leads as answers
from leadwright.client.answers import looking
from leadwright.client.answers.base import JSON
from leadwright.client.request import Request, Walk, by_cursor, request


def add(
    campaign_id: str,
    leads: Sequence[Mapping[str, object]],
    *,
    on_duplicate: Literal["skip", "fill", "overwrite"] = "skip",
    skip_if: JSON | None = None,
    full_report: bool = False,
    dry_run: bool = False,
    idempotency_key: str | None = None,
) -> Request[answers.Added]:
    """Adds 1 to 100 people to a campaign; every key of a row beside the standard fields is a custom field.

    ``skip_if`` leaves people alone, as ``{"contactedWithinDays": 30}``; they are counted as duplicates.
    A key of your own makes that a later process can repeat the request and nothing is added twice.
    """
    made = request(
        "POST",
        "/v1/leads",
        answers.Added,
        query={"report": "full" if full_report else None, "dryRun": dry_run or None},
        body={
            "campaignId": campaign_id,
            "leads": [dict(row) for row in leads],
            "onDuplicate": UNSET if on_duplicate == "skip" else on_duplicate,
            "skipIf": UNSET if skip_if is None else skip_if,
        },
    )
    return made if idempotency_key is None else made.keyed(idempotency_key)


def page(
    campaign_id: str | None = None,
    *,
    status: str | None = None,
    full: bool = False,
    number: int = 1,
    limit: int = 50,
    cursor: str | None = None,
) -> Request[answers.Leads]:
    """One page of leads, oldest first."""
    query = {"campaignId": campaign_id, "status": status, "full": full or None, "page": number, "limit": limit}
    return request("GET", "/v1/leads", answers.Leads, query={**query, "cursor": cursor})


def every(
    campaign_id: str | None = None, *, status: str | None = None, full: bool = False, limit: int = 100
) -> Walk[answers.Lead]:
    """All leads, oldest first, ``limit`` a request."""
    return by_cursor(page(campaign_id, status=status, full=full, limit=limit), lambda found: found.leads)


def read(lead_id: str, *, full: bool = False) -> Request[answers.Lead]:
    return request("GET", "/v1/leads/{lead_id}", answers.Lead, lead_id, query={"full": full or None})


def remove(lead_id: str, *, purge: bool = False) -> Request[answers.LeadRemoved]:
    """Takes a lead out of its campaign: it stays as STOPPED, or with ``purge`` it is as if never added."""
    query = {"purge": purge or None}
    return request("DELETE", "/v1/leads/{lead_id}", answers.LeadRemoved, lead_id, query=query)


def set_status(
    lead_id: str, status: str | None = None, *, custom_lead_status: str | None = None, note: str | None = None
) -> Request[answers.StatusChanged]:
    """Says what came of a lead, by at least one of the two statuses."""
    body = {"status": status, "customLeadStatus": custom_lead_status, "note": note}
    return request("PATCH", "/v1/leads/{lead_id}/status", answers.StatusChanged, lead_id, body=body)


def tag(lead_id: str, tag: str) -> Request[answers.Tagged]:
    return request("POST", "/v1/leads/{lead_id}/tags", answers.Tagged, lead_id, body={"tag": tag})


def untag(lead_id: str, tag: str) -> Request[answers.Tagged]:
    return request("DELETE", "/v1/leads/{lead_id}/tags/{tag}", answers.Tagged, lead_id, tag)


def why(lead_id: str) -> Request[looking.Why]:
    """What happens next to a lead, when, and which rules hold it."""
    return request("GET", "/v1/leads/{lead_id}/why", looking.Why, lead_id)


def history_page(lead_id: str, *, limit: int = 50, cursor: str | None = None) -> Request[answers.History]:
    """One page of what happened to a lead, oldest first."""
    query = {"limit": limit, "cursor": cursor}
    return request("GET", "/v1/leads/{lead_id}/history", answers.History, lead_id, query=query)


def history(lead_id: str) -> Walk[answers.HistoryEntry]:
    """All that happened to a lead, oldest first."""
    return by_cursor(history_page(lead_id, limit=100), lambda found: found.entries)


def imports_page(
    campaign_id: str | None = None, *, number: int = 1, limit: int = 20, cursor: str | None = None
) -> Request[answers.Imports]:
    """One page of the records of add calls, oldest first."""
    query = {"campaignId": campaign_id, "page": number, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/imports", answers.Imports, query=query)


def imports(campaign_id: str | None = None) -> Walk[answers.Import]:
    """The records of all add calls, oldest first."""
    return by_cursor(imports_page(campaign_id, limit=100), lambda found: found.imports)


def read_import(import_id: str) -> Request[answers.ImportDetail]:
    """The record of one add call, with an outcome for every row that was not added."""
    return request("GET", "/v1/imports/{import_id}", answers.ImportDetail, import_id)


def resolve(linkedin_urls: Sequence[str]) -> Request[answers.Persons]:
    """Whom addresses name, 1 to 100 of them."""
    body: JSON = {"linkedinUrls": list(linkedin_urls)}
    return request("POST", "/v1/identity/resolve", answers.Persons, body=body)


def join(linkedin_url: str, same_as: str) -> Request[answers.Joined]:
    """Says that two addresses are one person. It cannot be taken back."""
    body = {"linkedinUrl": linkedin_url, "sameAs": same_as}
    return request("POST", "/v1/identity/aliases", answers.Joined, body=body)
