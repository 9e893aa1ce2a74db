"""Has the level of a district risen, and since when? A test of steps and ramps against learnt noise.

The noise of the daily levels is taken for the sum of two: some that is new every day (variance ``new``), and
a drift that fades (variance ``drift``, remembered from day to day by ``memory``). They are learnt from how
much levels differ over one day to four weeks. For each shape a leak may have, the generalised likelihood
ratio of "this shape was added" is the score, in deviations; its gain tells which leak would reach which
score, and so the minimum detectable leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from anomaly.series import Floats

__all__ = ["SHAPES", "Noise", "Rise", "Shape", "flow_of", "noise_of", "rises"]

WINDOW = 56
"""Days a test looks at."""
FEWEST_BEFORE = 8
"""Known days before a rise that it is compared with."""
KNOWN_SHARE = 0.6
"""Share of the days of a rise that must be known."""
NOISE_FROM = 90
"""Days from which noise is learnt."""
FEWEST_PAIRS = 30
LAGS = (1, 2, 3, 5, 7, 10, 14, 21, 28)
FEWEST_LAGS = 4
MEMORIES = (0.6, 0.8, 0.9, 0.95, 0.98, 0.995)
"""Memories of the drift that are tried: it halves in one to 138 days."""
LEAST_SHARE_NEW = 0.1
"""At least this share of the difference from one day to the next is new noise."""
CLIPPED_AT = 2.0
"""A single day further than this from the median of the five around it counts as so far."""
STEPS_A_DECADE = 8
"""The size of the drift is rounded to so many steps of a decade: what is inverted once serves often."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A way a leak begins: at once, or growing evenly over the days up to today."""

    days: int
    ramp: bool = False


SHAPES = (Shape(3), Shape(4), Shape(5), Shape(10, ramp=True), Shape(20, ramp=True))


class Noise(NamedTuple):
    """Noise of the levels of a district.

    Attributes:
        new: variance of what is new every day, (L/s)^2.
        drift: variance of what drifts, (L/s)^2.
        memory: share of the drift that is left the next day.
    """

    new: float
    drift: float
    memory: float


@dataclass(frozen=True, slots=True)
class Rise:
    """What one test says.

    Attributes:
        shape: the shape looked for; its last day is today.
        score: standard deviations above no rise; below zero for a fall.
        gain: score that 1 L/s of this shape adds.
    """

    shape: Shape
    score: float
    gain: float

    @property
    def size(self) -> float:
        """Estimate of the rise today, L/s."""
        return self.score / self.gain


def flow_of(shape: Shape, size: float) -> Floats:
    """Give the flow of each day of a shape that is ``size`` today."""
    grown = np.arange(1, shape.days + 1) / shape.days if shape.ramp else np.ones(shape.days)
    return np.asarray(grown * size, np.float64)


def noise_of(levels: Floats, least: float) -> Noise | None:
    """Learn the noise from the last levels; ``None`` while there are too few.

    Args:
        levels: levels before today, L/s; NaN where not known.
        least: least deviation of the new noise, L/s.
    """
    recent = levels[-NOISE_FROM - LAGS[-1] :]
    found = [(lag, spread) for lag in LAGS if (spread := _difference_variance(recent, lag)) is not None]
    if len(found) < FEWEST_LAGS:
        return None
    lags, variance = (np.array(column, np.float64) for column in zip(*found, strict=True))
    variance = np.maximum(variance, least**2)
    fits = [_fitted(memory, lags, variance) for memory in MEMORIES]
    noise = min(fits, key=lambda fit: fit[0])[1]
    return noise._replace(new=max(noise.new, least**2))


def _fitted(memory: float, lags: Floats, variance: Floats) -> tuple[float, Noise]:
    """Fit both variances to those of the differences, all equally in proportion; the misfit comes first."""
    fading = 2 * (1 - memory**lags)
    columns = np.column_stack([np.full(len(lags), 2.0), fading])
    new, drift = np.linalg.lstsq(columns / variance[:, None], np.ones(len(lags)), rcond=None)[0]
    if drift < 0:
        new, drift = float(np.median(variance)) / 2, 0.0
    if new < LEAST_SHARE_NEW * variance[0]:
        new = LEAST_SHARE_NEW * variance[0]
        drift = max(float(np.mean((variance - 2 * new) / fading)), 0.0)
    misfit = float(np.sum((columns @ [new, drift] / variance - 1) ** 2))
    return misfit, Noise(float(new), float(drift), memory)


def rises(levels: Floats, noise: Noise) -> list[Rise]:
    """Test every shape that ends today; today is the last level and must be known."""
    recent = levels[-WINDOW:]
    known = np.isfinite(recent)
    overnight = noise.new + 2 * noise.drift * (1 - noise.memory)
    clipped = _clipped(recent[known], CLIPPED_AT * np.sqrt(overnight))
    test = _test(known.tobytes(), len(recent), _rounded(noise.drift / noise.new), noise.memory)
    deviation = np.sqrt(noise.new)
    scores = test.weights @ (clipped - np.median(clipped)) / deviation
    return [
        Rise(shape, float(score), float(gain))
        for shape, score, gain in zip(test.shapes, scores, test.gains / deviation, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    shapes: tuple[Shape, ...]
    weights: Floats
    gains: Floats


@lru_cache(maxsize=4096)
def _test(pattern: bytes, days: int, drift: float, memory: float) -> _Test:
    """Weigh the known days of a window for each shape; noise in units of the new noise.

    The unknown level before the rise is projected out.
    """
    known = np.frombuffer(pattern, np.bool_)
    place = np.flatnonzero(known).astype(np.float64)
    apart = np.abs(np.subtract.outer(place, place))
    inverse = np.linalg.inv(drift * memory**apart + np.eye(len(place)))
    row = inverse.sum(axis=1)
    projected = inverse - np.outer(row, row) / row.sum()
    shapes, weights, gains = [], [], []
    for shape in SHAPES:
        before = days - shape.days
        if known[before:].sum() < KNOWN_SHARE * shape.days or known[:before].sum() < FEWEST_BEFORE:
            continue
        added = np.concatenate([np.zeros(before), flow_of(shape, 1.0)])[known]
        seen = projected @ added
        gain = np.sqrt(added @ seen)
        shapes.append(shape)
        weights.append(seen / gain)
        gains.append(gain)
    return _Test(tuple(shapes), np.array(weights).reshape(len(shapes), len(place)), np.array(gains))


def _rounded(drift: float) -> float:
    return float(10 ** (round(np.log10(max(drift, 1e-3)) * STEPS_A_DECADE) / STEPS_A_DECADE))


def _difference_variance(levels: Floats, lag: int) -> float | None:
    """Variance of differences over ``lag`` days, from their median: rises are few and do not count."""
    change = np.abs(levels[lag:] - levels[:-lag])[-NOISE_FROM:]
    change = change[np.isfinite(change)]
    if len(change) < FEWEST_PAIRS:
        return None
    return float((1.4826 * np.median(change)) ** 2)


def _clipped(levels: Floats, width: float) -> Floats:
    """Draw single days that stand out towards the days around them."""
    padded = np.concatenate([[np.nan] * 2, levels, [np.nan] * 2])
    around = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    count = np.isfinite(around).sum(axis=1)
    rows = np.arange(len(levels))
    middle = (around[rows, (count - 1) // 2] + around[rows, count // 2]) / 2
    return np.asarray(np.clip(levels, middle - width, middle + width), np.float64)
