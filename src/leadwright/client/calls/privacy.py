"""Calls about all that is held of one person."""

from msgspec import UNSET

from leadwright.client.answers import privacy as answers
from leadwright.client.answers.base import JSON
from leadwright.client.request import Request, request


def erase(*, linkedin_url: str | None = None, email: str | None = None) -> Request[answers.Erased]:
    """Removes everything personal that is held of who is named by one of the two, for good; they stay suppressed."""
    return request("POST", "/v1/privacy/erase", answers.Erased, body=_person(linkedin_url, email))


def export(*, linkedin_url: str | None = None, email: str | None = None) -> Request[answers.Export]:
    """Everything that is held of who is named by one of the two."""
    return request("POST", "/v1/privacy/export", answers.Export, body=_person(linkedin_url, email))


def _person(linkedin_url: str | None, email: str | None) -> JSON:
    return {
        "linkedinUrl": UNSET if linkedin_url is None else linkedin_url,
        "email": UNSET if email is None else email,
    }
