"""Passwords, kept as scrypt hashes (RFC 7914): what is on disk does not say what was typed.

::

    scrypt:32768:8:1:<salt>:<hash>        both base64

The parameters stand beside each hash, so that they can be raised without anybody losing a password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from threading import Lock

from metering.errors import InvalidValue

__all__ = ["LEAST", "hashed", "matches", "new_password", "waste_time"]

LEAST = 12
"""Characters a password has at least (NIST SP 800-63B asks for 8, and for 15 where it is the only factor)."""

_MOST = 200
_N, _R, _P, _BYTES = 32_768, 8, 1, 32
_MEMORY = 128 * 1024 * 1024
_WORDS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for one another."""

_one_at_a_time = Lock()
"""A hash takes 32 MB and a tenth of a second: many at once would be a way to stop the service."""


def new_password() -> str:
    """Make a password: four groups of five, 99 bits."""
    return "-".join("".join(secrets.choice(_WORDS) for _ in range(5)) for _ in range(4))


def hashed(password: str) -> str:
    """Give what is kept of a password.

    Raises:
        InvalidValue: too short or too long; the password is not repeated.
    """
    if not LEAST <= len(password) <= _MOST:
        raise InvalidValue(f"a password has {LEAST} to {_MOST} characters")
    salt = secrets.token_bytes(16)
    found = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt:{_N}:{_R}:{_P}:{_text(salt)}:{_text(found)}"


def matches(password: str, kept: str) -> bool:
    """Say whether a password is the one that was kept.

    Raises:
        InvalidValue: what was kept is not such a hash.
    """
    try:
        kind, n, r, p, salt, wanted = kept.split(":")
        given = (int(n), int(r), int(p))
        known, right = (base64.b64decode(one, validate=True) for one in (salt, wanted))
    except (ValueError, binascii.Error):
        raise InvalidValue("a kept password is not readable") from None
    if kind != "scrypt" or given[0] > 2**17 or given[1] > 16 or given[2] > 4:
        raise InvalidValue("a kept password is not one of ours")
    return hmac.compare_digest(_scrypt(password[: _MOST + 1], known, *given), right)


def waste_time(password: str) -> None:
    """Take as long as :func:`matches`, so that nobody learns by the clock which names there are."""
    _scrypt(password[:_MOST], bytes(16), _N, _R, _P)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    said = password.encode("utf-8", "replace")
    with _one_at_a_time:
        return hashlib.scrypt(said, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
