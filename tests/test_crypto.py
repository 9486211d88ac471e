"""Sealing, rotation, and the key file that many processes make at once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadwright.crypto import KEY_FILE, SecretBox, SecretKeyError, load_secret_key

OLD, NEW, OTHER = "the old key of 2025", "the new key of 2026", "another key and not ours"
BOX = SecretBox(OLD)
RACERS = 8
RACE = """
import pathlib, sys
from leadwright.crypto import load_secret_key
print("ready", flush=True)
sys.stdin.readline()
print(load_secret_key(None, pathlib.Path(sys.argv[1])).seal("told"))
"""
NOBODY = 65534


@given(st.text())
@settings(max_examples=50)
def test_what_is_sealed_opens_and_is_not_to_be_read(text: str) -> None:
    sealed = BOX.seal(text)
    assert BOX.open(sealed) == text
    assert BOX.seal(text) != sealed
    assert len(text) < 4 or text not in sealed


@pytest.mark.parametrize("material", [f"{NEW}\n{OLD}", f"{NEW},{OLD}", f"\n {NEW} , \r\n{OLD}\n\n"])
def test_a_new_key_seals_while_the_old_one_still_opens(material: str) -> None:
    rotated = SecretBox(material)
    assert rotated.open(SecretBox(OLD).seal("told")) == "told"
    sealed = rotated.seal("told")
    assert SecretBox(NEW).open(sealed) == "told"
    with pytest.raises(SecretKeyError):
        SecretBox(OLD).open(sealed)


def test_the_wrong_key_says_so_and_no_more() -> None:
    with pytest.raises(SecretKeyError, match="does not open with the configured secret key") as wrong:
        SecretBox(OTHER).open(BOX.seal("told"))
    assert OTHER not in str(wrong.value)


@pytest.mark.parametrize("sealed", ["", "told", "gAAAAA", "é", BOX.seal("told")[:-4] + "AAA="], ids=range(5))
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(SecretKeyError):
        BOX.open(sealed)


@pytest.mark.parametrize("material", ["", " \n,\n", "x" * 15, f"{OLD}\nshort", " " * 30])
def test_a_key_that_is_too_short_is_refused(material: str, tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match=r"^LEADWRIGHT_SECRET_KEY: expected one or more keys of 16 characters"):
        load_secret_key(material, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_configured_key_needs_no_file(tmp_path: Path) -> None:
    assert load_secret_key(OLD, tmp_path).open(BOX.seal("told")) == "told"
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = load_secret_key(None, tmp_path).seal("told")
    (file,) = tmp_path.iterdir()
    assert file.name == KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 43
    assert load_secret_key(None, tmp_path).open(sealed) == "told"


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    sealed = load_secret_key(None, tmp_path / "one").seal("told")
    with pytest.raises(SecretKeyError):
        load_secret_key(None, tmp_path / "two").open(sealed)


def test_many_processes_that_make_it_at_once_agree_on_one(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    sealed = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    box = load_secret_key(None, tmp_path)
    assert [box.open(one) for one in sealed] == ["told"] * RACERS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_reach_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    file.write_text(OLD)
    file.chmod(mode)
    with pytest.raises(SecretKeyError, match=f"can be read by others; run: chmod 600 '{file}'"):
        load_secret_key(None, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe" * 20])
def test_a_file_that_holds_no_key_is_named_and_kept(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SecretKeyError, match=f"^{file}"):
        load_secret_key(None, tmp_path)
    assert file.read_bytes() == content


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files in another user's folder")
def test_what_root_makes_in_anothers_folder_is_theirs(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    load_secret_key(None, tmp_path)
    found = (tmp_path / KEY_FILE).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, NOBODY, 0o600)
