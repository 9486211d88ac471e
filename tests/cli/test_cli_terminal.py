"""What a person at a terminal sees."""

import os
import pty
import subprocess
import sys
import termios

import pytest


def at_a_terminal(leadwright, *arguments: str) -> str:
    """The output of a command on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen(
        [sys.executable, "-m", "leadwright", *arguments],
        env={**leadwright.environment, "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_the_list_of_keys_fits_and_ids_stay_whole(leadwright) -> None:
    leadwright.done("keys", "create", "--name", "crm")
    leadwright.done("keys", "create", "--name", "short", "--expires", "30d")
    ids = [line.split("\t")[0] for line in leadwright.done("keys", "list").splitlines()[1:]]
    leadwright.done("keys", "revoke", ids[0])
    shown = at_a_terminal(leadwright, "keys", "list")
    lines = [line for line in shown.splitlines() if "key_" in line]
    assert [line.split()[0] for line in lines] == ids
    assert [line.split()[-1] for line in lines] == ["revoked", "active"]
    assert "\t" not in shown


@pytest.mark.parametrize("command", [[], ["keys", "create"]])
def test_the_help_is_drawn(unreachable, command: list[str]) -> None:
    assert "╭─" in at_a_terminal(unreachable, *command, "--help")


def test_a_dump_is_not_poured_onto_a_terminal(leadwright) -> None:
    assert "PGDMP" not in at_a_terminal(leadwright, "db", "dump", "-")
