"""The gate's doubts put together: what left the line together is one episode, with what lies around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from anomaly.gate import MICRO_L, Doubt, DoubtKind, Gated
from anomaly.series import Floats
from metering.finding import Evidence

__all__ = ["Episode", "episodes"]

_TELLING = {
    DoubtKind.DECODE_ERROR,
    DoubtKind.OUT_OF_ORDER,
    DoubtKind.ROLL_OVER,
    DoubtKind.JUMP,
    DoubtKind.FALL,
    DoubtKind.MICRO_FALL,
}
OLDER = 48
"""Readings back to which one that comes again is told by its index."""
RECENT = 4
"""Readings back to which a rise that a fall undoes was a wrong index."""
USUAL = 0.995
"""A rise among this share of the meter's own is nothing out of the ordinary."""
FEWEST_RISES = 50


@dataclass(frozen=True)
class Episode:
    """One departure from the line.

    Attributes:
        gated: the meter.
        doubts: its readings, by time; all off the line, or one that begins a new one.
        place: number on the line of the first reading after it (of the new line's first reading).
        next_l: index of that reading as it was read, litres; NaN at the end.
    """

    gated: Gated
    doubts: tuple[Doubt, ...]
    place: int
    next_l: float

    @property
    def meter(self) -> str:
        """Meter id."""
        return self.gated.facts.meter

    @property
    def kind(self) -> DoubtKind:
        """What the gate took its first reading for."""
        return self.doubts[0].kind

    @property
    def at(self) -> int:
        """Meter time of its first reading, UTC seconds."""
        return self.doubts[0].at

    @property
    def known_at(self) -> int:
        """When the readings after it had shown what it was, UTC seconds."""
        return max(doubt.known_at for doubt in self.doubts)

    @property
    def before_l(self) -> float:
        """Index of the line before it, litres."""
        return self.doubts[0].before

    @property
    def now_l(self) -> float:
        """Its first index, litres."""
        return self.doubts[0].index

    @property
    def returned(self) -> bool:
        """Whether the line goes on where it left off."""
        off = self.kind in {DoubtKind.DECODE_ERROR, DoubtKind.OUT_OF_ORDER}
        return off and self.next_l >= self.before_l - MICRO_L

    @property
    def undone(self) -> bool:
        """Whether a confirmed fall only undoes what the last few readings before it rose."""
        return self.off_since is not None

    @cached_property
    def off_since(self) -> int | None:
        """Meter time of the first wrong reading where the fall is back on the old line, UTC seconds."""
        if self.kind is not DoubtKind.FALL or self.fall_l <= 10 * MICRO_L:
            return None
        carry = float(self.gated.index[self.place]) - self.next_l
        first = max(self.place - RECENT, 0)
        below = np.flatnonzero(self.gated.index[first : self.place] - carry <= self.now_l)
        return int(self.gated.at[first + below[-1] + 1]) if len(below) else None

    @property
    def fall_l(self) -> float:
        """How far the index fell, litres; negative where it rose; after use that ran back, from its top."""
        if self.ran_back and self.now_l > self.before_l:
            return self.now_l - self.next_l
        return self.before_l - min(doubt.index for doubt in self.doubts)

    @cached_property
    def reordered(self) -> bool:
        """Whether it is one reading from before: an index already seen, or one of about then in a hurry."""
        if self.kind is DoubtKind.OUT_OF_ORDER:
            return True
        if self.kind is not DoubtKind.DECODE_ERROR or len(self.doubts) > 1:
            return False
        if self.place == 0 or np.isnan(self.next_l) or self.now_l >= self.before_l:
            return False
        carry = float(self.gated.index[self.place]) - self.next_l
        older = self.gated.index[max(self.place - OLDER, 0) : self.place] - carry
        apart = (self.at - self.gated.at[self.place - 1], self.gated.at[self.place] - self.at)
        hurried = min(apart) < self._cadence / 2 and older[0] <= self.now_l
        return bool(hurried or np.any(older == self.now_l))

    @cached_property
    def ran_back(self) -> bool:
        """Whether water explains what the gate called off the line.

        Several low readings that rise as use does; or a rise like any other, undone in part.
        """
        if not self.returned or self.kind is not DoubtKind.DECODE_ERROR or self.reordered:
            return False
        values = [doubt.index for doubt in self.doubts]
        if values[0] > self.before_l:
            rise = values[0] - self.before_l
            return len(values) == 1 and rise <= self._usual_rise and self.next_l > self.before_l
        low = all(self.before_l - self._most_back <= value < self.before_l for value in values)
        return len(values) > 1 and low and values == sorted(values)

    @property
    def evidence(self) -> Evidence:
        """The numbers of it."""
        return {
            "before_l": round(self.before_l, 1),
            "readings_l": [round(doubt.index, 1) for doubt in self.doubts[:6]],
            "after_l": None if np.isnan(self.next_l) else round(self.next_l, 1),
            "fall_l": round(self.fall_l, 1),
            "readings": len(self.doubts),
        }

    @cached_property
    def _cadence(self) -> float:
        return float(np.median(np.diff(self.gated.at[: self.place + 1]))) if self.place else 0.0

    @cached_property
    def _usual_rise(self) -> float:
        """The largest rise that is nothing out of the ordinary, of those before the episode."""
        rises = np.diff(self.gated.index[: self.place])[~self.gated.broken[1 : self.place]]
        rises = rises[rises > 0]
        return float(np.quantile(rises, USUAL)) if len(rises) >= FEWEST_RISES else 0.0

    @property
    def _most_back(self) -> float:
        """What can run back before anybody calls it another meter's index."""
        return max(self._usual_rise, 10 * MICRO_L)


def episodes(gated: Gated) -> Iterator[Episode]:
    """Put doubts between the same two readings of the line together, by time."""
    raw = _as_read(gated)
    telling = [doubt for doubt in gated.doubts if doubt.kind in _TELLING]
    for (place, _), group in groupby(telling, lambda one: (int(np.searchsorted(gated.at, one.at)), one.kind)):
        yield Episode(gated, tuple(group), place, float(raw[place]) if place < len(raw) else float("nan"))


def _as_read(gated: Gated) -> Floats:
    """Take off what the gate carried over roll-overs."""
    carry = np.zeros(len(gated))
    for doubt in gated.doubts:
        if doubt.kind is DoubtKind.ROLL_OVER:
            place = int(np.searchsorted(gated.at, doubt.at))
            carry[place:] = gated.index[place] - doubt.index
    return gated.index - carry
