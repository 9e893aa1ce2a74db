"""The file of operators: who may sign in, as what, and the secret that signs their sessions.

::

    session <32 bytes, base64>
    anna.kowal operator scrypt:32768:8:1:<salt>:<hash>

Made and changed by ``nurt operators``; read again when it changed, so that nobody has to restart anything.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from metering.errors import InvalidValue, SettingsError
from service.operators.passwords import hashed

__all__ = ["Book", "OperatorFile", "Person", "Role"]

_NAME = re.compile(r"[\w.@-]{1,60}")
_SECRET_BYTES = 32


class Role(StrEnum):
    """What somebody may do, each all of the ones before."""

    READER = "reader"
    """Look."""
    OPERATOR = "operator"
    """Decide."""
    SECOND = "second"
    """Agree to what another one decided: the second pair of eyes."""

    def covers(self, other: Role) -> bool:
        """Whether who is this may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Person:
    """An operator.

    Attributes:
        name: as it stands under decisions.
        role: what they may do.
        password: as it is kept; never shown.
    """

    name: str
    role: Role
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Book:
    """What the file says.

    Attributes:
        secret: signs sessions.
        people: by name in small letters.
    """

    secret: bytes = field(repr=False)
    people: Mapping[str, Person] = field(default_factory=dict)

    def person(self, name: str) -> Person | None:
        """Give somebody, however the name is capitalized."""
        return self.people.get(name.strip().casefold())


class OperatorFile:
    """The file, read again when it changed."""

    def __init__(self, path: Path) -> None:
        """Prepare; nothing is read."""
        self.path = path
        self._read: tuple[tuple[int, int], Book] | None = None

    def book(self) -> Book:
        """Give what it says now; nobody if there is no such file.

        Raises:
            SettingsError: it cannot be read, or a line is not such a line; nothing of it is repeated.
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return Book(b"")
        except OSError as wrong:
            raise SettingsError(f"{self.path} cannot be read: {wrong.strerror}") from wrong
        version = (stat.st_mtime_ns, stat.st_size)
        if self._read is None or self._read[0] != version:
            self._read = (version, _parsed(self.path))
        return self._read[1]

    def put(self, name: str, role: Role | None, password: str) -> None:
        """Enter somebody, or give them another password or role.

        Args:
            name: letters, digits, ``. _ - @``.
            role: ``None`` = as before, else operator.
            password: in clear; only its hash is kept.

        Raises:
            InvalidValue: not such a name, or not such a password.
            SettingsError: the file cannot be read or written.
        """
        if not _NAME.fullmatch(name):
            raise InvalidValue("a name has 1 to 60 letters, digits, or . _ - @, and no spaces")
        book = self.book()
        before = book.person(name)
        kept = Person(before.name if before else name, role or (before or _NEW).role, hashed(password))
        self._write(replace(book, people={**book.people, name.casefold(): kept}))

    def remove(self, name: str) -> bool:
        """Take somebody out; their sessions end. Gives whether they were there."""
        book = self.book()
        if book.person(name) is None:
            return False
        gone = name.strip().casefold()
        self._write(replace(book, people={key: one for key, one in book.people.items() if key != gone}))
        return True

    def _write(self, book: Book) -> None:
        secret = book.secret or secrets.token_bytes(_SECRET_BYTES)
        lines = [
            "# Who may sign in to the operators' pages; made by nurt operators. For the service only.",
            f"session {base64.b64encode(secret).decode()}",
            *(f"{one.name} {one.role.value} {one.password}" for one in book.people.values()),
        ]
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write("".join(f"{line}\n" for line in lines))
            _hand_over(beside)
            beside.replace(self.path)
        except OSError as wrong:
            raise SettingsError(f"{self.path} cannot be written: {wrong.strerror}") from wrong


def _hand_over(path: Path) -> None:
    """Give a file that root made to whom its folder belongs: the service does not run as root."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


_NEW = Person("", Role.OPERATOR)


def _parsed(path: Path) -> Book:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"{path} cannot be read: {reason}") from wrong
    secret, people = b"", {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "session" and len(words) == 2:
            secret = _secret(words[1])
        elif len(words) == 3 and words[1] in set(Role) and words[2].startswith("scrypt:"):
            people[words[0].casefold()] = Person(words[0], Role(words[1]), words[2])
        else:
            raise SettingsError(f"{path} line {number} is not 'name role hash'; nurt operators makes them")
    if people and len(secret) < _SECRET_BYTES:
        raise SettingsError(f"{path} has no line 'session' with a secret; nurt operators makes one")
    return Book(secret, people)


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
