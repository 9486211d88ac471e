"""Encryption of stored secrets and keyed hashes, under keys of the installation."""

import base64
import contextlib
import hashlib
import hmac
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
            raise SecretKeyError("LEADWRIGHT_SECRET_KEY must hold at least one key of 16 characters or more")
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
        return SecretBox(configured)
    path = data_dir / KEY_FILE
    try:
        return SecretBox(_key_from_file(path))
    except (SecretKeyError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, SecretKeyError) else "it is not text"
        raise SecretKeyError(f"the secret key in {path} cannot be used: {reason}") from error


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
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _read_private(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise SecretKeyError(f"{path} can be read by others; run: chmod 600 '{path}'")
    return path.read_text()


def _derive(key: str) -> bytes:
    digest = hashlib.scrypt(key.encode(), salt=b"leadwright secret box", n=2**12, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(digest)


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def equal(one: str, other: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
