"""What a command says when the settings are wrong or the database is away."""

from collections.abc import Callable
from pathlib import Path

import pytest


def refusal(finished) -> str:
    """The one line of a command that failed as expected."""
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = [each for each in finished.stderr.splitlines() if not each.startswith("{")]
    assert line.startswith("leadwright: ")
    assert "hunter2" not in finished.stderr
    return line


@pytest.mark.parametrize("command", [["keys", "list"], ["serve", "--port", "0"], ["db", "dump"], ["db", "status"]])
def test_a_database_that_is_away(unreachable, command: list[str]) -> None:
    assert "The database cannot be reached; check LEADWRIGHT_DATABASE_URL" in refusal(unreachable(*command))


@pytest.mark.parametrize("url", ["postgresql:somebody:hunter2@host", "host=x password=hunter2 nonsense", "hunter2"])
def test_a_connection_string_that_is_none(unreachable, url: str) -> None:
    said = refusal(unreachable.but(database_url=url)("keys", "list"))
    assert "expected one like postgresql://user:password@host:5432/database" in said


@pytest.mark.parametrize(
    ("name", "value"), [("rate_limit", "many"), ("log_format", "xml"), ("database_pool_size", "0")]
)
def test_a_setting_with_a_wrong_value_is_named(unreachable, name: str, value: str) -> None:
    assert f"LEADWRIGHT_{name.upper()}: Input should be" in refusal(unreachable.but(**{name: value})("serve"))


def test_the_settings_file_must_be_there_and_be_toml(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "leadwright.toml"
    with_file = unreachable.but(config_file=str(file))
    assert f"{file} does not exist" in refusal(with_file("keys", "list"))
    file.write_text("rate_limit = = 1")
    assert f"{file} is not valid TOML" in refusal(with_file("keys", "list"))
    file.write_text("rate_limit = 0")
    assert "LEADWRIGHT_RATE_LIMIT: Input should be greater" in refusal(with_file("keys", "list"))


def test_the_settings_file_is_used(leadwright, tmp_path: Path) -> None:
    file = tmp_path / "leadwright.toml"
    file.write_text(f'database_url = "{leadwright.settings["database_url"]}"\n')
    moved = type(leadwright)({"config_file": str(file)}, tmp_path)
    assert "Default" in moved.done("workspaces", "list")


def test_another_database_is_only_migrated_on_request(leadwright, make_database: Callable[..., str]) -> None:
    bare = leadwright.but(database_url=make_database(migrated=False))
    for command in (["keys", "create", "--name", "x"], ["serve", "--port", "0"]):
        assert "run: leadwright db migrate" in refusal(bare(*command))
    assert bare.done("db", "migrate").startswith("applied 0001_")
    assert bare.done("db", "migrate") == "The schema is current.\n"
    assert "Default" in bare.done("workspaces", "list")


def test_secret_keys_are_checked_at_the_start(leadwright) -> None:
    assert "16 characters or more" in refusal(leadwright.but(secret_key="short")("serve", "--port", "0"))
    file = Path(leadwright.settings["data_dir"]) / "secret.key"
    file.parent.mkdir()
    file.write_text("0123456789abcdef0123456789abcdef")
    file.chmod(0o644)
    assert f"run: chmod 600 '{file}'" in refusal(leadwright("serve", "--port", "0"))
