"""Sheets: the readings of one telegram, written down before the archive has numbered it.

::

    sheet        meter, when heard, by which gateway, model, decoder      once
    its lines    register, unit, quality                                  shared by all telegrams of a kind
    its columns  values; times, where the meter dates some of them

Made before a batch's transaction, which then only has to put the telegram's number to it. A store takes the
columns as they are: making objects of thousands of readings would take longer than to store them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering.meter import MeterId
from metering.quick_readings import quick_provenance, quick_reading
from metering.reading import Detail, Quality, Reading, Register, Way

__all__ = ["Line", "Sheet"]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What a value of a telegram has in common with that of the next one; compared as an object.

    Attributes:
        register: which register.
        unit: as in :class:`~metering.reading.Reading`.
        quality: IEC 61968-9 code.
    """

    register: Register
    unit: str
    quality: Quality


@dataclass(slots=True)
class Sheet:
    """The readings of one telegram.

    Attributes:
        meter: whose.
        lines: what each value is.
        values: exact and canonical, one a line.
        heard_at: UTC; when the registers had these values.
        moments: UTC, one a line, where the meter dates some of them; ``None`` = all as of ``heard_at``.
        received_at: UTC; when it reached us.
        way: how it came.
        gateway: who heard it.
        model: meter model that named it; ``None`` = standard records.
        decoder: version of the decoding rules.
        said: what was said besides numbers, by register.
    """

    meter: MeterId
    lines: tuple[Line, ...]
    values: Sequence[Decimal]
    heard_at: datetime
    moments: Sequence[datetime] | None
    received_at: datetime
    way: Way
    gateway: str
    model: str | None
    decoder: str
    said: Sequence[tuple[Register, str]] = ()

    def readings(self, telegram: int) -> list[Reading]:
        """Give the readings as objects; ``telegram`` is its archive number."""
        provenance = quick_provenance(telegram, self.gateway, self.model, self.decoder)
        moments = self.moments or [self.heard_at] * len(self.lines)
        return [
            quick_reading(
                self.meter,
                line.register,
                value,
                line.unit,
                moment,
                self.received_at,
                self.way,
                line.quality,
                provenance,
            )
            for line, value, moment in zip(self.lines, self.values, moments, strict=True)
        ]

    def details(self, telegram: int) -> list[Detail]:
        """Give what was said besides numbers; ``telegram`` is its archive number."""
        return [Detail(self.meter, register, text, self.heard_at, telegram) for register, text in self.said]
