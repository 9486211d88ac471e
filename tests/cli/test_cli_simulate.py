"""A campaign played on the command line: the same each time, and refusals that say what is wrong."""

import json
from pathlib import Path

STEPS = {"steps": [{"id": "visit", "type": "visit_profile"}, {"id": "invite", "type": "connect", "note": "Hi {{x}}"}]}


def test_a_sequence_plays_the_same_each_time(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    file.write_text(json.dumps(STEPS))
    command = ["simulate", "--file", file, "--leads", "5", "--start", "2026-03-02T09:00", "--json"]
    lines = json.loads(unreachable.done(*command))
    assert lines == json.loads(unreachable.done(*command))
    assert [line["what"] for line in lines].count("connect") == 5
    assert {line["text"] for line in lines if line["what"] == "connect"} == {"Hi [x]"}


def test_what_cannot_be_played(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    assert unreachable("simulate").returncode == 2
    assert unreachable("simulate", "--file", file).returncode == 1
    file.write_text('{"steps": [{"type": "mesage"}]}')
    refused = unreachable("simulate", "--file", file)
    assert refused.returncode == 2
    assert "did you mean 'message'" in refused.stderr
