"""The logs of a process: JSON when asked or read by a program, lines for people otherwise, and nothing personal."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

SPEAK = """
import logging, sys
from leadwright.telemetry import logs

early = logs.logger("leadwright.early")
logs.configure(sys.argv[1], sys.argv[2])
early.info("made before", campaign="camp_1")
ours, theirs = logs.logger("leadwright.ours"), logging.getLogger("theirs")
for level in ("debug", "info", "warning", "error"):
    getattr(ours, level)(f"our {level}", status=200)
    getattr(theirs, level)("their %s", level)
logging.getLogger("uvicorn.access").warning("GET /v1/leads?email=jane@example.com")
try:
    raise ValueError("jane@example.com")
except ValueError:
    theirs.exception("it failed")
"""
PERSONAL = "jane@example.com"


def speak(level: str, form: str) -> str:
    """What such a process writes; its standard error is a pipe, and standard output must stay empty."""
    command = [sys.executable, "-c", SPEAK, level, form]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    return done.stderr


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["json", "auto"])
def test_a_program_reads_one_object_a_line(form: str) -> None:
    told = records(speak("info", form))
    assert all({"component", "event", "level", "timestamp"} <= set(record) for record in told)
    assert told[0].items() >= {"component": "leadwright.early", "campaign": "camp_1", "level": "info"}.items()
    assert {"component": "theirs", "event": "their info", "level": "info"}.items() <= told[2].items()


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", {"our debug", "our info", "their info", "our warning", "their warning", "our error", "their error"}),
        ("info", {"our info", "their info", "our warning", "their warning", "our error", "their error"}),
        ("warning", {"our warning", "their warning", "our error", "their error"}),
        ("error", {"our error", "their error"}),
    ],
)
def test_what_is_below_the_level_is_not_written(level: str, heard: set[str]) -> None:
    """Of libraries nothing below info, since they say there what they handle."""
    events = {record["event"] for record in records(speak(level, "json"))}
    assert events - {"made before", "it failed"} == heard


def test_a_librarys_fault_is_told_by_its_kind_alone() -> None:
    text = speak("debug", "json")
    (fault,) = [record for record in records(text) if record["event"] == "it failed"]
    assert (fault["component"], fault["level"], fault["fault"]) == ("theirs", "error", "ValueError")
    assert PERSONAL not in text


def test_people_get_lines_when_they_ask() -> None:
    text = speak("info", "console")
    assert "made before" in text
    assert "campaign" in text
    assert PERSONAL not in text
    for line in text.splitlines():
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)


def test_people_at_a_terminal_get_lines_unasked() -> None:
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", SPEAK, "error", "auto"], stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    text = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "our error" in text
    assert not text.startswith("{")
