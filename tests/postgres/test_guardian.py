"""The guardian's locks, its look at other processes, and what it does when it is one too many."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadwright.postgres import cluster_process, guardian, guardian_lock

PATIENCE = 30.0


def run_guardian(data_dir: Path) -> str:
    """What a guardian started by hand says first; it is gone by the time its output ends."""
    command = [sys.executable, "-m", "leadwright.postgres.guardian", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def hold_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    script = (
        "import pathlib, sys; from leadwright.postgres import guardian_lock as g;"
        "print(g.become_guardian(pathlib.Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, data_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert int(holder.stdout.readline()) > 0
    return holder


def test_the_kernel_names_the_guardian_and_forgets_it_when_it_dies(tmp_path: Path) -> None:
    assert guardian_lock.guardian_pid(tmp_path) is None
    assert guardian_lock.guardian_pidfd(tmp_path) is None
    holder = hold_elsewhere(tmp_path)
    assert guardian_lock.guardian_pid(tmp_path) == holder.pid
    assert guardian_lock.become_guardian(tmp_path) is None
    holder.kill()
    holder.communicate(timeout=PATIENCE)
    assert guardian_lock.guardian_pid(tmp_path) is None


def test_a_second_guardian_leaves_at_once(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    assert run_guardian(tmp_path) == "another guardian is running\n"
    holder.communicate("", timeout=PATIENCE)


def test_a_guardian_with_nothing_to_guard_says_so(tmp_path: Path) -> None:
    assert "guardian.json" in run_guardian(tmp_path)
    assert guardian_lock.guardian_pid(tmp_path) is None


def test_a_linger_that_is_no_number_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guardian.LINGER_VARIABLE, "soon")
    assert "soon" in run_guardian(tmp_path)


def test_clients_share_their_lock_and_the_guardian_has_it_alone(tmp_path: Path) -> None:
    path = tmp_path / guardian_lock.CLIENT_LOCK
    own = guardian_lock.open_lock(path)
    clients = [guardian_lock.take_lock(path, fcntl.LOCK_SH, time.monotonic()) for _ in range(2)]
    for client in clients:
        assert not guardian_lock.take_client_lock_alone(own)
        os.close(client)
    assert guardian_lock.take_client_lock_alone(own)
    with pytest.raises(TimeoutError):
        guardian_lock.take_lock(path, fcntl.LOCK_SH, time.monotonic())
    guardian_lock.release_client_lock(own)
    os.close(guardian_lock.take_lock(path, fcntl.LOCK_SH, time.monotonic()))
    os.close(own)


def test_locks_are_private_and_never_inherited(tmp_path: Path) -> None:
    lock = guardian_lock.open_lock(tmp_path / guardian_lock.CLIENT_LOCK)
    assert os.fstat(lock).st_mode & 0o777 == 0o600
    assert not os.get_inheritable(lock)
    os.close(lock)


def test_only_postgresql_in_the_folder_counts_as_its_process(tmp_path: Path) -> None:
    """Neither another program in the folder, nor a program called postgres elsewhere."""
    impostor = tmp_path / "postgres"
    shutil.copy("/bin/cat", impostor)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folders = {"cat": tmp_path, str(impostor): elsewhere}
    strangers = [
        subprocess.Popen([program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for program, folder in folders.items()
    ]
    for stranger in strangers:
        (tmp_path / "postmaster.pid").write_text(f"{stranger.pid}\n")
        assert cluster_process.postmaster_of(tmp_path) is None
    assert cluster_process.processes_of(tmp_path) == []
    assert cluster_process.processes_of(elsewhere) == [strangers[1].pid]
    for stranger in strangers:
        stranger.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("content", ["", "not a number\n", "999999999\n"])
def test_a_pid_file_with_nonsense_names_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "postmaster.pid").write_text(content)
    assert cluster_process.postmaster_of(tmp_path) is None


def test_waiting_for_processes_ends_with_them_or_with_the_time() -> None:
    living = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert cluster_process.wait_for_exit([living.pid], 0.01) == [living.pid]
    living.kill()
    assert cluster_process.wait_for_exit([living.pid], PATIENCE) == []
    living.communicate(timeout=PATIENCE)
    assert cluster_process.wait_for_exit([living.pid], PATIENCE) == []
