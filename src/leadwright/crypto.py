"""Encryption of stored secrets under the installation's key."""

import base64
import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_FILE = "secret.key"


class SecretKeyError(Exception):
    """The installation's secret key cannot be read, or does not open what was stored under it."""


class SecretBox:
    """Encrypts and decrypts short texts. Several keys may open; the first one seals, so keys can be rotated.

    ``material`` is one key a line (or comma separated), newest first; any text of at least 16 characters.
    """

    def __init__(self, material: str) -> None:
        keys = [part.strip() for part in material.replace(",", "\n").splitlines() if part.strip()]
        if not keys or min(map(len, keys)) < 16:
            raise SecretKeyError("expected one or more keys of 16 characters or more each")
        self._fernet = MultiFernet([Fernet(_derive(key)) for key in keys])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises SecretKeyError when none of the keys fits."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SecretKeyError("a stored secret does not open with the configured secret key") from error


def load_secret_key(configured: str | None, data_dir: Path) -> SecretBox:
    """The configured key, else the one in ``secret.key`` (made on first use, mode 0600). Raises SecretKeyError."""
    if configured is not None:
        return _box(configured, "LEADWRIGHT_SECRET_KEY")
    path = data_dir / KEY_FILE
    return _box(_key_from_file(path), str(path))


def _box(material: str, found_in: str) -> SecretBox:
    try:
        return SecretBox(material)
    except SecretKeyError as error:
        raise SecretKeyError(f"{found_in}: {error}") from error


def _key_from_file(path: Path) -> str:
    if not path.exists():
        _publish(path, secrets.token_urlsafe(32) + "\n")
    return _read_private(path)


def _publish(path: Path, text: str) -> None:
    """Writes the whole file before it gets its name, and never over an existing one: two processes agree on one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            _give_to_owner_of_folder(descriptor, path.parent)
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _give_to_owner_of_folder(descriptor: int, folder: Path) -> None:
    """What root makes in another user's data folder is that user's, who could never read it else."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    """Makes the file's name last: what is sealed under a key that a power failure took is lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise SecretKeyError(f"{path} can be read by others; run: chmod 600 '{path}'")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SecretKeyError(f"{path} is not text; restore it from a backup") from error


def _derive(key: str) -> bytes:
    digest = hashlib.scrypt(key.encode(), salt=b"leadwright secret box", n=2**12, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(digest)
