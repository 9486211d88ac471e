"""``leadwright doctor``."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest


def findings(finished) -> dict[str, tuple[str, str, str]]:
    return {each["check"]: (each["result"], each["found"], each["advice"]) for each in json.loads(finished.stdout)}


def test_a_sound_installation(leadwright) -> None:
    finished = leadwright("doctor", "--json", "--port", "1")
    found = findings(finished)
    assert finished.returncode == 0
    assert {name for name, (result, _, _) in found.items() if result == "fail"} == set()
    assert found["migrations"] == ("ok", "current", "")
    assert found["database"][1].startswith("PostgreSQL ")
    assert not Path(leadwright.settings["data_dir"]).exists(), "nothing is made"


def test_a_folder_that_does_not_exist_yet_is_not_made(embedded) -> None:
    finished = embedded("doctor", "--json")
    found = findings(finished)
    assert finished.returncode == 0, finished.stdout
    assert "does not exist yet" in found["data folder"][1]
    assert "not made yet" in found["embedded database"][1]
    assert not Path(embedded.settings["data_dir"]).exists()


def test_everything_that_is_wrong_is_told_with_what_to_do(unreachable) -> None:
    data_dir = Path(unreachable.settings["data_dir"])
    data_dir.mkdir()
    (data_dir / "secret.key").write_text("0123456789abcdef")
    (data_dir / "secret.key").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = unreachable.but(rate_limt="5")("doctor", "--json", "--port", str(port))
    assert finished.returncode == 1
    told = {each["found"]: each for each in json.loads(finished.stdout)}
    assert told["LEADWRIGHT_RATE_LIMT is no setting"]["result"] == "warn"
    found = findings(finished)
    assert found["secret key"][::2] == ("fail", f"Run: chmod 600 '{data_dir / 'secret.key'}'")
    assert found["database"][0] == "fail"
    assert found["port"][0] == "warn"
    assert f"serve --port {port + 1}" in found["port"][2]
    assert "hunter2" not in finished.stdout


def test_settings_that_cannot_be_read(unreachable) -> None:
    finished = unreachable.but(rate_limit="many")("doctor")
    assert finished.returncode == 1
    assert "LEADWRIGHT_RATE_LIMIT" in finished.stdout


def test_pending_migrations(leadwright, make_database: Callable[..., str]) -> None:
    finished = leadwright.but(database_url=make_database(migrated=False))("doctor", "--json")
    assert findings(finished)["migrations"][::2] == ("warn", "Run: leadwright db migrate")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_data_folder_below_a_closed_one(unreachable, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    inside = type(unreachable)({"data_dir": str(closed / "data")}, tmp_path)
    finished = inside("doctor", "--json")
    assert finished.returncode == 1
    assert "chmod o+x" in findings(finished)["embedded database"][2]


@pytest.mark.parametrize("setting", ["synchronous_commit"])
def test_a_database_that_does_not_keep_what_it_acknowledges(leadwright, setting: str) -> None:
    lax = leadwright.but(database_url=f"{leadwright.settings['database_url']} options='-c {setting}=off'")
    assert findings(lax("doctor", "--json"))["durability"][::2] == ("warn", f"Set {setting} = on in that server.")
    with lax.serving() as server:
        assert server.end(signal.SIGTERM) == 0
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["setting"] for line in lines if line["level"] == "warning"] == [setting]
    assert "durability" not in findings(leadwright("doctor", "--json"))
