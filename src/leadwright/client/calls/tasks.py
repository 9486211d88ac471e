"""Calls about deeds that wait for a person."""

from typing import Literal

from leadwright.client.answers import tasks as answers
from leadwright.client.request import Request, Walk, by_cursor, request

ONE = "/v1/tasks/{task_id}"
Found = Literal["already_connected", "already_invited"]
Failure = Literal["profile_unreachable", "blocked", "not_connected", "note_too_long", "refused"]


def page(
    *,
    sender_id: str | None = None,
    campaign_id: str | None = None,
    number: int = 1,
    limit: int = 50,
    cursor: str | None = None,
) -> Request[answers.Tasks]:
    """One page of what waits for a person, the longest waiting first."""
    query = {"senderId": sender_id, "campaignId": campaign_id, "page": number, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/tasks", answers.Tasks, query=query)


def every(*, sender_id: str | None = None, campaign_id: str | None = None) -> Walk[answers.Task]:
    """All that waits for a person."""
    return by_cursor(page(sender_id=sender_id, campaign_id=campaign_id, limit=100), lambda found: found.tasks)


def read(task_id: str) -> Request[answers.Task]:
    return request("GET", ONE, answers.Task, task_id)


def complete(task_id: str, *, found: Found | None = None, note: str | None = None) -> Request[answers.TaskResolved]:
    """It was done, or ``found`` to be so already."""
    body = {name: value for name, value in {"found": found, "note": note}.items() if value is not None}
    return request("POST", ONE + "/complete", answers.TaskResolved, task_id, body=body)


def skip(task_id: str, *, note: str | None = None) -> Request[answers.TaskResolved]:
    """It is left out; the lead goes on."""
    return request("POST", ONE + "/skip", answers.TaskResolved, task_id, body={} if note is None else {"note": note})


def fail(task_id: str, code: Failure = "refused", *, note: str | None = None) -> Request[answers.TaskResolved]:
    """It cannot be done."""
    body = {"code": code} if note is None else {"code": code, "note": note}
    return request("POST", ONE + "/fail", answers.TaskResolved, task_id, body=body)
