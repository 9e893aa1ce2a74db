"""What a series store has to do for us, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

from metering.meter import MeterId
from metering.store.series.lines import Key, Point

__all__ = ["Kept", "Removal", "SeriesTarget"]


class Removal(StrEnum):
    """How a target lets go of a point."""

    DELETE = "delete"
    """It is deleted: InfluxDB 1.x and 2.x."""
    MARK = "mark"
    """It is written again with ``gone=true`` and never read again: InfluxDB 3.x, which deletes no rows."""
    REBUILD = "rebuild"
    """Its whole series is deleted and written again: VictoriaMetrics, which deletes series only."""


class Kept(NamedTuple):
    """A number as the target has it, in a form that can be compared with our own.

    Attributes:
        meter: identity.
        register: key.
        unit: of the number.
        time: microseconds since 1970.
        value: canonical text.
    """

    meter: str
    register: str
    unit: str
    time: int
    value: str


class SeriesTarget(Protocol):
    """A series store to write to. All methods raise StoreUnavailable or StoreError."""

    where: str
    """In words, without a login."""

    removal: Removal

    def write(self, points: Sequence[Point]) -> None:
        """Write points; those that are there are overwritten with the same."""
        ...

    def remove(self, keys: Sequence[Key]) -> None:
        """Let go of all that stands at these keys; with REBUILD, of their whole series."""
        ...

    def check(self) -> None:
        """Say whether it can be reached and has our database."""
        ...

    def days(self) -> Sequence[date]:
        """Give the days, UTC, that have points."""
        ...

    def kept(self, day: date, meter: MeterId | None = None) -> Iterator[Kept]:
        """Give what it keeps of a day, in any order."""
        ...

    def form_of(self, point: Point) -> Kept:
        """Give what it should keep of a point."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
