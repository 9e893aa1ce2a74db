"""Following a meter's line from one bad step to the next (:mod:`anomaly.gate` says by which rules)."""

from __future__ import annotations

import math

import numpy as np

from anomaly.doubts import Doubt, DoubtKind
from anomaly.series import Floats, MeterFacts, Series

__all__ = ["MICRO_L", "Walk", "steepest_lph"]

MICRO_L = 10.0
"""A fall of up to this many litres is water swinging back, not a new line."""
FEWEST_FOR_UNITS_L = 1000.0
"""Below this an index ten times the one before is nothing special."""
UNIT_SLACK = 0.01
"""By how much a changed unit may miss a power of ten."""
CONFIRMING = 3
"""Readings that make a line, and that a held reading waits for."""
Q4_PER_Q3 = 1.25
"""Overload flow rate by permanent flow rate (OIML R 49-1, 4.1.3)."""
UNKNOWN_Q4_LPH = 4000.0
"""Steepest believable flow where Q3 is not known: a household meter's Q4 with a margin."""


def steepest_lph(facts: MeterFacts) -> float:
    """Give the steepest believable flow in L/h: Q4 of the meter (OIML R 49-1)."""
    return facts.q3_m3h * Q4_PER_Q3 * 1000 if facts.q3_m3h else UNKNOWN_Q4_LPH


class Walk:
    """Follow the line from one bad step to the next; clean stretches are not visited."""

    def __init__(self, series: Series, doubts: list[Doubt]) -> None:
        self._at = series.at
        self._index = series.index.copy()
        self._doubts = doubts
        self._steepest = steepest_lph(series.facts)
        self._slack = series.facts.resolution_l or 1.0
        self._moduli = _moduli(series.facts)
        self._added: dict[int, float] = {}
        self.known_at = series.known_at.copy()
        self.keep = np.ones(len(series), np.bool_)
        self.broken = np.zeros(len(series), np.bool_)
        self._anchors: dict[int, int] = {}

    def run(self) -> None:
        """Decide every bad step."""
        rise, hours = np.diff(self._index), np.diff(self._at) / 3600
        bad = np.flatnonzero((rise < 0) | (rise > self._steepest * np.maximum(hours, 1) + self._slack)) + 1
        done = 0
        for step in bad:
            k = max(int(step), done)
            while k < len(self._at) and k > 0 and not self._settled(k):
                k = self._decide(self._anchor(k), k)
            done = max(done, k)

    def index(self) -> Floats:
        """Litres, in the first unit, carried on over roll-overs."""
        added = np.zeros(len(self._at))
        for k, modulus in self._added.items():
            added[k] = modulus
        return self._index + np.cumsum(added)

    def _anchor(self, k: int) -> int:
        """Last kept reading before k; the first always stays. What was dropped remembers it."""
        k -= 1
        while not self.keep[k]:
            k = self._anchors[k]
        return k

    def _settled(self, k: int) -> bool:
        return bool(self.broken[k]) or k in self._added or self._fits(self._anchor(k), k)

    def _fits(self, a: int, k: int) -> bool:
        """Whether k can follow a on one line."""
        rise = self._index[k] - self._index[a]
        hours = max((self._at[k] - self._at[a]) / 3600, 1.0)
        return bool(0 <= rise <= self._steepest * hours + self._slack)

    def _decide(self, a: int, k: int) -> int:
        """Decide about k, which does not fit its anchor; give the next reading to look at."""
        fall = float(self._index[a] - self._index[k])
        if fall > 0 and self._rolled_over(a, k):
            return k + 1
        if 0 < fall <= MICRO_L:
            return self._small_fall(a, k)
        if fall > 0 and self._anchor_was_wrong(a, k, fall):
            return k
        return self._large(a, k, fall)

    def _rolled_over(self, a: int, k: int) -> bool:
        before, now = float(self._index[a]), float(self._index[k])
        hours = max((self._at[k] - self._at[a]) / 3600, 1.0)
        for modulus in self._moduli:
            high, low = before > 0.9 * modulus, now < 0.1 * modulus
            if high and before < modulus and low and now + modulus - before <= self._steepest * hours:
                self._added[k] = modulus
                self._note(DoubtKind.ROLL_OVER, k, a, k)
                return True
        return False

    def _small_fall(self, a: int, k: int) -> int:
        """An older reading with a newer time comes soon after and is over at once; else water swung back."""
        soon = self._at[k] - self._at[a] < 1800
        if soon and k + 1 < len(self._at) and self._fits(a, k + 1):
            return self._drop(a, k, k + 1, DoubtKind.OUT_OF_ORDER)
        self.broken[k] = True
        self._note(DoubtKind.MICRO_FALL, k, a, k)
        return k + 1

    def _anchor_was_wrong(self, a: int, k: int, fall: float) -> bool:
        """Whether the believed rise to the anchor is undone by k: then the anchor was the wrong one."""
        if a == 0 or self.broken[a] or a in self._added:
            return False
        before = self._anchor(a)
        rise = float(self._index[a] - self._index[before])
        if not self._fits(before, k) or fall < 0.5 * rise or self._comes_back(a, k):
            return False
        self.keep[a] = False
        self._anchors[a] = before
        self._note(DoubtKind.DECODE_ERROR, a, before, k)
        return True

    def _large(self, a: int, k: int, fall: float) -> int:
        back = self._comes_back(a, k)
        if back:
            return self._drop(a, k, back, DoubtKind.DECODE_ERROR)
        last = k + CONFIRMING - 1
        if last >= len(self._at):
            return self._drop(a, k, k + 1, DoubtKind.HELD)
        factor = self._other_unit(a, k)
        ahead = self._index[k : last + 1] / factor
        if not self._on_one_line(k, ahead):
            return self._drop(a, k, k + 1, DoubtKind.DECODE_ERROR)
        if factor != 1:
            self._index[k:] /= factor
        self.broken[k] = True
        self.known_at[k : last + 1] = np.maximum(self.known_at[k : last + 1], self.known_at[last])
        self._note(DoubtKind.FALL if fall > 0 else DoubtKind.JUMP, k, a, last, factor)
        return k + 1

    def _comes_back(self, a: int, k: int) -> int:
        """First of the next readings that is on the old line again; 0 if none."""
        ahead = range(k + 1, min(k + 1 + CONFIRMING, len(self._at)))
        return next((j for j in ahead if self._fits(a, j)), 0)

    def _drop(self, a: int, k: int, until: int, kind: DoubtKind) -> int:
        for j in range(k, until):
            self.keep[j] = False
            self._anchors[j] = a
            self._note(kind, j, a, min(until, len(self._at) - 1))
        return until

    def _on_one_line(self, k: int, index: Floats) -> bool:
        """Whether these indices, from k on, rise as a meter of this size can."""
        hours = np.maximum(np.diff(self._at[k : k + len(index)]) / 3600, 1.0)
        rises = np.diff(index)
        return bool(((rises >= 0) & (rises <= self._steepest * hours + self._slack)).all())

    def _other_unit(self, a: int, k: int) -> float:
        """Give 10, 100, 1000 or a part of one if k is that many times its anchor, else 1."""
        before, now = float(self._index[a]), float(self._index[k])
        if min(before, now) < FEWEST_FOR_UNITS_L:
            return 1.0
        power = round(math.log10(now / before))
        exact = abs(now / before / 10.0**power - 1) <= UNIT_SLACK
        return 10.0**power if exact and 1 <= abs(power) <= 3 else 1.0

    def _note(self, kind: DoubtKind, k: int, a: int, known: int, factor: float = 1.0) -> None:
        self._doubts.append(
            Doubt(
                kind,
                int(self._at[k]),
                int(max(self.known_at[k], self.known_at[known])),
                float(self._index[k] * factor),
                float(self._index[a]),
            )
        )


def _moduli(facts: MeterFacts) -> tuple[float, ...]:
    """Give the litres at which the register may start again: told by its digits, else any decade in use."""
    if facts.digits:
        return (10.0**facts.digits * (facts.resolution_l or 1.0),)
    return tuple(10.0**n for n in range(5, 11))
