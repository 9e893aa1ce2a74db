"""How long a flow must run before it is told: longer where runs of the same flow used to end by themselves.

A worn valve runs for a day, every few weeks, and then closes. The bank sees each run as it sees a leak, for
it is one; what tells them apart is only that the earlier ones ended. So a run is told when it has lasted
longer than this household's own did. Runs of more than four days are not habits: somebody mended them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anomaly.levels import BURST_FROM_LPH, CHANNELS, LEVEL_LPH, STEADY
from anomaly.local_time import DAY, HOUR

__all__ = ["Habits"]

AROUND = 1
"""Levels to either side at which a run counts as the same habit."""
REMEMBERED = 365 * DAY
TIMES_THE_LONGEST = 1.5
LONGEST = 96 * HOUR
SMALL_LPH = 4.5
"""A flow below this is a drip: nothing is lost by waiting ..."""
SMALL_FOR = 60 * HOUR
"""... this long."""
AT_5_LPH = 16 * HOUR
"""No steady flow is told sooner: one quiet night is evidence, but not of a leak. At 5 L/h so long, ..."""
SOONER = 0.45
"""... and larger ones sooner by this power: 8 h at 25 L/h, 4 h at 100 L/h, 2 h at 400 L/h."""
STIFFER = 1.0
"""How much more evidence is asked for after a told finding ended by itself: twice as much, ..."""
STIFF_FOR = 180 * DAY
"""... fading to a third of that in this time, ..."""
STIFF_AROUND = 4
"""... at levels this near."""
COLD = 1.0
"""How much more evidence is asked of a meter nothing is known of, ..."""
COLD_TICKS = 30 * 24
"""... fading evenly in as many hours."""
MOST = 2.0
"""Times the evidence that can be asked for: scores stop a little above."""

_LEVEL = np.array(CHANNELS)


@dataclass(frozen=True, slots=True)
class _Run:
    """A suspicion that ended by itself: its level, how long it ran, when it was over; UTC seconds."""

    level: int
    steady: bool
    seconds: int
    ended: int


@dataclass(slots=True)
class Habits:
    """What ended by itself at one meter.

    Attributes:
        patience: how much more evidence the meter's class needs.
        strictness: multiplies all evidence asked for.
        step_l: the register's step, litres.
    """

    patience: float
    strictness: float
    step_l: float
    _runs: list[_Run] = field(default_factory=list)

    def ended(self, channel: int, seconds: int, at: int) -> None:
        """Remember a suspicion that ran so long and is over."""
        level = int(_LEVEL[channel])
        if 0 < seconds <= LONGEST and not self._is_burst(level):
            self._runs.append(_Run(level, channel < STEADY, seconds, at))

    def more(self, at: int, ticks: int, told: Iterable[tuple[int, int]]) -> NDArray[np.float32]:
        """Give by what to divide the scores of all channels.

        Args:
            at: UTC seconds.
            ticks: of this meter so far.
            told: level and end of told findings that ended by themselves.
        """
        cold = 1 + COLD * max(0.0, 1 - ticks / COLD_TICKS)
        more = np.full(len(_LEVEL), max(self.patience, cold))
        for level, ended in told:
            faded = 1 + STIFFER * math.exp((ended - at) / STIFF_FOR)
            near = (np.abs(_LEVEL - level) <= STIFF_AROUND) & ~self._bursts()
            more = np.where(near, np.maximum(more, faded), more)
        return np.asarray(np.minimum(more, MOST) * self.strictness, np.float32)

    def asked_s(self, channel: int, at: int, rate_lph: float) -> float:
        """Give how long a flow must have run before it is told, seconds."""
        level, steady = int(_LEVEL[channel]), channel < STEADY
        alike = (
            run.seconds
            for run in self._runs
            if abs(run.level - level) <= AROUND and run.steady == steady and at - run.ended < REMEMBERED
        )
        habit = 0.0 if self._is_burst(level) else TIMES_THE_LONGEST * max(alike, default=0)
        least = self._least_s(rate_lph) * self.patience if steady else 0.0
        return max(habit, least) * self.strictness

    def _least_s(self, rate_lph: float) -> float:
        """Give how long any steady flow of this rate must have run."""
        return SMALL_FOR if rate_lph < SMALL_LPH else AT_5_LPH * (5 / rate_lph) ** SOONER

    def _is_burst(self, level: int) -> bool:
        return bool(LEVEL_LPH[level] * self.step_l >= BURST_FROM_LPH)

    def _bursts(self) -> NDArray[np.bool_]:
        return np.asarray(LEVEL_LPH[_LEVEL] * self.step_l >= BURST_FROM_LPH)
