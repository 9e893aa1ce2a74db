"""Daily volumes, for meters heard from too seldom for hours, or with a register too coarse for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.gate import Gated
from anomaly.local_time import DAY, local_days
from anomaly.series import Flags, Floats, Ints

__all__ = ["DayGrid", "Days", "days_of"]

SHORTEST, LONGEST = 0.75 * DAY, 1.5 * DAY
"""Seconds between two readings that count as a day."""
REMEMBERED = 14
"""Days of a gap without a rise that count."""


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days of one meter, in time order.

    Attributes:
        known_at: the reading that ended each, UTC seconds.
        litres: volume of 24 h; 0 where unknown.
        known: whether it is known.
    """

    known_at: Ints
    litres: Floats
    known: Flags

    def __len__(self) -> int:
        return len(self.known_at)


def days_of(gated: Gated, zone: ZoneInfo) -> Days:
    """Cut a meter's line at the first reading of each local day; a gap without a rise is days of zero."""
    day = local_days(gated.at, zone)
    ends = np.ones(len(day), np.bool_)
    ends[1:] = day[1:] > day[:-1]
    at, index, known_at = gated.at[ends], gated.index[ends], gated.known_at[ends]
    lines = np.cumsum(gated.broken)[ends]
    seconds, litres = np.diff(at), np.diff(index)
    same_line = np.diff(lines) == 0
    zero_gap = (seconds > LONGEST) & (litres == 0) & same_line
    known = same_line & (((seconds >= SHORTEST) & (seconds <= LONGEST)) | zero_gap)
    copies = np.where(zero_gap, np.minimum(seconds // DAY, REMEMBERED), 1)
    volume = np.where(known, litres * DAY / np.maximum(seconds, 1), 0.0)
    return Days(np.repeat(known_at[1:], copies), np.repeat(volume, copies), np.repeat(known, copies))


@dataclass(frozen=True, slots=True, eq=False)
class DayGrid:
    """Days of many meters side by side: row = n-th day, column = meter; short ones end unknown."""

    known_at: Ints
    litres: Floats
    known: Flags
    length: Ints

    @classmethod
    def beside(cls, columns: list[Days]) -> Self:
        """Put meters side by side."""
        length = np.array([len(days) for days in columns], np.int64)
        shape = (int(length.max(initial=0)), len(columns))
        grid = cls(np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape, np.bool_), length)
        for column, days in enumerate(columns):
            for name in ("known_at", "litres", "known"):
                getattr(grid, name)[: len(days), column] = getattr(days, name)
        return grid
