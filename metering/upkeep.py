"""Ports of upkeep: what is missing, what waits to be tried again, what may go, who hears whom how well.

Beside :mod:`metering.ports`, which holds what every telegram needs. The same rules hold: times are UTC and
aware, and :class:`~metering.errors.StoreUnavailable` means that nothing of the transaction is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from metering.meter import MeterId

__all__ = [
    "Boot",
    "Coverage",
    "Gap",
    "GatewayCoverage",
    "Grouping",
    "Lonely",
    "Signal",
    "Silent",
    "Stranger",
    "Success",
    "Upkeep",
]


# --- numbers of gateways -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a gateway that never came, between two that did.

    Attributes:
        gateway: gateway name.
        boot: the gateway's boot id.
        first: first number missing.
        last: last number missing.
        after: when the telegram before the gap was heard, UTC; ``None`` if it was none.
        before: the same of the telegram behind it.
    """

    gateway: str
    boot: str
    first: int
    last: int
    after: datetime | None
    before: datetime | None

    @property
    def missing(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Boot:
    """What came of one boot of a gateway.

    Attributes:
        gateway: gateway name.
        boot: boot id.
        first: lowest number that came.
        last: highest number that came.
        came: how many came.
    """

    gateway: str
    boot: str
    first: int
    last: int
    came: int

    @property
    def missing(self) -> int:
        """How many between the lowest and the highest never came."""
        return self.last - self.first + 1 - self.came


# --- what waits, what goes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stranger:
    """A meter that is heard and not registered.

    Attributes:
        meter: identity read from the headers.
        heard: receptions counted.
        gateways: who hears it, by name.
        first_heard: UTC.
        last_heard: UTC.
        best_rssi_dbm: strongest signal, dBm; ``None`` if no gateway measures it.
        kept: telegrams of it in the archive.
    """

    meter: MeterId
    heard: int
    gateways: Sequence[str]
    first_heard: datetime
    last_heard: datetime
    best_rssi_dbm: int | None
    kept: int


class Upkeep(Protocol):
    """What a store lets be done in the background."""

    def ask_mending(self, meters: Collection[MeterId]) -> None:
        """Have waiting telegrams of these meters tried again: a key came, or they were registered."""
        ...

    def to_mend(self, limit: int) -> Mapping[MeterId, int]:
        """Give meters whose waiting telegrams are to be tried again, and how often that was asked."""
        ...

    def mended(self, meter: MeterId, asked: int) -> None:
        """Book that a meter's waiting telegrams were tried, unless that was asked again meanwhile."""
        ...

    def drop_idle(self) -> int:
        """Leave out asked meters that have nothing waiting; gives how many."""
        ...

    def waiting_for(self, reason: str) -> Sequence[MeterId]:
        """Give the meters that have telegrams held for a reason."""
        ...

    def mark(self, name: str) -> str:
        """Give how far some upkeep came; empty if it never began."""
        ...

    def set_mark(self, name: str, value: str) -> None:
        """Remember how far some upkeep came."""
        ...

    def change_mark(self, name: str, before: str, after: str) -> bool:
        """Set a mark if it is still ``before`` (empty = it never was set); gives whether it was. Atomic."""
        ...

    def forget_foreign(self, before: datetime, limit: int) -> int:
        """Delete foreign telegrams heard before a time, at most ``limit``; gives how many went.

        They stay counted: see :meth:`strangers`.
        """
        ...

    def count_foreign(self, before: datetime) -> int:
        """Give how many foreign telegrams were heard before a time."""
        ...

    def forget_hearings(self, before: datetime) -> int:
        """Delete the daily counts of who heard whom before the day of this time; gives how many went."""
        ...

    def strangers(
        self, since: datetime, *, offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[Stranger], int]:
        """Give a page of meters heard since and not registered, most heard first, and the number of all."""
        ...


# --- coverage ------------------------------------------------------------------------------------


class Grouping(StrEnum):
    """What a read-success rate is told for."""

    ROUTE = "route"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Success:
    """How many meters of a group were read within the window.

    Attributes:
        group: route, district or gateway; empty = meters without one.
        meters: registered meters.
        read: those with a valid reading of an index within the window.
    """

    group: str
    meters: int
    read: int


@dataclass(frozen=True, slots=True)
class GatewayCoverage:
    """What a gateway contributes.

    Attributes:
        gateway: gateway name.
        meters: registered meters it heard within the window.
        read: those of them with a valid reading within the window.
        alone: registered meters no other gateway heard within the window.
        mean_rssi_dbm: mean signal, dBm; ``None`` if it measures none.
    """

    gateway: str
    meters: int
    read: int
    alone: int
    mean_rssi_dbm: int | None


@dataclass(frozen=True, slots=True)
class Lonely:
    """A registered meter only one gateway hears."""

    meter: MeterId
    gateway: str
    mean_rssi_dbm: int | None


@dataclass(frozen=True, slots=True)
class Silent:
    """A registered meter that was not heard for longer than its own rhythm allows.

    Attributes:
        meter: the meter.
        last_heard: newest reception; ``None`` = never.
        interval: how often it sends, as learnt; ``None`` = not learnt.
    """

    meter: MeterId
    last_heard: datetime | None
    interval: timedelta | None


@dataclass(frozen=True, slots=True)
class Signal:
    """How one gateway heard one meter on one day (UTC)."""

    day: datetime
    gateway: str
    heard: int
    mean_rssi_dbm: int | None
    min_rssi_dbm: int | None
    max_rssi_dbm: int | None


class Coverage(Protocol):
    """Who is read, who hears whom."""

    def success(self, by: Grouping, since: datetime) -> Sequence[Success]:
        """Give how many registered meters have a valid reading since, by group."""
        ...

    def by_gateway(self, since: datetime) -> Sequence[GatewayCoverage]:
        """Give what each gateway contributes since the day of this time."""
        ...

    def lonely(self, since: datetime, *, gateway: str | None = None, limit: int = 50) -> Sequence[Lonely]:
        """Give registered meters only one gateway heard since the day of this time."""
        ...

    def silent(self, now: datetime, patience: int, *, limit: int = 50) -> Sequence[Silent]:
        """Give registered meters not heard for ``patience`` intervals of theirs, longest silent first."""
        ...

    def signal(self, meter: MeterId, since: datetime, until: datetime) -> Sequence[Signal]:
        """Give how a meter was heard, by day and gateway."""
        ...

    def unlearnt(self, before: datetime, limit: int) -> Sequence[MeterId]:
        """Give registered meters whose rhythm was not learnt since a time."""
        ...

    def heard_times(self, meters: Collection[MeterId], latest: int) -> Mapping[MeterId, Sequence[datetime]]:
        """Give when the newest telegrams of meters were heard, oldest first, at most ``latest`` each."""
        ...

    def learn(self, rhythms: Mapping[MeterId, timedelta | None], now: datetime) -> None:
        """Remember how often meters send; ``None`` = too little is known, not to be asked again soon."""
        ...
