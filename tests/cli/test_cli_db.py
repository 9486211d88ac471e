"""``leadwright db``: state, backups, psql."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest


@pytest.fixture
def dump(leadwright, tmp_path: Path) -> Path:
    """Of a database with one workspace more."""
    leadwright.done("workspaces", "create", "--name", "Kept")
    file = tmp_path / "kept.dump"
    leadwright.done("db", "dump", file)
    return file


def names(leadwright) -> list[str]:
    return [each["name"] for each in json.loads(leadwright.done("workspaces", "list", "--json"))]


def test_the_status_tells_what_is_pending(leadwright, make_database: Callable[..., str]) -> None:
    current = json.loads(leadwright.done("db", "status", "--json"))
    assert (current["database"], current["pending"]) == ("external", [])
    assert current["applied"] >= 1
    bare = json.loads(leadwright.but(database_url=make_database(migrated=False)).done("db", "status", "--json"))
    assert bare["applied"] == 0
    assert len(bare["pending"]) == current["applied"]


def test_a_password_is_shown_nowhere(leadwright) -> None:
    with_password = psycopg.conninfo.make_conninfo(leadwright.settings["database_url"], password="hunter2")
    secretive = leadwright.but(database_url=with_password)
    for command in (["db", "status"], ["doctor"], ["db", "psql", "-c", r"\conninfo"]):
        finished = secretive(*command)
        assert "hunter2" not in finished.stdout + finished.stderr
    assert secretive.done("db", "psql", "-At", "-c", "SELECT 6 * 7") == "42\n"


def test_the_dump_is_private_and_leaves_no_draft(leadwright, dump: Path) -> None:
    assert dump.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in dump.parent.glob("*kept.dump*")] == ["kept.dump"]
    assert dump.read_bytes().startswith(b"PGDMP")


def test_a_dump_to_standard_output(leadwright) -> None:
    with (leadwright.folder / "piped").open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "leadwright", "db", "dump", "-"],
            env=leadwright.environment,
            stdout=file,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    assert (leadwright.folder / "piped").read_bytes().startswith(b"PGDMP")


def test_a_dump_restores_into_an_empty_database(leadwright, dump: Path, make_database: Callable[..., str]) -> None:
    empty = leadwright.but(database_url=make_database(migrated=False))
    empty.done("db", "restore", dump)
    assert names(empty) == ["Default", "Kept"]
    assert json.loads(empty.done("db", "status", "--json"))["pending"] == []


def test_a_full_database_is_only_replaced_on_request(leadwright, dump: Path) -> None:
    leadwright.done("workspaces", "create", "--name", "Later")
    refused = leadwright("db", "restore", dump)
    assert refused.returncode == 1
    assert "The database is not empty" in refused.stderr
    assert names(leadwright) == ["Default", "Kept", "Later"]
    leadwright.done("db", "restore", "--replace", dump)
    assert names(leadwright) == ["Default", "Kept"]


@pytest.mark.parametrize("damage", ["cut", "no dump"])
def test_a_broken_file_changes_nothing(leadwright, dump: Path, damage: str) -> None:
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-200] if damage == "cut" else b"SELECT 1;")
    refused = leadwright("db", "restore", "--replace", dump)
    assert refused.returncode == 1
    assert "Nothing was changed" in refused.stderr
    assert names(leadwright) == ["Default", "Kept"]


def test_a_database_in_use_is_left_alone(leadwright, dump: Path) -> None:
    with psycopg.connect(leadwright.settings["database_url"]):
        refused = leadwright("db", "restore", "--replace", dump)
    assert refused.returncode == 1
    assert "Other programs are connected" in refused.stderr


def test_tables_of_others_are_left_alone(leadwright, dump: Path, make_database: Callable[..., str]) -> None:
    conninfo = make_database(migrated=False)
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE theirs ()")
    refused = leadwright.but(database_url=conninfo)("db", "restore", "--replace", dump)
    assert refused.returncode == 1
    assert "not Leadwright's" in refused.stderr


def test_a_dump_that_cannot_be_written(leadwright) -> None:
    refused = leadwright("db", "dump", "/nonexistent/all.dump")
    assert refused.returncode == 1
    assert refused.stderr.startswith("leadwright: No such file or directory: /nonexistent/")
