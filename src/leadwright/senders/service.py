"""Making, showing, editing and removing senders, and having them for the engine with their secrets opened."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from pydantic import ValidationError

from leadwright import ids
from leadwright.channels import simulator_store
from leadwright.channels.config import ChannelConfig
from leadwright.channels.registry import CONFIGS
from leadwright.crypto import SecretBox
from leadwright.engine import waking
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.url import UrlRefused, check_url, same_origin
from leadwright.people import service as people
from leadwright.people.service import Rekeying
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.senders import quota_store, store
from leadwright.senders.model import ChannelName, Sender, SenderStatus, Settings

MOST_SENDERS = 1_000
_SECRET = "secret"  # noqa: S105 -- the name of a field, not one
BY_PERSON = "by_person"
"""Why a sender is disconnected that a person has taken off."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What this room needs of the process: how to seal, and where endpoints may be."""

    secrets: SecretBox
    allowed: AllowedHosts

    def seal(self, config: Mapping[str, Any]) -> str:
        return self.secrets.seal(msgspec.json.encode(config).decode())


@dataclass(frozen=True, slots=True)
class Made:
    """A sender, with the secret of its configuration when one was made for it: it is shown this once."""

    sender: Sender
    secret: str | None


async def create(
    connection: Connection, workspace_id: str, keeping: Keeping, settings: Settings, now: datetime
) -> Made:
    """Raises InvalidRequest for a channel or configuration that cannot work, and for an account that has a sender."""
    if await store.count(connection, workspace_id) >= MOST_SENDERS:
        raise InvalidRequest(f"A workspace has at most {MOST_SENDERS:,} senders", code="too_many_senders")
    secret, settings = _configured(keeping, settings, {})
    settings = await _canonical(connection, workspace_id, settings)
    sender_id = ids.new_id()
    sealed = keeping.seal(settings.config)
    if not await store.insert(connection, workspace_id, sender_id, settings, sealed, now):
        raise account_taken()
    await quota_store.carry_over(connection, workspace_id, sender_id)
    return Made(await read(connection, workspace_id, keeping.secrets, sender_id), secret)


async def read(connection: Connection, workspace_id: str, secrets: SecretBox, sender_id: str | None) -> Sender:
    """Raises NotFound, also for one that was removed."""
    wanted = [sender_id] if sender_id else []
    for sender in (await load(connection, secrets, workspace_id, wanted)).values():
        if sender.removed_at is None:
            return sender
    raise not_found()


async def page(
    connection: Connection, workspace_id: str, secrets: SecretBox, *, after: str | None, offset: int, limit: int
) -> tuple[Sequence[Sender], Total]:
    """Senders oldest first behind the bare id ``after``, and how many there are in all."""
    rows = await store.page(connection, workspace_id, after=after, offset=offset, limit=limit)
    return [_opened(secrets, row) for row in rows], Total(await store.count(connection, workspace_id))


async def list_all(connection: Connection, workspace_id: str, secrets: SecretBox) -> Sequence[Sender]:
    """All that are not removed, oldest first."""
    rows = await store.page(connection, workspace_id, after=None, offset=0, limit=MOST_SENDERS)
    return [_opened(secrets, row) for row in rows]


async def load(
    connection: Connection, secrets: SecretBox, workspace_id: str, sender_ids: Collection[str]
) -> Mapping[str, Sender]:
    """The senders with these bare ids, removed ones too; those that the workspace does not have are left out."""
    rows = await store.senders(connection, workspace_id, sender_ids)
    return {row.id: _opened(secrets, row) for row in rows}


async def exists(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> frozenset[str]:
    """Those of the bare ids that name a sender which is not removed, and is not before the transaction ends."""
    return await store.present(connection, workspace_id, sender_ids)


async def was_there(connection: Connection, workspace_id: str, sender_id: str) -> bool:
    """Whether the workspace has, or had, such a sender."""
    return bool(await store.senders(connection, workspace_id, [sender_id]))


@dataclass(frozen=True, slots=True)
class Change:
    """What a person wants of a sender. ``config`` holds the keys that were sent, ``status`` None leaves it."""

    settings: Callable[[Settings], Settings]
    config: Mapping[str, Any]
    status: SenderStatus | None


async def edit(
    connection: Connection, workspace_id: str, keeping: Keeping, sender_id: str | None, change: Change, now: datetime
) -> Made:
    """Sets what was sent and leaves the rest. Raises NotFound, and InvalidRequest as ``create`` does."""
    if sender_id is None or not await store.lock(connection, workspace_id, sender_id):
        raise not_found()
    present = await read(connection, workspace_id, keeping.secrets, sender_id)
    wanted = change.settings(present.settings)
    if wanted.channel is not present.channel:
        raise InvalidRequest.of([Detail("channel", f"is {present.channel} and stays so: make another sender")])
    secret, wanted = _configured(keeping, replace(wanted, config=change.config), present.config)
    wanted = await _canonical(connection, workspace_id, wanted)
    sealed = keeping.seal(wanted.config)
    if not await store.update(connection, workspace_id, present.id, wanted, sealed, now):
        raise account_taken()
    if change.status is not None:
        reason = BY_PERSON if change.status is SenderStatus.DISCONNECTED else None
        await store.set_status(connection, workspace_id, present.id, change.status, reason, now)
    await waking.sender_changed(connection, workspace_id, [present.id], now)
    return Made(await read(connection, workspace_id, keeping.secrets, present.id), secret)


async def remove(
    connection: Connection, workspace_id: str, keeping: Keeping, sender_id: str | None, now: datetime
) -> None:
    """It does nothing more and is shown no more; its conversations stay, its secrets do not. Raises NotFound.

    Leads that it has not contacted get another sender of their campaign, the others wait for a person.
    """
    if sender_id is None or not await store.remove(connection, workspace_id, sender_id, keeping.seal({}), now):
        raise not_found()
    await simulator_store.forget_of_sender(connection, workspace_id, sender_id)
    await waking.sender_changed(connection, workspace_id, [sender_id], now)


async def rekey(connection: Connection, workspace_id: str, rekeying: Rekeying) -> None:
    """Follows a learned alias, in the transaction that learned it: the account is still one sender's."""
    await store.rekey(connection, workspace_id, rekeying.old, rekeying.new)


def shown_config(sender: Sender) -> dict[str, Any]:
    """The configuration without its secrets."""
    return CONFIGS[sender.channel].masked(sender.config)


def _configured(keeping: Keeping, settings: Settings, present: Mapping[str, Any]) -> tuple[str | None, Settings]:
    """The settings with their configuration complete, and the secret that was made for it."""
    shape = CONFIGS.get(settings.channel)
    if shape is None:
        raise no_adapter(settings.channel)
    merged = shape.merged(present, settings.config)
    complete = _checked(shape, merged)
    for key in shape.address_keys:
        _check_address(keeping.allowed, f"config.{key}", complete[key])
        if key in present and not same_origin(present[key], complete[key]):
            _require_anew(shape.kept_secrets(present, settings.config), f"config.{key}")
    made = complete[_SECRET] if _SECRET in shape.secret_keys and _SECRET not in merged else None
    return made, replace(settings, config=complete)


def _checked(shape: type[ChannelConfig], config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return shape.model_validate(config).to_json()
    except ValidationError as error:
        details = [_detail(found["loc"], found["type"], found["msg"]) for found in error.errors()]
        raise InvalidRequest.of(details) from error


def _detail(place: Sequence[int | str], kind: str, message: str) -> Detail:
    path = ".".join(["config", *(str(part) for part in place)])
    if kind == "missing":
        return Detail(path, "is required")
    if kind == "extra_forbidden":
        return Detail(path, "is no setting of this channel")
    told = message.removeprefix("Value error, ")
    return Detail(path, told[:1].lower() + told[1:])


def _check_address(allowed: AllowedHosts, path: str, url: str) -> None:
    try:
        check_url(url, allowed)
    except UrlRefused as refused:
        raise InvalidRequest(
            f"{path}: {refused}", code="sender_address_refused", details=[Detail(path, str(refused))]
        ) from refused


def _require_anew(kept: Sequence[str], path: str) -> None:
    """What is secret goes to no other host than the one it was given for, for its values are shown to nobody."""
    if kept:
        expected = f"is needed anew, or null: {path} is at another host, which must not get the present one"
        raise InvalidRequest.of([Detail(f"config.{key}", expected) for key in kept])


async def _canonical(connection: Connection, workspace_id: str, settings: Settings) -> Settings:
    known = await people.hold_canonical(connection, workspace_id, [settings.identity])
    return replace(settings, identity=known[settings.identity])


def _opened(secrets: SecretBox, row: store.Row) -> Sender:
    return row.sender(msgspec.json.decode(secrets.open(row.config)))


def not_found() -> NotFound:
    return NotFound("Sender not found", code="sender_not_found")


def no_adapter(channel: ChannelName) -> InvalidRequest:
    """A sender that could never do anything is refused, not stored."""
    told = f"'{channel}' has no adapter yet; expected one of {', '.join(CONFIGS)}"
    return InvalidRequest(f"channel: {told}", code="channel_unavailable", details=[Detail("channel", told)])


def account_taken() -> InvalidRequest:
    told = "has a sender of this channel already: one account has one set of limits"
    return InvalidRequest(f"linkedinUrl: {told}", code="sender_exists", details=[Detail("linkedinUrl", told)])


async def sealed(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> Mapping[str, Sender]:
    """As ``load``, with nothing in ``config``: for those who only want to know what a sender is and may do."""
    rows = await store.senders(connection, workspace_id, sender_ids)
    return {row.id: row.sender({}) for row in rows}
