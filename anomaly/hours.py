"""Readings of any cadence up to hours, as ticks of about one hour that a detector can judge.

::

    readings   00:53   01:48        05:48 (same index)      09:48 (risen)     10:03 10:18 10:33 10:48 11:03
    ticks          |known|0 |0 |0 |0 |    one ceiling      |      (too short)        known, at 11:03

A tick ends at a reading: the first one of a new hour, or any reading 40 minutes or more after the one
before. So nothing later than a reading is needed to judge it. Where the index did not move over a gap, every
hour of it is known to be zero. Where it moved, only the mean is known: no leak was larger (a *ceiling*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.gate import Gated
from anomaly.local_time import HOUR, local_hours
from anomaly.series import Flags, Floats, Ints

__all__ = ["CEILING", "KNOWN", "UNKNOWN", "HourGrid", "Ticks", "ticks_of"]

UNKNOWN, KNOWN, CEILING = 0, 1, 2
"""What is known of a tick: nothing, its flow, or only that no steady flow was above it."""

LONE = 2400
"""A reading this many seconds after the last one ends a tick whatever the clock says."""
SHORTEST, LONGEST = 1800, 5400
"""Seconds a tick may span to count as an hour."""
REMEMBERED = 48
"""Hours of a zero gap that count; a longer one says no more."""
CEILING_HOURS = 72
"""A mean over more than this says nothing about an hour."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Ticks of one meter, in time order.

    Attributes:
        known_at: when each could be known, UTC seconds.
        hour: local hour of the day of its middle, 0 to 23.
        flow: mean flow, L/h; 0 where unknown.
        kind: :data:`UNKNOWN`, :data:`KNOWN` or :data:`CEILING`.
        span: hours since the tick before, 1 to 255.
    """

    known_at: Ints
    hour: Ints
    flow: Floats
    kind: Ints
    span: Ints

    def __len__(self) -> int:
        return len(self.known_at)


def ticks_of(gated: Gated, zone: ZoneInfo) -> Ticks:
    """Cut a meter's line into ticks."""
    ends = _tick_ends(gated.at)
    at, index, known = gated.at[ends], gated.index[ends], gated.known_at[ends]
    seconds, litres = np.diff(at), np.diff(index)
    broken = _any_between(gated.broken, ends)
    kind = _kinds(seconds, litres, broken)
    zero_gap = (seconds > LONGEST) & (litres == 0) & ~broken
    copies = np.where(zero_gap, np.minimum(np.rint(seconds / HOUR), REMEMBERED), 1).astype(np.int64)
    flow = np.where(kind == UNKNOWN, 0.0, litres * HOUR / np.maximum(seconds, 1))
    span = np.where(zero_gap, 1, np.clip(np.rint(seconds / HOUR), 1, 255)).astype(np.int64)
    middle = _middles(at[1:], seconds, copies, zero_gap)
    return Ticks(
        np.repeat(known[1:], copies),
        local_hours(middle, zone),
        np.repeat(flow, copies),
        np.repeat(kind, copies),
        np.repeat(span, copies),
    )


def _tick_ends(at: Ints) -> Flags:
    ends = np.ones(len(at), np.bool_)
    ends[1:] = (at[1:] // HOUR > at[:-1] // HOUR) | (np.diff(at) >= LONE)
    return ends


def _any_between(broken: Flags, ends: Flags) -> Flags:
    """Whether a new line begins within each tick, its end included."""
    total = np.concatenate([[0], np.cumsum(broken)])
    where = np.flatnonzero(ends) + 1
    return np.diff(total[where]) > 0


def _kinds(seconds: Ints, litres: Floats, broken: Flags) -> Ints:
    gap = seconds > LONGEST
    kind = np.where((seconds >= SHORTEST) & ~gap, KNOWN, UNKNOWN)
    kind = np.where(gap & (litres == 0), KNOWN, kind)
    kind = np.where(gap & (litres > 0) & (seconds <= CEILING_HOURS * HOUR), CEILING, kind)
    return np.where(broken, UNKNOWN, kind)


def _middles(end: Ints, seconds: Ints, copies: Ints, zero_gap: Flags) -> Ints:
    """Give the middle of every tick; the hours of a zero gap lie one after the other up to its end."""
    half = np.where(zero_gap, HOUR // 2, np.minimum(seconds, LONGEST) // 2)
    last = np.repeat(np.cumsum(copies) - 1, copies)
    back = last - np.arange(int(copies.sum()))
    return np.asarray(np.repeat(end - half, copies) - back * HOUR, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class HourGrid:
    """Ticks of many meters side by side: row = n-th tick, column = meter; short ones end in UNKNOWN.

    Attributes:
        known_at, hour, flow, kind, span: as in :class:`Ticks`, each ``(ticks, meters)``.
        length: ticks of each meter.
    """

    known_at: Ints
    hour: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    flow: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    kind: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    span: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    length: Ints

    @classmethod
    def beside(cls, columns: list[Ticks]) -> Self:
        """Put meters side by side."""
        length = np.array([len(ticks) for ticks in columns], np.int64)
        shape = (int(length.max(initial=0)), len(columns))
        grid = cls(
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int8),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.int8),
            np.ones(shape, np.uint8),
            length,
        )
        for column, ticks in enumerate(columns):
            for name in ("known_at", "hour", "flow", "kind", "span"):
                getattr(grid, name)[: len(ticks), column] = getattr(ticks, name)
        return grid
