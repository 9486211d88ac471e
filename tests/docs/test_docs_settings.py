"""docs/settings.md says what settings there are."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadwright.settings import ENV_PREFIX, OF_COMMANDS, Settings

# No settings of the server: the address of a database to measure on; on which server commands work.
OTHERS = {"LEADWRIGHT_BENCH_DATABASE_URL", *OF_COMMANDS}


def shown_default(name: str, default: object) -> str:
    if name == "data_dir":
        return "`~/.local/share/leadwright`; for root `/var/lib/leadwright`"
    if default is None:
        return "unset"
    return "none" if default == () else f"`{default}`"


def test_every_setting_stands_there_with_its_default_and_its_meaning(document: Callable[[str], Any]) -> None:
    expected = [
        [f"`{ENV_PREFIX}{name.upper()}`", shown_default(name, field.default), field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert document("docs/settings.md").rows() == expected


def test_no_setting_is_named_that_there_is_not(tracked: list[Path]) -> None:
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHERS
    named = {
        (path.name, name)
        for path in tracked
        if path.suffix in {".md", ".py", ".toml", ""} and "tests" not in path.parts
        for name in re.findall(r"LEADWRIGHT_[A-Z][A-Z_]*[A-Z]", path.read_text("utf-8"))
    }
    assert {(file, name) for file, name in named if name not in known} == set()


def test_the_file_that_is_shown_can_be_read(
    document: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [shown] = document("docs/settings.md").blocks("toml")
    file = tmp_path / "leadwright.toml"
    file.write_text(shown)
    monkeypatch.setenv("LEADWRIGHT_CONFIG_FILE", str(file))
    settings = Settings()
    assert settings.rate_limit == 500
    assert settings.trusted_proxies == ("127.0.0.1",)
