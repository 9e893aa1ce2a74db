"""The inflow of one district metered area, cut into days that end with the night.

A day ends at 05:00 local time: the hours of minimum night flow, 02:00 to 05:00, are its last three, and by
then all of it is known. Eight blocks of three hours each are what is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike

from anomaly.local_time import DAY, HOUR, local_seconds
from anomaly.series import Floats, Ints

__all__ = ["BLOCKS", "NIGHT", "DayKind", "District", "DistrictDays"]

DAY_ENDS = 5 * HOUR
"""Local time at which a day ends, seconds."""
BLOCK_HOURS = 3
BLOCKS = 24 // BLOCK_HOURS
NIGHT = BLOCKS - 1
"""The block of minimum night flow: 02:00 to 05:00 local time."""
FEWEST_HOURS = 2
"""Known hours of a block below which the block is not known."""
EARLIEST, LATEST = 0, 4_102_444_800
"""1970 and 2100, UTC seconds: times outside are no times."""
LARGEST_LPS = 1e5
"""No district takes in more: such a number is a fault of the counter."""


class DayKind(IntEnum):
    """Days people live alike."""

    WORKDAY = 0
    SATURDAY = 1
    SUNDAY = 2
    """Sundays and public holidays."""


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """Net inflow of one district, hour by hour in time order.

    Attributes:
        dma: id of the district, as its readings name it.
        at: beginning of each known hour, UTC seconds.
        inflow: mean net inflow in it, L/s; what customers are known to have used may be taken off.
    """

    dma: str
    at: Ints
    inflow: Floats

    @classmethod
    def of(cls, dma: str, at: ArrayLike, inflow_lps: ArrayLike) -> Self:
        """Take readings in any order and of any cadence up to an hour; what is no number is not known."""
        times, flow = np.asarray(at, np.int64), np.asarray(inflow_lps, np.float64)
        sound = np.isfinite(flow) & (times >= EARLIEST) & (times <= LATEST)
        sound &= np.abs(np.where(sound, flow, 0)) <= LARGEST_LPS
        hour, place = np.unique(times[sound] // HOUR, return_inverse=True)
        count = np.bincount(place, minlength=len(hour))
        total = np.bincount(place, weights=flow[sound], minlength=len(hour))
        return cls(dma, hour * HOUR, total / np.maximum(count, 1))

    def less(self, other: District, coverage: float = 1.0) -> District:
        """Take off another flow of the same district, ``coverage`` of the whole, where both are known."""
        _, here, there = np.intersect1d(self.at, other.at, return_indices=True)
        return District(self.dma, self.at[here], self.inflow[here] - other.inflow[there] / coverage)

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True, eq=False)
class DistrictDays:
    """One district on the days all districts of a scan share.

    Attributes:
        dma: id of the district.
        first: the first day, counted from 1970-01-01; a day is named after the morning it ends in.
        blocks: mean net inflow, L/s: row = day, column = block; NaN where not known.
        hours: the same by hour: row = day, column = hour of the day that ends at 05:00.
        known_at: the last reading of each day, UTC seconds; 0 where there was none.
        kinds: what kind of day each is.
        zone: local time.
    """

    dma: str
    first: int
    blocks: Floats
    hours: Floats
    known_at: Ints
    kinds: Ints
    zone: ZoneInfo

    @classmethod
    def of(cls, district: District, zone: ZoneInfo, span: tuple[int, int], holidays: frozenset[date]) -> Self:
        """Cut the hours into the days ``span[0] <= day < span[1]``."""
        first, days = span[0], span[1] - span[0]
        wall = local_seconds(district.at, zone) - DAY_ENDS + DAY
        cell = wall // HOUR - first * 24
        inside = (cell >= 0) & (cell < days * 24)
        cell = cell[inside]
        count = np.bincount(cell, minlength=days * 24)
        total = np.bincount(cell, weights=district.inflow[inside], minlength=days * 24)
        known_at = np.zeros(days, np.int64)
        np.maximum.at(known_at, cell // 24, district.at[inside])
        hours = np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(-1, 24)
        kinds = _kinds(first, days, holidays)
        return cls(district.dma, first, _blocks(hours), hours, known_at, kinds, zone)

    def place_of(self, at: Ints) -> Ints:
        """Give the cell of each hour in ``hours``, counted row by row; outside of them for other days."""
        wall = local_seconds(at, self.zone) - DAY_ENDS + DAY
        return np.asarray(wall // HOUR - self.first * 24, np.int64)

    @staticmethod
    def span(districts: Sequence[District], zone: ZoneInfo) -> tuple[int, int]:
        """Give the days that districts have between them; the last one only where its night is over."""
        edges = np.array(
            [edge for one in districts if len(one) for edge in (one.at[0], one.at[-1])], np.int64
        )
        if not len(edges):
            return 0, 0
        wall = local_seconds(np.sort(edges), zone) - DAY_ENDS + DAY
        return int(wall[0] // DAY), int((wall[-1] + HOUR) // DAY)


def _blocks(hours: Floats) -> Floats:
    cut = hours.reshape(-1, BLOCKS, BLOCK_HOURS)
    known = np.isfinite(cut).sum(axis=2)
    mean = np.where(np.isfinite(cut), cut, 0).sum(axis=2) / np.maximum(known, 1)
    return np.where(known >= FEWEST_HOURS, mean, np.nan)


def _kinds(first: int, days: int, holidays: frozenset[date]) -> Ints:
    """Most of a day lies on the date before the morning that names it."""
    lived = np.arange(first - 1, first - 1 + days)
    weekday = (lived + 3) % 7
    kinds = np.select([weekday == 6, weekday == 5], [DayKind.SUNDAY, DayKind.SATURDAY], DayKind.WORKDAY)
    free = np.array([date(1970, 1, 1).toordinal() + day for day in lived])
    kinds[np.isin(free, [day.toordinal() for day in holidays])] = DayKind.SUNDAY
    return kinds.astype(np.int64)
