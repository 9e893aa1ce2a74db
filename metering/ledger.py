"""The account of what came and how it ended, and the port to it (see :mod:`metering.ports`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from metering.upkeep import Boot, Gap
from metering.uplink import GatewayState, GatewayWord

__all__ = ["GatewayRow", "Ledger", "Outcome", "Quarantined"]


class Outcome(StrEnum):
    """How an item ended; every item ends as exactly one of these."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"
    FOREIGN = "foreign"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An item that could not be read.

    Attributes:
        id: number; 0 before it is stored.
        gateway: as far as known, else ``?``.
        topic: where it was published.
        reason: stable code (``bad_crc``, ``truncated``, ``bad_json``, ...).
        sentence: for people.
        payload: the bytes as they came (cut at 64 KiB; ``size`` tells the whole).
        size: length of what came, bytes.
        received_at: UTC.
    """

    id: int
    gateway: str
    topic: str
    reason: str
    sentence: str
    payload: bytes
    size: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """One gateway and its account: received = sum of outcomes.

    Attributes:
        name: gateway name.
        online: as it last said; ``None`` if it never said.
        state_at: when it said so.
        last_heard: newest item, UTC.
        received: items that came.
        outcomes: items by how they ended.
        alive_at: newest health message, UTC.
    """

    name: str
    online: bool | None
    state_at: datetime | None
    last_heard: datetime | None
    received: int
    outcomes: Mapping[Outcome, int]
    alive_at: datetime | None = None


class Ledger(Protocol):
    """The account of every item, per gateway, and what could not be read."""

    def count(self, gateway: str, received: int, outcomes: Mapping[Outcome, int], heard: datetime) -> None:
        """Book items of one batch: how many came and how each ended."""
        ...

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Keep what could not be read."""
        ...

    def quarantined(self, *, before: int | None = None, limit: int = 50) -> Sequence[Quarantined]:
        """Give quarantined items, newest first; ``before`` is a number to page on."""
        ...

    def quarantined_item(self, number: int) -> Quarantined | None:
        """Give one quarantined item."""
        ...

    def gateways(self) -> Sequence[GatewayRow]:
        """Give every gateway that was ever heard, by name."""
        ...

    def set_gateway_state(self, state: GatewayState) -> None:
        """Book what a gateway says of itself; an older statement never overrides a newer one."""
        ...

    def note_alive(self, gateway: str, at: datetime) -> None:
        """Book that a gateway showed itself alive without bringing anything (health)."""
        ...

    def keep_word(self, word: GatewayWord) -> None:
        """Keep the newest of what is said by or to a gateway; an older one never takes its place."""
        ...

    def words(self) -> Sequence[GatewayWord]:
        """Give the newest of everything, by gateway and leaf."""
        ...

    def gaps(self, gateway: str | None = None, *, limit: int = 50) -> Sequence[Gap]:
        """Give what is missing between numbers that came, the newest first."""
        ...

    def boots(self, gateway: str) -> Sequence[Boot]:
        """Give the boots of a gateway and how complete each came."""
        ...
