"""Days and nights of many meters side by side, by the calendar: for judging one day over the whole fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.hours import KNOWN, Ticks
from anomaly.local_time import HOUR, local_days
from anomaly.series import Floats, Ints

__all__ = ["NIGHT_HOURS", "DayTable"]

NIGHT_HOURS = 5
"""The night is 00 to 05 local time."""
MISSED = 1
"""Hours that may be missing from a day, or from a night."""


@dataclass(frozen=True, slots=True, eq=False)
class DayTable:
    """Litres by local day and meter; NaN where too few hours were heard.

    Attributes:
        first: number of the first day, since 1970-01-01.
        litres: of the whole day, ``(days, meters)``.
        night: of 00 to 05, ``(days, meters)``.
        known_at: last tick of the day, UTC seconds; 0 where none, ``(days, meters)``.
    """

    first: int
    litres: Floats
    night: Floats
    known_at: Ints

    def __len__(self) -> int:
        return len(self.litres)

    @classmethod
    def of(cls, columns: Sequence[Ticks], zone: ZoneInfo) -> Self:
        """Sum up hours."""
        days = [local_days(ticks.known_at - HOUR // 2, zone) for ticks in columns]
        heard = [column for column in days if len(column)]
        first = min((int(column.min()) for column in heard), default=0)
        number = max((int(column.max()) + 1 - first for column in heard), default=0)
        shape = (number, len(columns))
        table = cls(first, np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64))
        for place, (ticks, day) in enumerate(zip(columns, days, strict=True)):
            row, known = day - first, ticks.kind == KNOWN
            table.litres[:, place] = _sums(row, known, ticks.flow, number, 24)
            night = known & (ticks.hour < NIGHT_HOURS)
            table.night[:, place] = _sums(row, night, ticks.flow, number, NIGHT_HOURS)
            np.maximum.at(table.known_at[:, place], row, ticks.known_at)
        return table


def _sums(row: Ints, chosen: np.ndarray, flow: Floats, number: int, hours: int) -> Floats:
    """Litres of each day from the hours chosen; a day with one hour missing is scaled up."""
    heard = np.bincount(row[chosen], minlength=number).astype(np.float64)
    litres = np.bincount(row[chosen], flow[chosen], minlength=number)
    enough = heard >= hours - MISSED
    return np.where(enough, litres * hours / np.maximum(heard, hours), np.nan)
