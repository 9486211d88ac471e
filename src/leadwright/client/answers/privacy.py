"""Answers about all that is held of one person."""

from leadwright.client.answers.base import JSON, Answer


class Erased(Answer):
    """How much was erased; ``suppressed`` is always true."""

    leads_erased: int
    messages_erased: int
    suppressed: bool


class Export(Answer):
    """Everything that is held of a person; each list has one object a record, as it is stored."""

    identity_keys: list[str]
    emails: list[str]
    suppressed: bool
    leads: list[JSON]
    places: list[JSON]
    history: list[JSON]
    imports: list[JSON]
    actions: list[JSON]
    relationships: list[JSON]
    conversations: list[JSON]
    messages: list[JSON]
    events: list[JSON]
    deliveries: list[JSON]
    company_replies: list[JSON]
    suppressions: list[JSON]
