"""Settings: every variable, the file, which of them wins, and a clear word about what is wrong."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from leadwright.settings import ENV_PREFIX, Settings, default_data_dir, unknown_settings

# name: (text of the variable, value)
GOOD: dict[str, tuple[str, Any]] = {
    "data_dir": ("/srv/leads", Path("/srv/leads")),
    "database_url": ("postgresql://db/leads", SecretStr("postgresql://db/leads")),
    "database_pool_size": ("25", 25),
    "secret_key": ("an old secret of some length", SecretStr("an old secret of some length")),
    "public_url": ("https://outreach.example.com/api", "https://outreach.example.com/api"),
    "trusted_proxies": (" 127.0.0.1, 10.0.0.0/8,::1 ,", ("127.0.0.1", "10.0.0.0/8", "::1")),
    "webhook_allow_hosts": ("crm.local, 10.0.0.0/8,[::1]", ("crm.local", "10.0.0.0/8", "[::1]")),
    "webhook_retry_schedule": ("1, 2.5,60", (1, 2.5, 60)),
    "webhook_concurrency": ("3", 3),
    "webhook_timeout": ("2.5", 2.5),
    "webhook_log_days": ("7", 7),
    "deeds_at_once": ("20", 20),
    "history_days": ("365", 365),
    "event_days": ("1", 1),
    "message_days": ("90", 90),
    "import_days": ("30", 30),
    "audit_days": ("730", 730),
    "log_format": ("json", "json"),
    "log_level": ("warning", "warning"),
    "rate_limit": ("500", 500),
    "max_body_bytes": ("50000", 50_000),
    "credits": ("5", 5),
    "metrics": ("open", "open"),
    "postgres_bin_dir": ("/usr/lib/postgresql/18/bin", Path("/usr/lib/postgresql/18/bin")),
    "postgres_user": ("postgres", "postgres"),
    "postgres_linger_seconds": ("0.5", 0.5),
}
BAD = [
    ("database_pool_size", "1"),
    ("database_pool_size", "201"),
    ("database_pool_size", "many"),
    ("public_url", "outreach.example.com"),
    ("public_url", "ftp://outreach.example.com"),
    ("public_url", "https://user:word@outreach.example.com"),
    ("public_url", "https://outreach.example.com/?a=b"),
    ("public_url", "https://"),
    ("trusted_proxies", "10.0.0.0/8, a-proxy"),
    ("trusted_proxies", "10.0.0.0/40"),
    ("webhook_allow_hosts", "http://crm.local"),
    ("webhook_allow_hosts", "crm.local:8080"),
    ("webhook_allow_hosts", "*"),
    ("webhook_retry_schedule", "5,soon"),
    ("webhook_retry_schedule", "-1"),
    ("webhook_retry_schedule", "604801"),
    ("webhook_retry_schedule", ","),
    ("webhook_concurrency", "0"),
    ("webhook_timeout", "0"),
    ("webhook_log_days", "0"),
    ("deeds_at_once", "0"),
    ("deeds_at_once", "1001"),
    ("history_days", "0"),
    ("audit_days", "36501"),
    ("event_days", "for ever"),
    ("log_format", "xml"),
    ("log_level", "loud"),
    ("rate_limit", "0"),
    ("rate_limit", "1.5"),
    ("max_body_bytes", "999"),
    ("max_body_bytes", "2 MB"),
    ("metrics", "yes"),
    ("postgres_linger_seconds", "-1"),
    ("postgres_linger_seconds", "nan"),
    ("postgres_linger_seconds", "inf"),
]
SetVariable = Callable[[str, str], None]
WriteFile = Callable[[str], Path]


@pytest.fixture(autouse=True)
def set_variable(monkeypatch: pytest.MonkeyPatch) -> SetVariable:
    """Sets a variable by its key; none is set at first."""
    for name in os.environ:
        if name.upper().startswith(ENV_PREFIX):
            monkeypatch.delenv(name)
    return lambda key, text: monkeypatch.setenv(ENV_PREFIX + key.upper(), text)


@pytest.fixture
def write_file(tmp_path: Path, set_variable: SetVariable) -> WriteFile:
    def write(text: str) -> Path:
        file = tmp_path / "leadwright.toml"
        file.write_text(text)
        set_variable("config_file", str(file))
        return file

    return write


def test_no_setting_is_left_out_here() -> None:
    """The file's own has its tests below."""
    assert set(GOOD) | {"config_file"} == set(Settings.model_fields)


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("key", GOOD)
def test_each_variable_sets_its_setting(key: str, set_variable: SetVariable) -> None:
    text, value = GOOD[key]
    assert getattr(Settings(), key) != value
    set_variable(key, text)
    assert getattr(Settings(), key) == value
    assert unknown_settings() == []


@pytest.mark.parametrize("key", GOOD)
def test_an_empty_variable_is_an_unset_one(key: str, set_variable: SetVariable) -> None:
    default = getattr(Settings(), key)
    set_variable(key, "")
    assert getattr(Settings(), key) == default


@pytest.mark.parametrize(("key", "text"), BAD)
def test_a_bad_value_is_an_error_that_names_the_setting(key: str, text: str, set_variable: SetVariable) -> None:
    set_variable(key, text)
    with pytest.raises(ValidationError) as wrong:
        Settings()
    (found,) = wrong.value.errors()
    assert found["loc"][0] == key


def test_what_was_expected_is_told(set_variable: SetVariable) -> None:
    set_variable("trusted_proxies", "a-proxy")
    with pytest.raises(ValidationError, match=r"expected addresses or networks such as 10\.0\.0\.0/8, not 'a-proxy'"):
        Settings()


def test_the_file_sets_what_no_variable_does(write_file: WriteFile, set_variable: SetVariable) -> None:
    file = write_file('rate_limit = 7\nlog_level = "error"\ntrusted_proxies = ["::1", "10.0.0.0/8"]\n')
    set_variable("log_level", "debug")
    settings = Settings()
    assert (settings.rate_limit, settings.log_level, settings.metrics) == (7, "debug", "loopback")
    assert settings.trusted_proxies == ("::1", "10.0.0.0/8")
    assert settings.config_file == file


def test_what_is_given_in_the_program_wins(write_file: WriteFile, set_variable: SetVariable) -> None:
    write_file("rate_limit = 7")
    set_variable("rate_limit", "8")
    assert Settings(rate_limit=9).rate_limit == 9


def test_a_bad_value_in_the_file_names_the_setting(write_file: WriteFile) -> None:
    write_file('rate_limit = "fast"')
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert wrong.value.errors()[0]["loc"] == ("rate_limit",)


def test_unknown_names_are_listed_and_do_no_harm(write_file: WriteFile, set_variable: SetVariable) -> None:
    write_file('rate_limit = 7\nrate_limits = 8\n[metrics_of]\nwhom = "me"\n')
    set_variable("databse_url", "postgresql://db/leads")
    assert unknown_settings() == ["LEADWRIGHT_DATABSE_URL", "metrics_of", "rate_limits"]
    assert Settings().rate_limit == 7
    assert Settings().embedded


def test_nothing_set_is_nothing_unknown() -> None:
    assert unknown_settings() == []


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.rate_limit = 1  # type: ignore[misc] # that is the point


def test_the_database_is_embedded_unless_one_is_named(set_variable: SetVariable) -> None:
    assert Settings().embedded
    set_variable("database_url", "postgresql://db/leads")
    assert not Settings().embedded


def test_secrets_are_not_shown(set_variable: SetVariable) -> None:
    set_variable("secret_key", "an old secret of some length")
    set_variable("database_url", "postgresql://user:pass-word@db/leads")
    shown = repr(Settings()) + str(Settings().model_dump()) + Settings().model_dump_json()
    assert "an old secret" not in shown
    assert "pass-word" not in shown


def test_the_data_folder_is_one_that_the_databases_user_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/leadwright")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/jane")
    assert default_data_dir() == Path("/home/jane/.local/share/leadwright")
