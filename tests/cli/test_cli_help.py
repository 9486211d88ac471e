"""Help, usage errors and the speed of both."""

import subprocess
import sys

import pytest

COMMANDS = [
    "serve",
    "demo",
    "doctor",
    "identity",
    "forecast",
    "simulate",
    "keys create",
    "keys list",
    "keys revoke",
    "workspaces create",
    "workspaces list",
    "campaigns list",
    "leads add",
    "db migrate",
    "db status",
    "db dump",
    "db restore",
    "db psql",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(unreachable, command: str) -> None:
    shown = unreachable.done(*command.split(), "--help")
    assert f"Usage: leadwright {command}" in shown
    _, _, rest = shown.partition("\n\n")
    assert len(rest.strip().splitlines()[0]) > 10
    assert "\x1b" not in shown


def test_the_help_lists_all_groups(unreachable) -> None:
    shown = unreachable.done("--help")
    assert {command.split()[0] for command in COMMANDS} <= set(shown.split())


def test_the_version(unreachable) -> None:
    assert unreachable.done("--version") == "0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["keys", "create"], ["serve", "--port", "70000"], ["identity"], ["db", "restore", "gone"]],
)
def test_wrong_usage_exits_with_2(unreachable, arguments: list[str]) -> None:
    refused = unreachable(*arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "Error: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_help_imports_nothing_heavy() -> None:
    """What would make `--help` slow: each of these takes longer than the rest of it together."""
    heavy = {"pydantic", "psycopg", "fastapi", "cryptography", "aiohttp", "asyncio", "rich"}
    script = f"import sys, leadwright.cli.main; print(*{heavy!r} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []
