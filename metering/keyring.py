"""Meter keys with their validity, and the port to where they are kept (see :mod:`metering.ports`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from metering.meter import MeterId

__all__ = ["KeyHistory", "KeyLookup", "KeyPeriod", "Keyring", "keys_of"]

KeyLookup = Mapping[MeterId, Sequence[bytes]]
"""Keys to try per meter, newest first. Key bytes: never log, print or compare in text."""


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A key and when telegrams are under it.

    Attributes:
        key: never log, print or compare in text.
        valid_from: of telegrams heard then or later, UTC; ``None`` = since ever.
        valid_to: and before, UTC; ``None`` = until further notice.
    """

    key: bytes = field(repr=False)
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether a telegram heard at this time may be under it."""
        since, until = self.valid_from, self.valid_to
        return (since is None or since <= at) and (until is None or at < until)


KeyHistory = Mapping[MeterId, Sequence[KeyPeriod]]
"""Keys of meters with their validity, newest first."""


def keys_of(meter: MeterId, history: KeyHistory, at: datetime) -> Sequence[bytes]:
    """Give the keys to try for a telegram of a meter heard at a time."""
    return [one.key for one in history.get(meter, ()) if one.holds(at)]


class Keyring(Protocol):
    """Meter keys, encrypted at rest under a master key."""

    def keys(self, meters: Collection[MeterId]) -> KeyLookup:
        """Give the keys of those meters that have any.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        ...

    def periods(self, meters: Collection[MeterId]) -> KeyHistory:
        """Give the keys of those meters that have any, with their validity.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        ...

    def put(self, keys: Iterable[tuple[MeterId, bytes]]) -> int:
        """Encrypt and store keys without end; a key known already is stored once. Gives how many were new."""
        ...

    def put_periods(self, keys: Iterable[tuple[MeterId, KeyPeriod]]) -> int:
        """Encrypt and store keys; one known already gets the validity told now. Gives how many were new.

        Held telegrams of meters with a new key are to be tried again.
        """
        ...

    def having_keys(self, *, after: MeterId | None = None, limit: int = 500) -> Sequence[MeterId]:
        """Give meters that have keys, by identity, beginning behind ``after``."""
        ...

    def have_keys(self, meters: Collection[MeterId]) -> set[MeterId]:
        """Say which meters have a key, without decrypting any."""
        ...

    def check(self) -> None:
        """Say whether the stored keys can be used, if there are any.

        Raises:
            KeyringError: keys are stored, and the master key is missing or does not fit.
        """
        ...
