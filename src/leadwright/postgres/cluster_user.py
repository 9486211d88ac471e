"""As whom PostgreSQL runs: it refuses root, so for root an unprivileged user stands in."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadwright.postgres.embedded_errors import EmbeddedPostgresError

USER_VARIABLE = "LEADWRIGHT_POSTGRES_USER"
_CANDIDATES = ("leadwright", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ClusterUser:
    """The owner of the cluster's files and processes."""

    name: str
    uid: int
    gid: int

    @property
    def is_self(self) -> bool:
        return self.uid == os.geteuid()

    def run(self, command: Sequence[str | Path], text: str = "") -> subprocess.CompletedProcess[str]:
        """Runs ``command`` as this user in a clean environment, with ``text`` on its standard input."""
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=SERVER_ENVIRONMENT,
            umask=0o077,
            input=text,
            user=None if self.is_self else self.uid,
            group=None if self.is_self else self.gid,
            extra_groups=None if self.is_self else os.getgrouplist(self.name, self.gid),
        )


SERVER_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that PostgreSQL gets of our environment: no secrets, no PG* variables of the caller."""


def choose_user(data: Path, data_dir_owner: int, environment: Mapping[str, str] = os.environ) -> ClusterUser:
    """The owner of an existing cluster; else of the data folder; else, for root, an unprivileged user."""
    if os.geteuid() != 0:
        return _by_uid(os.geteuid())
    if data.is_dir():
        return _by_uid(data.stat().st_uid)
    if data_dir_owner != 0:
        return _by_uid(data_dir_owner)
    wanted = environment.get(USER_VARIABLE)
    return _by_name([wanted] if wanted else _CANDIDATES)


def _by_name(names: Sequence[str]) -> ClusterUser:
    for name in names:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return ClusterUser(user.pw_name, user.pw_uid, user.pw_gid)
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and there is no unprivileged user named {' or '.join(names)}.",
        f"Create a system user named leadwright, or name another one in {USER_VARIABLE}.",
    )


def _by_uid(uid: int) -> ClusterUser:
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresError(
            f"User id {uid} has no name on this machine, and PostgreSQL needs one.",
            "Give the user an entry in /etc/passwd, or set LEADWRIGHT_DATABASE_URL to a server of your own.",
        ) from None
    return ClusterUser(user.pw_name, user.pw_uid, user.pw_gid)


def first_closed(folders: Sequence[Path], user: ClusterUser) -> Path | None:
    """The first of ``folders`` that ``user`` cannot pass through, asked of the system as that user."""
    script = 'for folder; do test -x "$folder" || { printf %s "$folder"; exit 1; }; done'
    answer = user.run(["/bin/sh", "-c", script, "sh", *folders])
    return Path(answer.stdout) if answer.returncode else None


def require_reachable(folder: Path, user: ClusterUser) -> None:
    """Raises EmbeddedPostgresError when ``folder`` or one above it is closed to ``user``."""
    if user.is_self:
        return
    closed = first_closed([*reversed(folder.parents), folder], user)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"PostgreSQL runs as the user {user.name}, who cannot enter {closed}.",
            f"Set LEADWRIGHT_DATA_DIR to a folder that {user.name} can reach (such as /var/lib/leadwright), "
            f"run Leadwright as an ordinary user, or open the folder yourself: chmod o+x {closed}",
        )
