"""Ports: what the rooms need from the outside, as Protocols.

Adapters live in ``metering.store`` and ``service``.

A :class:`Store` hands out transactions; everything one batch of deliveries gives rise to is written in
one :class:`Transaction`, so that the acknowledgement can wait for its commit (promise 1 of the design).
All times are UTC and aware. All methods raise :class:`~metering.errors.StoreUnavailable` when the store
cannot be reached or written, and nothing of the transaction is kept then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from metering.device import Devices
from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from metering.outbox import Outbox
from metering.reading import Detail, Reading, Register
from metering.upkeep import Boot, Coverage, Gap, Upkeep
from metering.uplink import GatewayState, Reception

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


class Outcome(StrEnum):
    """How an item ended; every item ends as exactly one of these."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"
    FOREIGN = "foreign"
    QUARANTINED = "quarantined"


class TelegramState(StrEnum):
    """What became of an archived telegram."""

    STORED = "stored"
    HELD = "held"
    FOREIGN = "foreign"


# --- raw telegrams -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewTelegram:
    """A transmission to be archived.

    Attributes:
        meter: identity read from the headers, registered or not.
        frame: L-delimited bytes without link-layer CRCs.
        fingerprint: digest of ``frame`` (identity, access number and content in one), 16 bytes.
        state: stored, held or foreign.
        reason: why it is held, a stable code (``missing_key``, ``wrong_key``, ...); empty otherwise.
        receptions: at least one, each with the bytes as that gateway sent them where they differ from
            ``frame`` (link-layer CRCs, repaired length), else ``None``.
    """

    meter: MeterId
    frame: bytes
    fingerprint: bytes
    state: TelegramState
    reason: str
    receptions: Sequence[tuple[Reception, bytes | None]]


@dataclass(frozen=True, slots=True)
class ArchivedTelegram:
    """A transmission in the archive.

    Attributes:
        id: archive number.
        meter: identity read from the headers.
        frame: L-delimited bytes without link-layer CRCs.
        fingerprint: digest of ``frame``.
        state: stored, held or foreign.
        reason: why held; empty otherwise.
        heard_at: earliest time any gateway heard it.
        receptions: who heard it, earliest first.
    """

    id: int
    meter: MeterId
    frame: bytes
    fingerprint: bytes
    state: TelegramState
    reason: str
    heard_at: datetime
    receptions: Sequence[tuple[Reception, bytes | None]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which telegrams of the archive.

    Attributes:
        meter: of this meter only.
        states: in one of these states; empty = any.
        since: heard then or later, UTC.
        until: heard before, UTC.
    """

    meter: MeterId | None = None
    states: tuple[TelegramState, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


class TelegramArchive(Protocol):
    """Every frame byte for byte: by which gateways, when, how strong."""

    def known_sequences(self, sequences: Collection[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
        """Give those ``(gateway, boot, seq)`` that were brought in before, frames and pulses alike."""
        ...

    def remember_sequences(self, sequences: Iterable[tuple[str, str, int]]) -> None:
        """Remember numbers of items without a reception (pulses, quarantined items). Repeats are ignored."""
        ...

    def count_unkept(self, heard: Sequence[tuple[MeterId, Reception]]) -> None:
        """Count receptions of meters whose telegrams are not kept, and remember their numbers."""
        ...

    def same_frames(
        self, fingerprints: Collection[bytes], since: datetime, until: datetime | None = None
    ) -> Mapping[bytes, Sequence[ArchivedTelegram]]:
        """Give archived telegrams with these fingerprints heard from ``since`` to ``until``, earliest first.

        Some meters repeat identical bytes for days: without ``until`` there may be thousands.
        """
        ...

    def brought(
        self, frames: Collection[tuple[bytes, str]], since: datetime
    ) -> Mapping[tuple[bytes, str], int]:
        """Give those ``(fingerprint, gateway)`` heard at or after ``since``, each with a telegram."""
        ...

    def add(self, telegrams: Sequence[NewTelegram]) -> Sequence[int]:
        """Archive telegrams with their receptions; gives archive numbers in the same order."""
        ...

    def add_receptions(self, receptions: Sequence[tuple[int, Reception, bytes | None]]) -> None:
        """Add receptions to archived telegrams; an earlier one moves ``heard_at`` of telegram and readings.

        Only readings whose ``measured_at`` was the telegram's ``heard_at`` move.
        """
        ...

    def merge(self, keep: int, drop: int) -> None:
        """Make one transmission of two: receptions go to ``keep``; ``drop`` and its readings go."""
        ...

    def telegram(self, telegram: int) -> ArchivedTelegram | None:
        """Give one telegram by archive number."""
        ...

    def telegrams(
        self,
        *,
        meter: MeterId | None = None,
        state: TelegramState | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[ArchivedTelegram]:
        """Give the newest telegrams first; ``before`` is an archive number to page on."""
        ...

    def scan(self, scope: Scope, *, after: int = 0, limit: int = 500) -> Sequence[ArchivedTelegram]:
        """Give telegrams by archive number, beginning behind ``after``."""
        ...

    def count(self, state: TelegramState | None = None) -> int:
        """Give how many telegrams are in the archive now, in all or in a state."""
        ...

    def last_number(self) -> int:
        """Give the highest archive number; 0 if there is none."""
        ...

    def set_state(self, telegram: int, state: TelegramState, reason: str) -> None:
        """Change what became of a telegram (a key came late, a meter was registered)."""
        ...


# --- readings ------------------------------------------------------------------------------------


class ReadingStore(Protocol):
    """Exact values by meter, register and time."""

    def add(self, readings: Sequence[Reading]) -> int:
        """Store readings, each meter, register, time and value once. Gives how many were new."""
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


# --- what happened to what came ------------------------------------------------------------------


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

    def gaps(self, gateway: str | None = None, *, limit: int = 50) -> Sequence[Gap]:
        """Give what is missing between numbers that came, the newest first."""
        ...

    def boots(self, gateway: str) -> Sequence[Boot]:
        """Give the boots of a gateway and how complete each came."""
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
    def outbox(self) -> Outbox:
        """Messages that leave this system."""
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
