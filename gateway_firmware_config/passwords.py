"""Passwords of gateways at the broker: made here, shown once, kept as Mosquitto keeps them: hashed."""

from __future__ import annotations

import base64
import hashlib
import secrets

__all__ = ["hashed_line", "new_password", "users", "with_line", "without_user"]

_ITERATIONS = 100_000
_SALT_BYTES, _HASH_BYTES = 12, 64


def new_password() -> str:
    """Make a password of 160 random bits, without signs that mean something in a file."""
    return secrets.token_hex(20)


def hashed_line(user: str, password: str) -> str:
    """Give the line of Mosquitto's password file: PBKDF2 with SHA-512, ``$7$iterations$salt$hash``."""
    salt = secrets.token_bytes(_SALT_BYTES)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, _HASH_BYTES)
    return f"{user}:$7${_ITERATIONS}${_base64(salt)}${_base64(made)}"


def users(file: str) -> frozenset[str]:
    """Give who has a line in a password file."""
    return frozenset(line.partition(":")[0] for line in file.splitlines() if line)


def without_user(file: str, user: str) -> str:
    """Take a user's line out of a password file."""
    return "".join(f"{line}\n" for line in file.splitlines() if line.partition(":")[0] != user)


def with_line(file: str, line: str) -> str:
    """Put a user's line into a password file, in the place of an older one."""
    return f"{without_user(file, line.partition(':')[0])}{line}\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
