"""The embedded database under fire: clients, guardian and postmaster come, go and are killed."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from leadwright.postgres import cluster_process, guardian, guardian_lock
from leadwright.postgres.binaries import find_binaries
from leadwright.postgres.cluster_folder import find_folder
from leadwright.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError, attach, inspect

PATIENCE = 30.0
CLIENT = """
import sys, pathlib
from leadwright.postgres.embedded import attach
with attach(pathlib.Path(sys.argv[1])) as database:
    print(database.guardian_pid, database.postmaster_pid, flush=True)
    sys.stdin.read()
"""


class Client:
    """A process that holds the database until it is told to end or killed."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pids(self) -> tuple[int, int]:
        assert self.process.stdout is not None
        guardian_pid, postmaster_pid = self.process.stdout.readline().split()
        return int(guardian_pid), int(postmaster_pid)

    def end(self) -> None:
        self.process.communicate("", timeout=PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


def wait_gone(*pids: int) -> None:
    assert cluster_process.wait_for_exit(list(pids), PATIENCE) == []


def until(holds: Callable[[], bool]) -> None:
    """Asks again and again; what is asked is a real connection or a look at a lock, which takes its time."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


def answers(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True


def save(database: EmbeddedPostgres, value: int) -> None:
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS saved (value int)")
        connection.execute("INSERT INTO saved VALUES (%s)", [value])


def saved(database: EmbeddedPostgres) -> list[int]:
    with psycopg.connect(database.conninfo) as connection:
        return [value for (value,) in connection.execute("SELECT value FROM saved ORDER BY value")]


def stop(data_dir: Path) -> None:
    """Waits for the end of a guardian that nobody needs any more; no process may be left then."""
    pidfd = guardian_lock.guardian_pidfd(data_dir)
    if pidfd is not None:
        ended, _, _ = select.select([pidfd], [], [], PATIENCE)
        os.close(pidfd)
        assert ended, "the guardian stays"
    assert cluster_process.processes_of(data_dir / "postgres" / "data") == []


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A folder that an unprivileged server can reach, which pytest's own are not for root."""
    folder = Path(tempfile.mkdtemp(prefix="leadwright-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def template(root: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(guardian.LINGER_VARIABLE, "0")
        attach(root / "template").close()
        stop(root / "template")
    return root / "template"


@pytest.fixture
def data_dir(template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stopped cluster; afterwards nothing of it may run."""
    monkeypatch.setenv(guardian.LINGER_VARIABLE, "0")
    folder = template.parent / "data"
    subprocess.run(["cp", "-a", template, folder], check=True)
    yield folder
    stop(folder)
    shutil.rmtree(folder)


def test_answers_as_the_role_that_owns_the_database_and_nothing_more(data_dir: Path) -> None:
    with attach(data_dir) as database, psycopg.connect(database.conninfo) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), pg_encoding_to_char(encoding), rolsuper,"
            " current_setting('listen_addresses'), current_setting('synchronous_commit')"
            " FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user"
        ).fetchone()
    assert row == ("leadwright", "leadwright", "UTF8", False, "", "on")


def test_a_second_client_uses_the_running_server_and_keeps_it_when_the_first_ends(data_dir: Path) -> None:
    first = Client(data_dir)
    pids = first.pids()
    with attach(data_dir) as database:
        assert (database.guardian_pid, database.postmaster_pid) == pids
        first.end()
        assert answers(database.conninfo)
        assert database.guardian_pid == pids[0]
    wait_gone(*pids)


def test_clients_that_start_together_share_one_guardian(data_dir: Path) -> None:
    clients = [Client(data_dir) for _ in range(4)]
    assert len({client.pids() for client in clients}) == 1
    for client in clients:
        client.end()


def test_a_killed_client_does_not_take_the_database_from_another(data_dir: Path) -> None:
    victim = Client(data_dir)
    pids = victim.pids()
    with attach(data_dir) as database:
        victim.kill()
        save(database, 1)
        assert (database.guardian_pid, database.postmaster_pid) == pids


def test_a_killed_last_client_leaves_nothing_running(data_dir: Path) -> None:
    client = Client(data_dir)
    pids = client.pids()
    client.kill()
    wait_gone(*pids)


def test_a_killed_guardian_takes_the_server_with_it_and_a_client_gets_it_back(data_dir: Path) -> None:
    with attach(data_dir) as database:
        save(database, 1)
        killed, postmaster = database.guardian_pid, database.postmaster_pid
        assert killed
        assert postmaster
        with psycopg.connect(database.conninfo) as connection:
            os.kill(killed, signal.SIGKILL)
            wait_gone(killed, postmaster)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        database.ensure_running()
        assert saved(database) == [1]
        assert database.guardian_pid != killed


def test_the_keeper_brings_the_database_back_unasked(data_dir: Path) -> None:
    with attach(data_dir) as database:
        for _ in range(2):
            killed, postmaster = database.guardian_pid, database.postmaster_pid
            assert killed
            assert postmaster
            os.kill(killed, signal.SIGKILL)
            wait_gone(killed, postmaster)
            until(lambda: answers(database.conninfo) and database.last_error is None)


def test_a_killed_postmaster_is_started_again_with_all_that_was_committed(data_dir: Path) -> None:
    with attach(data_dir) as database:
        save(database, 1)
        same, killed = database.guardian_pid, database.postmaster_pid
        assert killed
        with psycopg.connect(database.conninfo) as connection:
            connection.execute("INSERT INTO saved VALUES (2)")  # not committed
            os.kill(killed, signal.SIGKILL)
            wait_gone(killed)
            connection.close()
        until(lambda: answers(database.conninfo))
        assert saved(database) == [1]
        assert database.guardian_pid == same


def test_guardian_and_postmaster_killed_together(data_dir: Path) -> None:
    with attach(data_dir) as database:
        save(database, 1)
        pids = [pid for pid in (database.guardian_pid, database.postmaster_pid) if pid]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_gone(*pids)
        database.ensure_running()
        assert saved(database) == [1]


@pytest.mark.parametrize("who", ["guardian_pid", "postmaster_pid"])
def test_an_orderly_stop_from_outside_is_undone_for_a_living_client(data_dir: Path, who: str) -> None:
    with attach(data_dir) as database:
        told, pids = getattr(database, who), (database.guardian_pid, database.postmaster_pid)
        os.kill(told, signal.SIGTERM if who == "guardian_pid" else signal.SIGINT)
        wait_gone(*(pid for pid in pids if pid))
        database.ensure_running()
        assert answers(database.conninfo)


def test_a_client_that_comes_while_the_database_stops_gets_it(data_dir: Path) -> None:
    for value in range(5):
        with attach(data_dir) as database:
            save(database, value)
    with attach(data_dir) as database:
        assert saved(database) == [0, 1, 2, 3, 4]


def test_the_guardian_waits_a_while_for_the_next_client(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guardian.LINGER_VARIABLE, "3600")
    first = attach(data_dir)
    kept = first.guardian_pid
    assert kept
    first.close()
    with attach(data_dir) as second:
        assert second.guardian_pid == kept
    os.kill(kept, signal.SIGTERM)


def test_the_guardian_does_not_hear_ctrl_c(data_dir: Path) -> None:
    with attach(data_dir) as database:
        guarding = database.guardian_pid
        assert guarding
        assert os.getsid(guarding) != os.getsid(0)
        os.kill(guarding, signal.SIGINT)
        os.kill(guarding, signal.SIGHUP)
        assert answers(database.conninfo)
        assert database.guardian_pid == guarding


def test_a_child_of_a_client_inherits_no_hold(data_dir: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as early, attach(data_dir) as database:
        pids = (database.guardian_pid, database.postmaster_pid)
        late = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
        database.close()
        wait_gone(*(pid for pid in pids if pid))
        late.communicate(timeout=PATIENCE)
        assert early.poll() is None


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_matter(data_dir: Path) -> None:
    folder = find_folder(data_dir)
    stranger = subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=None if folder.user.is_self else folder.user.uid)
    stale = f"{stranger.pid}\n{folder.data}\n1700000000\n5432\n{folder.socket_dir}\n\n\nready   \n"
    (folder.data / "postmaster.pid").write_text(stale)
    folder.socket.with_name(folder.socket.name + ".lock").write_text(stale)
    assert not inspect(data_dir).running
    with attach(data_dir) as database:
        assert database.postmaster_pid not in (None, stranger.pid)
        assert stranger.poll() is None
    stop(data_dir)
    assert stranger.poll() is None
    stranger.communicate(timeout=PATIENCE)


def test_a_server_that_somebody_else_started_is_refused_and_left_alone(data_dir: Path) -> None:
    folder = find_folder(data_dir)
    postgres = find_binaries().bin_dir / "postgres"
    argv = [postgres, "-D", folder.data, "-c", "listen_addresses=", "-k", folder.socket_dir, "-d", "1"]
    owner = None if folder.user.is_self else folder.user.uid
    group = None if folder.user.is_self else folder.user.gid
    with subprocess.Popen(argv, user=owner, group=group, stderr=subprocess.PIPE, cwd="/", text=True) as foreign:
        assert foreign.stderr is not None
        assert any("ready to accept" in line for line in foreign.stderr)
        with pytest.raises(EmbeddedPostgresError, match=f"process {foreign.pid}, which Leadwright did not start"):
            attach(data_dir)
        assert foreign.poll() is None
        foreign.send_signal(signal.SIGINT)
        foreign.communicate(timeout=PATIENCE)


def test_the_log_keeps_no_values(data_dir: Path) -> None:
    with attach(data_dir) as database, psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('ada@example.com')")
        for statement in ("INSERT INTO people VALUES ('ada@example.com')", "SELECT 'ada@example.com'::int"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
    stop(data_dir)
    logs = [*(data_dir / "log").iterdir(), data_dir / "guardian.log"]
    assert not [log for log in logs if "ada@" in log.read_text()]


def test_a_closed_hold_says_so(data_dir: Path) -> None:
    database = attach(data_dir)
    database.close()
    database.close()
    with pytest.raises(EmbeddedPostgresError, match="closed"):
        database.ensure_running()


def test_inspection_of_a_running_and_a_stopped_database(data_dir: Path) -> None:
    with attach(data_dir) as database:
        running = inspect(data_dir)
        assert (running.guardian_pid, running.postmaster_pid) == (
            database.guardian_pid,
            database.postmaster_pid,
        )
        assert running.running
        assert not running.problems
        assert running.version is not None
        assert running.version.startswith(f"{running.data_major}.")
    stop(data_dir)
    stopped = inspect(data_dir)
    assert not stopped.running
    assert stopped.guardian_pid is None
