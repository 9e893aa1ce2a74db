"""The archive of raw telegrams: what is kept of each, and the port to it (see :mod:`metering.ports`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from metering.meter import MeterId
from metering.uplink import Reception

__all__ = ["ArchivedTelegram", "NewTelegram", "Scope", "TelegramArchive", "TelegramState"]


class TelegramState(StrEnum):
    """What became of an archived telegram."""

    STORED = "stored"
    HELD = "held"
    FOREIGN = "foreign"


class NewTelegram(NamedTuple):
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

    def present(self, numbers: Collection[int]) -> set[int]:
        """Give those of some archive numbers that are in the archive; a reading may name one that is gone."""
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

    def last_number_given(self) -> int:
        """Give the highest archive number ever given, whether that telegram is still there or not."""
        ...

    def set_state(self, telegram: int, state: TelegramState, reason: str) -> None:
        """Change what became of a telegram (a key came late, a meter was registered)."""
        ...
