"""The gate before the operators' pages: who comes in, by a session of ours or by the word of a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from metering.errors import InvalidValue
from metering.ports import Clock
from service.operators.book import OperatorFile, Person, Role
from service.operators.passwords import matches, waste_time
from service.operators.session import minted, person_of
from service.operators.throttle import Throttle

__all__ = ["Gate", "ProxyGate", "SessionGate", "WrongPassword"]

_log = structlog.get_logger(__name__)


class WrongPassword(InvalidValue):
    """Nobody was let in.

    Attributes:
        wait: how long one must wait before the next attempt.
    """

    def __init__(self, wait: timedelta = timedelta(0)) -> None:
        self.wait = wait
        super().__init__("name or password is wrong")


class Gate(Protocol):
    """Says who comes in."""

    @property
    def asks(self) -> bool:
        """Whether people sign in here, and can be sent to do so."""
        ...

    def who(self, cookie: str, headers: Mapping[str, str]) -> Person | None:
        """Give who sent a request; ``None`` if nobody known did."""
        ...


@dataclass(slots=True)
class SessionGate:
    """People sign in with a password; see :mod:`service.operators.session`.

    Attributes:
        file: who there is.
        clock: the present.
        lasting: of a session.
        https: pages come over TLS that a proxy ends.
    """

    file: OperatorFile
    clock: Clock
    lasting: timedelta
    https: bool = False
    _throttle: Throttle = field(default_factory=Throttle)
    _ended: dict[str, datetime] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """They do."""
        return True

    def who(self, cookie: str, headers: Mapping[str, str]) -> Person | None:  # noqa: ARG002  of the protocol
        """Give whose session it is."""
        if not cookie or cookie in self._ended:
            return None
        return person_of(cookie, self.file.book(), self.clock.now())

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Give the cookie of a new session.

        Raises:
            WrongPassword: nobody has that name and password, or one has to wait.
            SettingsError: the file of operators cannot be read.
        """
        now, mine = self.clock.now(), f"name {name.strip().casefold()[:60]}"
        keys = (mine, f"address {address}")
        wait = self._throttle.wait(keys, now)
        if wait:
            raise WrongPassword(wait)
        book = self.file.book()
        person = book.person(name)
        if person is None:
            waste_time(password)
        if person is None or not matches(password, person.password):
            self._throttle.failed(keys, now)
            _log.warning("operators.refused", address=address)
            raise WrongPassword(self._throttle.wait(keys, now))
        self._throttle.succeeded(mine)
        _log.info("operators.signed_in", name=person.name, address=address)
        return minted(person, book, now, self.lasting)

    def sign_out(self, cookie: str) -> None:
        """End a session here, before its time."""
        now = self.clock.now()
        self._ended = {one: until for one, until in self._ended.items() if until > now}
        if self.who(cookie, {}) is not None:
            self._ended[cookie] = now + self.lasting


@dataclass(frozen=True, slots=True)
class ProxyGate:
    """A proxy before us asks who it is, and says so in a header that it takes away from everybody else.

    Attributes:
        header: its name, in small letters.
    """

    header: str

    @property
    def asks(self) -> bool:
        """The proxy does."""
        return False

    def who(self, cookie: str, headers: Mapping[str, str]) -> Person | None:  # noqa: ARG002  of the protocol
        """Give whom the proxy names."""
        name = headers.get(self.header, "").strip()
        return Person(name[:100], Role.SECOND) if name else None
