"""What a channel wants to know of a sender: the base of the shapes, one of which stands in each adapter's file."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from leadwright.campaigns.fields import DurationField
from leadwright.durations import duration_to_json

MASK = "••••"
"""Stands in answers for what is secret. Sent back, it means the secret that is there."""


def _shown(duration: timedelta) -> dict[str, int | float]:
    return duration_to_json(duration)


Lag = Annotated[DurationField, PlainSerializer(_shown)]


class ChannelConfig(BaseModel):
    """A channel's part of a sender. A key that it does not know is refused: it is most often a typing error.

    ``secret_keys``: fields that are never shown; of one that is an object the values are not. ``address_keys``: fields
    with an address that this server will call.
    """

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid")
    secret_keys: ClassVar[frozenset[str]] = frozenset()
    address_keys: ClassVar[frozenset[str]] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """All fields, the secrets too: what is sealed and stored."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def masked(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """A stored configuration as it is shown."""
        return {key: _masked(value) if key in cls.secret_keys else value for key, value in config.items()}

    @classmethod
    def kept_secrets(cls, present: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
        """The fields of which something secret stays as it is, because it was not sent or its mask was."""
        return [key for key in sorted(cls.secret_keys) if present.get(key) and _keeps(key, sent)]

    @classmethod
    def merged(cls, present: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """The present configuration with what was sent: null takes a field back to its default, and the mask in the
        place of a secret is the present one."""
        known = {key: _unmasked(value, present.get(key)) for key, value in sent.items() if key in cls.secret_keys}
        return {key: value for key, value in {**present, **sent, **known}.items() if value is not None}


def _keeps(key: str, sent: Mapping[str, Any]) -> bool:
    value = sent.get(key, MASK)
    return MASK in cast(dict[str, object], value).values() if isinstance(value, dict) else value == MASK


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return dict.fromkeys(cast(dict[str, object], value), MASK)
    return None if value is None else MASK


def _unmasked(value: object, present: object) -> object:
    if isinstance(value, dict):
        known = cast(dict[str, object], present) if isinstance(present, dict) else {}
        sent = cast(dict[str, object], value)
        return {name: known.get(name, each) if each == MASK else each for name, each in sent.items()}
    return present if value == MASK and present is not None else value
