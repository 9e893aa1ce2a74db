"""Ports: what the rooms need from the outside, as Protocols.

Adapters live in ``metering.store`` and ``service``. Large ports stand in modules of their own, named here all
the same: whoever needs a port imports it from here.

A :class:`Store` hands out transactions; everything one batch of deliveries gives rise to is written in
one :class:`Transaction`, so that the acknowledgement can wait for its commit (promise 1 of the design).
All times are UTC and aware. All methods raise :class:`~metering.errors.StoreUnavailable` when the store
cannot be reached or written, and nothing of the transaction is kept then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metering.access import Access
from metering.archive import ArchivedTelegram, NewTelegram, Scope, TelegramArchive, TelegramState
from metering.batches import Batches
from metering.billing import BillingBook
from metering.billing_accounts import Accounts
from metering.billing_customers import Customers
from metering.checks import Checks
from metering.columns import Columns
from metering.device import Devices
from metering.districts import Districts
from metering.findings import Findings
from metering.keyring import KeyHistory, KeyLookup, KeyPeriod, Keyring, keys_of
from metering.ledger import GatewayRow, Ledger, Outcome, Quarantined
from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from metering.orders import Orders
from metering.outbox import Outbox
from metering.reading import Detail, Reading, Register
from metering.sheets import Sheet
from metering.unclaimed import Unclaimed
from metering.upkeep import Coverage, Upkeep

__all__ = [
    "ArchivedTelegram",
    "Clock",
    "GatewayRow",
    "KeyHistory",
    "KeyLookup",
    "KeyPeriod",
    "Keyring",
    "Ledger",
    "MeterOverview",
    "NewTelegram",
    "Outcome",
    "Quarantined",
    "ReadingStore",
    "Registry",
    "Scope",
    "Store",
    "TelegramArchive",
    "TelegramState",
    "Transaction",
    "keys_of",
]


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """Give the time now, UTC, aware."""
        ...


# --- readings ------------------------------------------------------------------------------------


class ReadingStore(Protocol):
    """Exact values by meter, register and time."""

    def add(self, readings: Sequence[Reading]) -> int:
        """Store readings, each meter, register, time and value once. Gives how many were new."""
        ...

    def add_sheets(self, sheets: Sequence[tuple[int, Sheet]]) -> int:
        """Store the readings and details of new telegrams, each with its number, as :meth:`add` does."""
        ...

    def add_details(self, details: Sequence[Detail]) -> None:
        """Store what was said besides numbers; repeats are stored once."""
        ...

    def series(
        self,
        meter: MeterId,
        register: Register,
        since: datetime,
        until: datetime,
        *,
        limit: int | None = None,
    ) -> Sequence[Reading]:
        """Give readings with ``since <= measured_at < until``, by time, then value."""
        ...

    def registers(self, meter: MeterId) -> Sequence[tuple[Register, str]]:
        """Give the registers a meter has readings for, each with its unit, by key."""
        ...

    def latest(self, meter: MeterId) -> Sequence[Reading]:
        """Give the newest reading of each register of a meter, by register key."""
        ...

    def before(self, meter: MeterId, register: Register, moment: datetime) -> Reading | None:
        """Give the last reading before a moment (the opening index of a chart)."""
        ...

    def of_telegram(self, telegram: int) -> tuple[Sequence[Reading], Sequence[Detail]]:
        """Give what one telegram gave rise to."""
        ...

    def of_telegrams(
        self, telegrams: Collection[int]
    ) -> Mapping[int, tuple[Sequence[Reading], Sequence[Detail]]]:
        """Give what each of some telegrams gave rise to; nothing for those that gave nothing."""
        ...

    def known(self, readings: Sequence[Reading]) -> Sequence[bool]:
        """Say of each whether the same value of the register at that time is stored, from anywhere."""
        ...

    def remove(self, readings: Sequence[Reading], details: Sequence[Detail] = ()) -> None:
        """Delete exactly these readings and details, as far as they are there."""
        ...


# --- registry ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeterOverview:
    """A row of the meter list.

    Attributes:
        meter: the meter.
        service_point: where it hangs today, if anywhere.
        last_reading: newest main index (volume), if any.
        last_heard: newest telegram or pulse, if any.
        held: telegrams waiting for a key.
    """

    meter: Meter
    service_point: ServicePoint | None
    last_reading: Reading | None
    last_heard: datetime | None
    held: int


class Registry(Protocol):
    """Meters the utility owns, where they hang, and pulse inputs."""

    def edition(self) -> int:
        """Give a number that changes with every change of registered meters or of their keys."""
        ...

    def renew(self) -> None:
        """Make a new edition: something else was changed that every process looks at when it sees one."""
        ...

    def meters(self, ids: Collection[MeterId]) -> Mapping[MeterId, Meter]:
        """Give those of the ids that are registered."""
        ...

    def service_points(self, ids: Collection[str]) -> Mapping[str, ServicePoint]:
        """Give those of the service points that are registered."""
        ...

    def put_meters(self, meters: Iterable[Meter]) -> None:
        """Register meters or replace what is said of them."""
        ...

    def put_service_points(self, points: Iterable[ServicePoint]) -> None:
        """Register service points or replace what is said of them."""
        ...

    def put_installations(self, installations: Iterable[Installation]) -> None:
        """Record where meters hang; the same installation twice is one."""
        ...

    def put_pulse_inputs(self, inputs: Iterable[PulseInput]) -> None:
        """Record pulse inputs; the same gateway, channel and start replaces."""
        ...

    def pulse_inputs(
        self, channels: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Sequence[PulseInput]]:
        """Give the pulse inputs of ``(gateway, channel)`` pairs, by start."""
        ...

    def overview(
        self, *, search: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[MeterOverview], int]:
        """Give a page of meters and the number found in all.

        ``search`` looks in identity, label, service point and address, case-insensitively, and its
        characters are taken literally.
        """
        ...

    def installations(self, ids: Collection[MeterId]) -> Mapping[MeterId, Sequence[Installation]]:
        """Give where meters hang and hung, by start; nothing for those that never did."""
        ...

    def details_of(self, meter: MeterId) -> tuple[MeterOverview, Sequence[Installation]] | None:
        """Give one meter with its installations."""
        ...


class Transaction(Protocol):
    """One unit of work on all of the above."""

    @property
    def archive(self) -> TelegramArchive:
        """Raw telegrams."""
        ...

    @property
    def readings(self) -> ReadingStore:
        """Readings."""
        ...

    @property
    def registry(self) -> Registry:
        """Meters and where they hang."""
        ...

    @property
    def devices(self) -> Devices:
        """Devices behind gateways."""
        ...

    @property
    def keyring(self) -> Keyring:
        """Meter keys."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Outcomes, quarantine, gateways."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """What is done in the background."""
        ...

    @property
    def coverage(self) -> Coverage:
        """Who is read, who hears whom."""
        ...

    @property
    def unclaimed(self) -> Unclaimed:
        """What came from devices and inputs nobody has registered yet."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Messages that leave this system."""
        ...

    @property
    def customers(self) -> Customers:
        """Whom the utility bills for what, and what people told of dials."""
        ...

    @property
    def billing(self) -> BillingBook:
        """Billing reads and questions about them."""
        ...

    @property
    def batches(self) -> Batches:
        """Files of messages to billing systems."""
        ...

    @property
    def access(self) -> Access:
        """Who looked at what, and what customers agreed to."""
        ...

    @property
    def accounts(self) -> Accounts:
        """What came back from billing."""
        ...

    @property
    def findings(self) -> Findings:
        """Findings, and what people made of them."""
        ...

    @property
    def districts(self) -> Districts:
        """Districts and their hours."""
        ...

    @property
    def columns(self) -> Columns:
        """Registers as columns of numbers, for judging."""
        ...

    @property
    def checks(self) -> Checks:
        """What validation found between closings."""
        ...

    @property
    def orders(self) -> Orders:
        """Orders to readers."""
        ...


class Store(Protocol):
    """Something that holds everything."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a read-only view, consistent for its life."""
        ...

    def check(self) -> None:
        """Say whether the store can be written now and has the right schema.

        Raises:
            StoreError: it cannot; the sentence says what to do.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
