"""Every setting of the server, read once from ``LEADWRIGHT_*`` variables and an optional TOML file, then frozen."""

import ipaddress
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ENV_PREFIX = "LEADWRIGHT_"
OF_COMMANDS = ("LEADWRIGHT_URL", "LEADWRIGHT_API_KEY")
"""No settings of a server: on which one commands work, and by which key."""
LONGEST_RETRY_SECONDS = 604_800
MOST_RETRIES = 50
_HOST_OR_NETWORK = re.compile(r"[\w.-]+|[0-9.]+(/[0-9]+)?|\[?[0-9A-Fa-f:.]+\]?(/[0-9]+)?")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def default_data_dir() -> Path:
    """``/var/lib/leadwright`` for root, because the database's unprivileged user cannot reach root's home."""
    if os.geteuid() == 0:
        return Path("/var/lib/leadwright")
    return Path.home() / ".local" / "share" / "leadwright"


class Settings(BaseSettings):
    """The configuration of one process. Variables win over the file, the file over the defaults."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    config_file: Path | None = Field(None, description="An optional TOML file with the same keys in lower case.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where the embedded database, the secret key and the logs of the database live.",
    )
    database_url: SecretStr | None = Field(
        None, description="A PostgreSQL (15 or newer) of your own; unset, the embedded one in the data folder is used."
    )
    database_pool_size: int = Field(10, ge=2, le=200, description="The most connections one process opens.")
    secret_key: SecretStr | None = Field(
        None, description="The key that encrypts stored secrets; unset, `secret.key` in the data folder is used."
    )
    public_url: str | None = Field(None, description="The address under which callers reach this server.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma list of proxy addresses or networks whose X-Forwarded-For is believed."
    )
    webhook_allow_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma list of host names, addresses or networks that may be plain HTTP and private: for webhooks "
        "and the http channel.",
    )
    webhook_retry_schedule: Annotated[tuple[float, ...], NoDecode] = Field(
        (5, 30, 120, 900, 3600),
        description="Comma list of seconds: after how long a failed webhook delivery is tried again, each time.",
    )
    webhook_concurrency: int = Field(
        10, ge=1, le=1000, description="Webhook deliveries under way to one endpoint at a time, a process."
    )
    webhook_timeout: float = Field(
        30.0, gt=0, le=300, description="Seconds that an endpoint has for its answer to a webhook delivery."
    )
    webhook_log_days: int = Field(
        30, ge=1, le=3650, description="Days that finished webhook deliveries stay in the log."
    )
    deeds_at_once: int = Field(
        100,
        ge=1,
        le=1000,
        description="Deeds of leads under way at a time, a process; eight times as many more that take over a second.",
    )
    history_days: int | None = Field(
        None, ge=1, le=36_500, description="Days that entries of leads' histories stay; unset, for ever."
    )
    event_days: int | None = Field(
        None, ge=1, le=36_500, description="Days that published events stay in the feed; unset, for ever."
    )
    message_days: int | None = Field(
        None, ge=1, le=36_500, description="Days that messages and the texts of finished deeds stay; unset, for ever."
    )
    import_days: int | None = Field(
        None, ge=1, le=36_500, description="Days that rows which an import did not add stay on record; unset, for ever."
    )
    audit_days: int | None = Field(
        None, ge=1, le=36_500, description="Days that entries of the audit log stay; unset, for ever."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`auto` writes for people on a terminal and JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level logged.")
    rate_limit: int = Field(
        6000, ge=1, le=1_000_000, description="Requests a second that one API key may make, over all processes."
    )
    max_body_bytes: int = Field(2_000_000, ge=1_000, le=100_000_000, description="The largest request body accepted.")
    credits: int = Field(
        1_000_000, ge=0, le=2**53, description="The allowance that `GET /v1/credits` tells; nothing uses it up."
    )
    metrics: Literal["loopback", "open", "off"] = Field(
        "loopback", description="Who may read /metrics: callers on this machine, everybody, nobody."
    )
    postgres_bin_dir: Path | None = Field(
        None, description="The folder with `postgres` and `initdb` for the embedded database, if not the found ones."
    )
    postgres_user: str | None = Field(
        None, description="The operating-system user the embedded database runs as when started by root."
    )
    postgres_linger_seconds: float = Field(
        5.0, ge=0, le=3600, description="Seconds the embedded database outlives its last client."
    )

    @field_validator("trusted_proxies", "webhook_allow_hosts", "webhook_retry_schedule", mode="before")
    @classmethod
    def _comma_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"expected addresses or networks such as 10.0.0.0/8, not '{network}'") from None
        return value

    @field_validator("webhook_allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST_OR_NETWORK.fullmatch(host) or host.count(":") == 1:
                raise ValueError(f"expected host names, addresses or networks without scheme and port, not '{host}'")
        return value

    @field_validator("webhook_retry_schedule")
    @classmethod
    def _delays(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or not all(0 <= delay <= LONGEST_RETRY_SECONDS for delay in value) or len(value) > MOST_RETRIES:
            raise ValueError(f"expected 1 to {MOST_RETRIES} numbers of seconds, none over {LONGEST_RETRY_SECONDS:,}")
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not _WEB_ADDRESS.fullmatch(value):
            raise ValueError("expected an address such as https://outreach.example.com")
        return value

    @cached_property
    def embedded(self) -> bool:
        return self.database_url is None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        file = os.environ.get(f"{ENV_PREFIX}CONFIG_FILE")
        if not file:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(file))


def unknown_settings() -> list[str]:
    """Names in the environment or the file that look like settings and are none: most often a typing error."""
    known = set(Settings.model_fields)
    wrong = [name for name in os.environ if name.startswith(ENV_PREFIX) and name not in OF_COMMANDS]
    wrong = [name for name in wrong if _key(name) not in known]
    return sorted(wrong + [key for key in _file_keys() if key not in known])


def _key(variable: str) -> str:
    return variable.removeprefix(ENV_PREFIX).lower()


def _file_keys() -> list[str]:
    file = os.environ.get(f"{ENV_PREFIX}CONFIG_FILE")
    if not file:
        return []
    source: dict[str, Any] = TomlConfigSettingsSource(Settings, Path(file)).toml_data
    return list(source)
