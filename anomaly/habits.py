"""What a household did before anybody was told: how much evidence, and how long a run, it takes to tell.

A worn valve runs for a day, every few weeks, and then closes. The bank sees each run as it sees a leak, for
it is one; what tells them apart is only that the earlier ones ended. So a run is told when it has lasted
longer than this household's own did, and on more evidence than ever was for what ended by itself. Runs of
more than six days are not habits: somebody mended them. Where nothing ever rose, less evidence is enough.

No steady flow is told before it has run a while, a small one longer: most steady flows end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anomaly.levels import BURST_FROM_LPH, CHANNELS, LEVEL_LPH, STEADY
from anomaly.local_time import DAY, HOUR
from anomaly.suspicion import Sign, onset_of

__all__ = ["Habits"]

AROUND = 1
"""Levels to either side at which a run counts as the same habit."""
REMEMBERED = 365 * DAY
TIMES_THE_LONGEST = 1.5
LONGEST = 144 * HOUR
SMALL_LPH = 4.5
"""A flow below this is a drip: nothing is lost by waiting ..."""
SMALL_FOR = 66 * HOUR
"""... this long."""
LEAST_LPH = (5.0, 25.0, 100.0, 250.0)
LEAST_HOURS = (20.0, 7.5, 3.5, 2.3)
"""No steady flow is told before it has run so long: at these flows, and between them by power laws."""
RISES_FROM, RISES_TO = 0.5, 0.4
"""A swell begins when a score is this share of its threshold, and ends when none is."""
TELLING = 0.65
"""Runs of swells that came to less are not remembered."""
ABOVE_SWELLS = 1.0
"""Asked for is this many times what the largest swell of the year came to that ended by itself, ..."""
SWELLS_AROUND = 8
"""... at levels this near, ..."""
MOST_FOR_SWELLS = 1.4
"""... and no more than this many times the threshold."""
CLEAN = 0.45
"""How much less evidence is enough where nothing ever rose, ..."""
CLEAN_FROM, CLEAN_OVER = 30.0, 60.0
"""... from this day on, growing evenly over so many days."""
STIFFER = 1.0
"""How much more evidence is asked for after a told finding ended by itself: twice as much, ..."""
STIFF_FOR = 180 * DAY
"""... fading to a third of that in this time."""
COLD = 1.5
"""How much more evidence is asked of a meter nothing is known of, ..."""
COLD_TICKS = 42 * 24
"""... fading evenly in as many hours."""

MOST = 2.0
"""Times the evidence that can be asked for: steady scores stop a little above, what comes and goes below."""

_LEVEL = np.array(CHANNELS)
_IS_STEADY = np.arange(len(CHANNELS)) < STEADY


@dataclass(slots=True)
class _Swell:
    """Scores that rose and fell: level, what they came to, since when, until when hot, over; UTC seconds."""

    level: int
    steady: bool
    peak: float
    onset: int
    hot_at: int
    ended: int = 0

    @property
    def seconds(self) -> int:
        return self.hot_at - self.onset


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
    _swell: _Swell | None = None
    _past: list[_Swell] = field(default_factory=list)

    def look(self, sign: Sign) -> bool:
        """Follow a swell of the scores from its rise to its end; tell whether it goes on."""
        top, channel = float(sign.ratio.max()), int(sign.ratio.argmax())
        if self._swell is None:
            if top < RISES_FROM:
                return False
            self._swell = _Swell(0, False, 0.0, sign.at, sign.at)
        swell = self._swell
        if top > swell.peak:
            swell.level, swell.steady, swell.peak = int(_LEVEL[channel]), channel < STEADY, top
            swell.onset = min(swell.onset, onset_of(sign, channel))
        if top >= RISES_FROM:
            swell.hot_at = sign.at
        elif top < RISES_TO:
            self._end(swell, sign.at)
        return self._swell is not None

    def _end(self, swell: _Swell, at: int) -> None:
        self._swell = None
        if swell.seconds <= LONGEST:
            swell.ended = at
            self._past = [*self._recent(at), swell]

    def more(self, at: int, ticks: int, told: Sequence[int]) -> NDArray[np.float32]:
        """Give by what to divide the scores of all channels.

        Args:
            at: UTC seconds.
            ticks: of this meter so far.
            told: when told findings ended by themselves, UTC seconds.
        """
        bursts = self._bursts()
        more = self._at_first(ticks, _IS_STEADY & ~bursts)
        for swell in self._recent(at):
            near = (np.abs(_LEVEL - swell.level) <= SWELLS_AROUND) & (bursts == self._is_burst(swell.level))
            asked = min(ABOVE_SWELLS * swell.peak, MOST_FOR_SWELLS)
            more = np.where(near, np.maximum(more, asked), more)
        faded = 1 + STIFFER * math.exp((max(told) - at) / STIFF_FOR) if told else 0.0
        more = np.where(bursts, more, np.maximum(more, faded))
        return np.asarray(np.minimum(more, MOST) * self.strictness, np.float32)

    def asked_s(self, channel: int, at: int, rate_lph: float) -> float:
        """Give how long a flow must have run before it is told, seconds."""
        level, steady = int(_LEVEL[channel]), channel < STEADY
        alike = (
            swell.seconds
            for swell in self._recent(at)
            if abs(swell.level - level) <= AROUND and swell.steady == steady and swell.peak >= TELLING
        )
        habit = 0.0 if self._is_burst(level) else TIMES_THE_LONGEST * max(alike, default=0)
        least = self._least_s(rate_lph) * self.patience if steady else 0.0
        return max(habit, least) * self.strictness

    def _at_first(self, ticks: int, eased: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Give what is asked of a meter at its age if nothing ever rose."""
        cold = max(self.patience, 1 + COLD * max(0.0, 1 - ticks / COLD_TICKS))
        clean = min(max((ticks / 24 - CLEAN_FROM) / CLEAN_OVER, 0.0), 1.0)
        return np.where(eased, cold * (1 - CLEAN * clean), cold)

    def _recent(self, at: int) -> Iterable[_Swell]:
        return (swell for swell in self._past if at - swell.ended < REMEMBERED)

    def _least_s(self, rate_lph: float) -> float:
        """Give how long any steady flow of this rate must have run."""
        if rate_lph < SMALL_LPH:
            return SMALL_FOR
        hours = np.interp(np.log(rate_lph), np.log(LEAST_LPH), np.log(LEAST_HOURS))
        return float(np.exp(hours)) * HOUR

    def _is_burst(self, level: int) -> bool:
        return bool(LEVEL_LPH[level] * self.step_l >= BURST_FROM_LPH)

    def _bursts(self) -> NDArray[np.bool_]:
        return np.asarray(LEVEL_LPH[_LEVEL] * self.step_l >= BURST_FROM_LPH)
