"""The master key: a file of 32 bytes that only the service may read, and what is sealed under it.

Meter keys are encrypted with AES-256-GCM under a key derived from the master key (HKDF-SHA256, RFC 5869);
the meter's identity is the associated data, so that a sealed key moved to another meter's row does not open.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from metering.errors import KeyringError
from metering.meter import MeterId

__all__ = ["MasterKey", "create_master_key", "load_master_key"]

_SIZE: Final = 32
_NONCE: Final = 12


def create_master_key(path: Path) -> None:
    """Make a new master key file, readable by its owner only, durable before this returns.

    Raises:
        KeyringError: there is a file already, or none can be made there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        if path.exists():
            sentence = f"{path} exists already and was not touched; every stored meter key depends on it"
        else:
            sentence = f"no master key can be made at {path}: {fault.strerror}"
        raise KeyringError(sentence) from None
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_SIZE))
        file.flush()
        os.fsync(file.fileno())


def load_master_key(path: Path) -> bytes:
    """Read a master key file.

    Raises:
        KeyringError: it is missing, not 32 bytes, or others than its owner may read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = file.read(_SIZE + 1)
    except OSError as fault:
        raise KeyringError(f"the master key {path} cannot be read: {fault.strerror}") from None
    if mode & 0o077:
        raise KeyringError(
            f"the master key {path} is open to others than its owner (mode {mode:04o});"
            f" run `chmod 600 {path}`"
        )
    if len(key) != _SIZE:
        raise KeyringError(
            f"the master key {path} is not a file of {_SIZE} bytes; restore it from its backup"
        )
    return key


class MasterKey:
    """Seals and opens meter keys. Keeps derived keys only, and prints none of them."""

    __slots__ = ("_aead", "check_value")

    def __init__(self, key: bytes) -> None:
        """Derive what is needed.

        Args:
            key: 32 bytes of :func:`load_master_key`.

        Raises:
            KeyringError: not 32 bytes.
        """
        if len(key) != _SIZE:
            raise KeyringError(f"the master key must be {_SIZE} bytes, not {len(key)}")
        self._aead = AESGCM(_derive(key, b"nurt meter keys 1"))
        self.check_value: Final = _derive(key, b"nurt master key check 1")
        """Stored beside the sealed keys, so that another master key is told as such."""

    def fits(self, check_value: bytes) -> bool:
        """Whether this is the master key with that check value."""
        return hmac.compare_digest(self.check_value, check_value)

    def seal(self, meter: MeterId, key: bytes) -> bytes:
        """Encrypt a meter key: 12 bytes nonce, ciphertext, 16 bytes tag."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._aead.encrypt(nonce, key, str(meter).encode())

    def open(self, meter: MeterId, sealed: bytes) -> bytes:
        """Decrypt a meter key.

        Raises:
            KeyringError: altered, or sealed for another meter or under another master key.
        """
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], str(meter).encode())
        except (InvalidTag, ValueError):
            raise KeyringError(
                f"the stored key of {meter} was altered or belongs to another meter; import it again"
            ) from None


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
