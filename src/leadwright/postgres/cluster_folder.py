"""What stands where in a data folder, and to whom it belongs.

For root the data folder stays root's, passable but not readable for others (0711); only ``postgres/data``,
``run`` and ``log`` below it are the server user's. For anybody else all of it is private to the owner.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from leadwright.postgres import guardian_lock
from leadwright.postgres.cluster_user import ClusterUser, choose_user, require_reachable
from leadwright.postgres.embedded_errors import EmbeddedPostgresError
from leadwright.postgres.guardian import LAUNCH_FILE

PORT = 5432
"""Only names the socket file; there is no TCP."""
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """The paths of one data folder; ``path`` is absolute and free of symbolic links."""

    path: Path
    user: ClusterUser

    @property
    def data(self) -> Path:
        return self.path / "postgres" / "data"

    @property
    def draft(self) -> Path:
        return self.path / "postgres" / "data-new"

    @property
    def config(self) -> Path:
        return self.path / "postgres" / "leadwright.conf"

    @property
    def access(self) -> Path:
        return self.path / "postgres" / "access.conf"

    @property
    def users(self) -> Path:
        return self.path / "postgres" / "users.conf"

    @property
    def launch(self) -> Path:
        return self.path / LAUNCH_FILE

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def guardian_log(self) -> Path:
        return self.path / "guardian.log"

    @property
    def client_lock(self) -> Path:
        return self.path / guardian_lock.CLIENT_LOCK

    @property
    def start_lock(self) -> Path:
        return self.path / guardian_lock.START_LOCK

    @property
    def socket(self) -> Path:
        return self.socket_dir / _SOCKET_NAME

    @property
    def socket_dir(self) -> Path:
        """``run`` in the data folder; a folder in /tmp when that is too long for a socket or has a comma.

        Named after the path alone and not after the environment, so that a login shell and a system service,
        whose runtime folders differ, meet at the same one.
        """
        near = self.path / "run"
        if len(os.fsencode(near / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and "," not in str(near):
            return near
        mark = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(f"/tmp/leadwright-{self.user.uid}-{mark}")  # noqa: S108

    @property
    def major(self) -> int | None:
        """The PostgreSQL major version that wrote the cluster; None when there is no cluster yet."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None


def find_folder(data_dir: Path) -> ClusterFolder:
    """Describes the folder as it is or would become; makes nothing."""
    path = data_dir.expanduser().resolve()
    owner = path.stat().st_uid if path.exists() else os.geteuid()
    return ClusterFolder(path, choose_user(path / "postgres" / "data", owner))


def make_data_dir(data_dir: Path) -> ClusterFolder:
    """Makes the data folder and missing parents; a folder that exists keeps its mode and owner.

    Whoever needs the folder before the database does must make it by this function: root's is passable
    (0711), so that the server user reaches the cluster. Raises EmbeddedPostgresError below a folder closed to
    that user.
    """
    folder = find_folder(data_dir)
    if folder.path.is_dir():
        return folder
    missing = [parent for parent in folder.path.parents if not parent.exists()]
    require_reachable(missing[-1].parent if missing else folder.path.parent, folder.user)
    for parent in reversed(missing):
        _make(parent, 0o755)
    _make(folder.path, 0o700 if folder.user.is_self else 0o711)
    return folder


def make_subfolders(folder: ClusterFolder) -> None:
    """Makes what is missing below the data folder, and checks the folder of the socket."""
    require_reachable(folder.path, folder.user)
    _make_owned(folder.path / "postgres", folder, folder.path.stat().st_uid, 0o711)
    _make_owned(folder.log, folder, folder.user.uid, 0o700)
    _make_owned(folder.socket_dir, folder, folder.user.uid, 0o700)
    _check_private(folder.socket_dir, folder.user)


def write_owned(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces ``path`` in one step; one that has this text stays, so a full disk is no matter then."""
    if path.is_file() and path.read_text() == text:
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        owner = path.parent.stat()
        if os.geteuid() == 0:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    draft.replace(path)


def _make(path: Path, mode: int) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(mode)


def _make_owned(path: Path, folder: ClusterFolder, uid: int, mode: int) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        os.chown(path, uid, folder.user.gid if uid == folder.user.uid else -1, follow_symlinks=False)
    if mode != 0o700:
        path.chmod(mode)


def _check_private(path: Path, user: ClusterUser) -> None:
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == user.uid and not found.st_mode & 0o077:
        return
    raise EmbeddedPostgresError(
        f"The folder of the database's socket, {path}, is not a private folder of {user.name}.",
        "Somebody else made it or opened it: look who did, and remove it.",
    )
