"""The embedded database in awkward places: odd names, closed parents, full disks, other versions."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import leadwright
from leadwright.postgres import cluster_process, guardian, guardian_lock
from leadwright.postgres.binaries import OVERRIDE_VARIABLE, find_binaries
from leadwright.postgres.cluster_create import create_cluster
from leadwright.postgres.cluster_folder import find_folder
from leadwright.postgres.cluster_user import USER_VARIABLE
from leadwright.postgres.embedded import EmbeddedPostgresError, attach, inspect

PATIENCE = 30.0
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user or mounts")


def wait_until_stopped(data_dir: Path) -> None:
    pid = guardian_lock.guardian_pid(data_dir)
    assert not pid or cluster_process.wait_for_exit([pid], PATIENCE) == []
    assert cluster_process.processes_of(data_dir / "postgres" / "data") == []


def use(data_dir: Path) -> None:
    """Attaches, asks something, lets go and waits for the end."""
    with attach(data_dir) as database, psycopg.connect(database.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    wait_until_stopped(data_dir.resolve())


def tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {str(path): path.lstat() for path in (folder, *folder.rglob("*"))}
    return {name: (stat.st_mode, stat.st_uid, stat.st_gid) for name, stat in found.items()}


@pytest.fixture(scope="module")
def shelf() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="leadwright-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def template(shelf: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(guardian.LINGER_VARIABLE, "0")
        use(shelf / "template")
    return shelf / "template"


@pytest.fixture
def place(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that the server's user can reach."""
    monkeypatch.setenv(guardian.LINGER_VARIABLE, "0")
    folder = Path(tempfile.mkdtemp(dir=shelf))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def copy(template: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", template, target], check=True)
    return target


@pytest.mark.parametrize("name", ["with spaces", 'it\'s "odd" \\n', "one,two", "größe/deeper", "x" * 120])
def test_any_name_will_do(template: Path, place: Path, name: str) -> None:
    data_dir = place / name
    data_dir.parent.mkdir(exist_ok=True)
    use(copy(template, data_dir))
    socket_dir = find_folder(data_dir).socket_dir
    if not socket_dir.is_relative_to(place):
        socket_dir.rmdir()


def test_a_symbolic_link_is_the_same_database(template: Path, place: Path) -> None:
    real = copy(template, place / "real")
    (place / "link").symlink_to(real)
    with attach(real) as database, attach(place / "link") as same:
        assert (same.conninfo, same.guardian_pid) == (database.conninfo, database.guardian_pid)
    wait_until_stopped(real)


def test_a_long_path_has_its_socket_in_a_private_folder_elsewhere(template: Path, place: Path) -> None:
    data_dir = copy(template, place / ("y" * 120))
    socket_dir = find_folder(data_dir).socket_dir
    socket_dir.mkdir(mode=0o755)
    socket_dir.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="not a private folder"):
        attach(data_dir)
    assert socket_dir.stat().st_mode & 0o777 == 0o755
    socket_dir.rmdir()
    use(data_dir)
    assert socket_dir.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(socket_dir)


def test_another_major_version_is_refused_with_the_way_out(template: Path, place: Path) -> None:
    data_dir = copy(template, place / "data")
    version = data_dir / "postgres" / "data" / "PG_VERSION"
    version.write_text("13\n")
    before = tree(data_dir)
    with pytest.raises(EmbeddedPostgresError, match="written by PostgreSQL 13") as refused:
        attach(data_dir)
    assert "leadwright db dump" in refused.value.advice
    assert "leadwright db restore" in refused.value.advice
    assert tree(data_dir) == before
    assert [problem.message for problem in inspect(data_dir).problems] == [refused.value.message]


def test_a_server_of_version_15_runs_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir = Path("/usr/lib/postgresql/15/bin")
    if not bin_dir.is_dir():
        pytest.skip("PostgreSQL 15 is not installed here")
    monkeypatch.setenv(OVERRIDE_VARIABLE, str(bin_dir))
    use(place / "data")
    assert inspect(place / "data").data_major == 15


def test_half_a_cluster_left_by_a_crash_is_made_anew(place: Path) -> None:
    half = place / "data" / "postgres" / "data-new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    use(place / "data")
    assert not half.exists()


def test_an_impossible_cluster_leaves_nothing_and_says_what_postgresql_says(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = place / "bin"
    broken.mkdir()
    shutil.copy(find_binaries().bin_dir / "postgres", broken)
    (broken / "initdb").write_text("#!/bin/sh\necho 'no such luck' >&2\nexit 1\n")
    (broken / "initdb").chmod(0o755)
    monkeypatch.setenv(OVERRIDE_VARIABLE, str(broken))
    with pytest.raises(EmbeddedPostgresError, match="no such luck"):
        attach(place / "data")
    assert list((place / "data" / "postgres").iterdir()) == []


def test_inspecting_an_empty_place_makes_nothing(place: Path) -> None:
    found = inspect(place / "data")
    assert (found.running, found.data_major, found.version) == (False, None, None)
    assert found.binaries is not None
    assert list(place.iterdir()) == []


def test_an_operators_own_settings_win(template: Path, place: Path) -> None:
    data_dir = copy(template, place / "data")
    own = data_dir / "postgres" / "local.conf"
    own.write_text("work_mem = 3MB\n")
    own.chmod(0o644)
    with attach(data_dir) as database, psycopg.connect(database.conninfo) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("3MB",)
    wait_until_stopped(data_dir)


def test_a_setting_that_postgresql_refuses_is_reported(template: Path, place: Path) -> None:
    data_dir = copy(template, place / "data")
    own = data_dir / "postgres" / "local.conf"
    own.write_text("no_such_setting = 1\n")
    own.chmod(0o644)
    with pytest.raises(EmbeddedPostgresError, match="did not start"):
        attach(data_dir)


@as_root
def test_for_root_the_server_is_an_unprivileged_users(place: Path) -> None:
    data_dir = place / "data"
    with attach(data_dir) as database:
        assert database.postmaster_pid
        server = Path(f"/proc/{database.postmaster_pid}").stat()
        assert server.st_uid != 0
        assert (data_dir / "postgres" / "data").stat().st_uid == server.st_uid
        assert data_dir.stat().st_uid == 0
        assert data_dir.stat().st_mode & 0o777 == 0o711
        environment = Path(f"/proc/{database.postmaster_pid}/environ").read_bytes()
        assert b"LEADWRIGHT" not in environment
    wait_until_stopped(data_dir)


@as_root
def test_root_chooses_the_user_by_setting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER_VARIABLE, "nobody")
    use(place / "data")
    assert (place / "data" / "postgres" / "data").stat().st_uid == NOBODY
    monkeypatch.setenv(USER_VARIABLE, "no-such-user")
    use(place / "data")  # an existing cluster keeps its owner
    with pytest.raises(EmbeddedPostgresError, match="no-such-user"):
        attach(place / "other")


@as_root
def test_programs_that_the_user_cannot_reach_are_staged(
    template: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    prefix = find_binaries().bin_dir.parent
    shutil.copytree(prefix, closed / prefix.parent.name / prefix.name)
    shutil.copytree(prefix.parents[1] / f"{prefix.parent.name}.libs", closed / f"{prefix.parent.name}.libs")
    before = tree(closed)
    monkeypatch.setenv(OVERRIDE_VARIABLE, str(closed / prefix.parent.name / prefix.name / "bin"))
    use(place / "fresh")
    assert len(list((place / "fresh" / "postgres").glob("programs-*"))) == 1
    assert tree(closed) == before
    use(place / "fresh")


@as_root
def test_a_folder_below_a_closed_parent_is_refused_and_nothing_is_changed(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    before = tree(place)
    with pytest.raises(EmbeddedPostgresError, match=f"cannot enter {closed}") as refused:
        attach(closed / "deeper" / "data")
    assert f"chmod o+x {closed}" in refused.value.advice
    assert tree(place) == before


@as_root
def test_a_parent_that_was_closed_later_is_named(template: Path, place: Path) -> None:
    parent = place / "parent"
    parent.mkdir()
    data_dir = copy(template, parent / "data")
    parent.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"cannot enter {parent}"):
        attach(data_dir)
    assert parent.stat().st_mode & 0o777 == 0o700
    assert f"cannot enter {parent}" in inspect(data_dir).problems[0].message


@as_root
def test_a_closed_data_folder_that_we_did_not_make_is_refused(place: Path) -> None:
    data_dir = place / "data"
    data_dir.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"cannot enter {data_dir}"):
        attach(data_dir)
    assert data_dir.stat().st_mode & 0o777 == 0o700


UNPRIVILEGED = """
import sys, os, pathlib, psycopg
from leadwright.postgres.embedded import attach
with attach(pathlib.Path(sys.argv[1])) as database:
    with psycopg.connect(database.conninfo) as connection:
        print(connection.execute("SELECT current_user").fetchone()[0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def unprivileged_python() -> list[str]:
    """A Python that the user nobody can run with our packages: ours may stand in root's closed home."""
    source = Path(leadwright.__file__).parents[1]
    packages = Path(psycopg.__file__).parents[1]
    for program in (sys.executable, "/usr/bin/python3"):
        command = ["/usr/bin/env", f"PYTHONPATH={source}:{packages}", program]
        try:
            found = subprocess.run(
                [*command, "-c", "import psycopg, leadwright"],
                user=NOBODY,
                group=NOBODY,
                cwd="/",
                check=False,
            )
        except OSError:
            continue
        if found.returncode == 0:
            return command
    pytest.skip("no Python with our packages can be reached by the user nobody")


@as_root
def test_an_ordinary_user_owns_everything_and_root_may_help(place: Path, unprivileged_python: list[str]) -> None:
    data_dir = place / "home" / "data"
    data_dir.parent.mkdir()
    os.chown(data_dir.parent, NOBODY, NOBODY)
    command = [*unprivileged_python, "-c", UNPRIVILEGED, str(data_dir)]
    for root_is_first in (False, True):
        helper = attach(data_dir) if root_is_first else None
        with subprocess.Popen(
            command,
            user=NOBODY,
            group=NOBODY,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == "leadwright\n"
            helper = helper or attach(data_dir)
            with psycopg.connect(helper.conninfo) as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("leadwright",)
            assert {uid for _, uid, _ in tree(data_dir).values()} == {NOBODY}
            assert Path(f"/proc/{helper.guardian_pid}").stat().st_uid == NOBODY
            client.communicate("", timeout=PATIENCE)
        helper.close()
        wait_until_stopped(data_dir)


@as_root
def test_another_users_folder_is_refused(template: Path, place: Path, unprivileged_python: list[str]) -> None:
    data_dir = copy(template, place / "data")
    command = [*unprivileged_python, "-c", UNPRIVILEGED, str(data_dir)]
    refused = subprocess.run(command, user=NOBODY, group=NOBODY, cwd="/", capture_output=True, text=True, check=False)
    assert f"User id {NOBODY} may not use {data_dir}" in refused.stderr


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 90 MB of its own: enough for a cluster."""
    disk = place / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=90m,mode=755", "tmpfs", disk],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill(disk: Path, leave: int) -> Path:
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - leave)
    return filler


@as_root
def test_a_full_disk_at_first_use_leaves_nothing_half_made(small_disk: Path) -> None:
    filler = fill(small_disk, 10_000_000)
    with pytest.raises(EmbeddedPostgresError, match=r"disk that holds .* is full"):
        attach(small_disk / "data")
    assert not (small_disk / "data" / "postgres" / "data").exists()
    assert not (small_disk / "data" / "postgres" / "data-new").exists()
    filler.unlink()
    use(small_disk / "data")


@as_root
def test_a_full_disk_at_start_is_told_and_loses_nothing(template: Path, small_disk: Path) -> None:
    data_dir = copy(template, small_disk / "data")
    with attach(data_dir) as database, psycopg.connect(database.conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    wait_until_stopped(data_dir)
    filler = fill(small_disk, 0)
    with pytest.raises(EmbeddedPostgresError, match=r"disk that holds .* is full"):
        attach(data_dir)
    assert "disk" in " ".join(problem.message for problem in inspect(data_dir).problems)
    filler.unlink()
    with attach(data_dir) as database, psycopg.connect(database.conninfo) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
    wait_until_stopped(data_dir)


def test_creation_that_is_interrupted_leaves_no_cluster(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "data" / "postgres").mkdir(parents=True)
    folder = find_folder(place / "data")
    binaries = find_binaries()
    interrupted = f"{binaries.bin_dir}/no-such-folder"
    with pytest.raises(OSError, match="no-such-folder"):
        create_cluster(folder, type(binaries)(Path(interrupted), binaries.version, binaries.major, "a test"))
    assert folder.major is None
    assert not folder.draft.exists()
