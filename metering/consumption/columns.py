"""The cut of :mod:`metering.consumption.volumes` for series that are held as NumPy columns.

Moments are microseconds since 1970 and an index is a whole number of its smallest unit, both ``int64``: as
exact as the decimals they come from. A year of hours takes about a millisecond; millions of readings do
not become objects. Imported by its own name, so that nobody else pays for NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from metering.consumption.points import in_units

__all__ = ["GAP", "METERED", "PARTIAL", "ColumnCut", "Flags", "Ints", "cut_columns", "moments", "units"]

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

METERED, PARTIAL, GAP = range(3)
"""In the order of :class:`metering.consumption.volumes.Kind`."""


@dataclass(frozen=True, slots=True)
class ColumnCut:
    """Intervals as columns of equal length.

    Attributes:
        start: where each begins: the number of a boundary, or ``~number`` of a reading at its own time.
        end: where it ends, likewise.
        opening: number of the reading whose index counts at its start.
        closing: number of the reading whose index counts at its end.
        kind: ``METERED``, ``PARTIAL`` or ``GAP``.
        volume: closing index minus opening index, units.
    """

    start: Ints
    end: Ints
    opening: Ints
    closing: Ints
    kind: Ints
    volume: Ints


def moments(times: Iterable[datetime]) -> Ints:
    """Give times as microseconds since 1970-01-01T00:00Z, exact between the years 1900 and 2200."""
    seconds = np.fromiter((time.timestamp() for time in times), np.float64)
    return np.rint(seconds * 1e6).astype(np.int64)


def units(values: Sequence[Decimal], exponent: int) -> Ints:
    """Give values as whole numbers of ``10**exponent``.

    Raises:
        OverflowError: a value needs more than 63 bits.
    """
    return np.array(in_units(values, exponent), np.int64)


def cut_columns(at: Ints, index: Ints, marks: Ints, *, max_age: int, slack: int) -> ColumnCut:
    """Cut a series at boundaries.

    Args:
        at: microseconds, strictly increasing, two at least.
        index: total at each moment, units.
        marks: microseconds, strictly increasing.
        max_age: how old a reading may be at a boundary, microseconds.
        slack: how late after a boundary it may be, microseconds.
    """
    number, counts = _nearest_readings(at, marks, max_age, slack)
    missed = ~counts & (number >= 0) & (number < len(at) - 1)
    gap_after = np.zeros(len(at), np.bool_)
    gap_after[number[missed]] = True
    gap_after[:-1] &= index[1:] != index[:-1]
    place, reading = _places_of_readings(number, counts, gap_after)
    known_zero = np.flatnonzero(missed & ~gap_after[number])
    place, reading = np.concatenate((place, known_zero)), np.concatenate((reading, number[known_zero]))
    time = np.where(place >= 0, marks[np.maximum(place, 0)], at[reading])
    order = np.lexsort((time, reading))
    return _between(place[order], reading[order], gap_after, index)


def _between(place: Ints, reading: Ints, gap_after: Flags, index: Ints) -> ColumnCut:
    at_mark = place >= 0
    whole = np.where(at_mark[:-1] & at_mark[1:], METERED, PARTIAL)
    kind = np.where(gap_after[reading[:-1]], GAP, whole)
    volume = index[reading[1:]] - index[reading[:-1]]
    return ColumnCut(place[:-1], place[1:], reading[:-1], reading[1:], kind, volume)


def _nearest_readings(at: Ints, marks: Ints, max_age: int, slack: int) -> tuple[Ints, Flags]:
    """Give per boundary the number of the reading that counts for it, and whether it does count."""
    number = np.searchsorted(at, marks, side="right") - 1
    far = np.iinfo(np.int64).max
    before = np.where(number >= 0, marks - at[np.maximum(number, 0)], far)
    later = np.minimum(number + 1, len(at) - 1)
    after = np.where(number + 1 < len(at), at[later] - marks, far)
    late = (after <= slack) & (after < before)
    number = np.where(late, number + 1, number)
    near = late | (before <= max_age)
    used = np.maximum.accumulate(np.where(near, number, -1))
    used_before = np.concatenate(([-1], used[:-1]))
    counts = near & (number > used_before)
    return np.maximum(number, used_before), counts


def _places_of_readings(number: Ints, counts: Flags, gap_after: Flags) -> tuple[Ints, Ints]:
    """Give the places of readings, each as a boundary's number or ``~reading``, with the reading."""
    readings = np.arange(len(gap_after))
    place = ~readings
    place[number[counts]] = np.flatnonzero(counts)
    placed = gap_after.copy()
    placed[1:] |= gap_after[:-1]
    placed[[0, -1]] = True
    placed[number[counts]] = True
    return place[placed], readings[placed]
