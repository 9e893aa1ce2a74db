"""How much more a district takes in than expected, as one number a day.

Each block is compared with the median of the same block on days of the same kind. The eight differences are
weighed into the one estimate of a flow common to all hours that has the least noise (best linear unbiased
estimate under the noise covariance of this district): a leak runs day and night, people do not. In districts
with lively nights the daytime tells more, in others the night does.
"""

from __future__ import annotations

import numpy as np

from anomaly.district import BLOCKS, DistrictDays
from anomaly.series import Floats

__all__ = ["DistrictLevel"]

USUAL_FROM = 56
"""Days of which the expected flow is the median, and the usual inflow the mean."""
FEWEST_ALIKE = 3
COVARIANCE_FROM = 180
"""Days from whose changes the noise is learnt."""
FEWEST_BLOCKS = 4
SHRUNK = 0.3
"""Share by which correlations are drawn towards none."""
CLIPPED_AT = 2.5
"""Changes beyond this many deviations count as so many: a burst is not noise."""
RENEWED_EVERY = 3
"""Days after which weights are learnt anew."""
LEARNT_FROM = 28
"""Days before the first level."""
QUIET_LPS = 1e-3
"""Noise of a block is at least this, L/s: registers have steps."""


class DistrictLevel:
    """Levels of one district, day by day in order.

    A rise that was told is taken off all days since it began, so that it is neither learnt as the usual flow
    nor told again; what is told anew stands on top of it.
    """

    def __init__(self, days: DistrictDays) -> None:
        self._days = days
        self._blocks = np.full_like(days.blocks, np.nan)
        self._excess = np.full_like(days.blocks, np.nan)
        self._covariance: Floats | None = None
        self.taken_off = 0.0
        """What is taken off now, L/s."""
        self.values = np.full(len(days.blocks), np.nan)
        """Level of each day so far, L/s above expected; NaN where not known."""

    def look(self, day: int) -> float:
        """Take in one day and give its level."""
        self._blocks[day] = self._days.blocks[day] - self.taken_off
        alike = self._alike(day)
        if len(alike) < FEWEST_ALIKE:
            return np.nan
        self._excess[day] = self._blocks[day] - _median(alike)
        known = np.isfinite(self._excess[day])
        if day >= LEARNT_FROM and known.sum() >= FEWEST_BLOCKS:
            self.values[day] = self._weights(day, known) @ self._excess[day, known]
        return float(self.values[day])

    def take_off(self, since: int, until: int, flow: Floats) -> None:
        """Take a rise off the days ``since`` to ``until``: so much on each; the last value from then on."""
        self._blocks[since : until + 1] -= flow[:, None]
        self._excess[since : until + 1] -= flow[:, None]
        self.values[since : until + 1] -= flow
        self.taken_off += float(flow[-1])

    def forget(self, since: int, until: int) -> None:
        """Learn nothing from the days ``since`` to before ``until``."""
        self._blocks[since:until] = np.nan
        self._excess[since:until] = np.nan
        self.values[since:until] = np.nan

    def usual_flow(self, day: int) -> float:
        """Mean inflow of the weeks before, L/s; NaN if none is known."""
        recent = self._days.blocks[max(0, day - USUAL_FROM) : day]
        known = np.isfinite(recent)
        return float(recent[known].mean()) if known.any() else np.nan

    def _alike(self, day: int) -> Floats:
        since = max(0, day - USUAL_FROM)
        alike = self._days.kinds[since:day] == self._days.kinds[day]
        return np.asarray(self._blocks[since:day][alike], np.float64)

    def _weights(self, day: int, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
        if self._covariance is None or day % RENEWED_EVERY == 0:
            self._covariance = _noise(self._excess[max(0, day - COVARIANCE_FROM) : day])
        weights = np.linalg.solve(self._covariance[np.ix_(known, known)], np.ones(int(known.sum())))
        positive = np.maximum(weights, 0)
        if not positive.any():
            positive = np.ones_like(weights)
        return np.asarray(positive / positive.sum(), np.float64)


def _noise(excess: Floats) -> Floats:
    """Estimate the covariance of the blocks from day to day: steps and trends do not count as noise."""
    change = np.diff(excess, axis=0) / np.sqrt(2)
    spread = np.maximum(1.4826 * np.nan_to_num(_median(np.abs(change)), nan=1e3), QUIET_LPS)
    score = np.nan_to_num(np.clip(change / spread, -CLIPPED_AT, CLIPPED_AT))
    pairs = np.isfinite(change).astype(np.float64)
    product = score.T @ score / np.maximum(pairs.T @ pairs, 1)
    scale = np.sqrt(np.maximum(np.diag(product), 1e-9))
    correlation = (1 - SHRUNK) * product / np.outer(scale, scale) + SHRUNK * np.eye(BLOCKS)
    return np.asarray(correlation * np.outer(spread, spread), np.float64)


def _median(rows: Floats) -> Floats:
    """Give the median of each column's known values; NaN where there is none. Faster than nanmedian."""
    order = np.sort(rows, axis=0)
    known = np.isfinite(rows).sum(axis=0)
    columns = np.arange(rows.shape[1])
    low, high = np.maximum(known - 1, 0) // 2, np.maximum(known, 1) // 2
    middle = (order[low, columns] + order[np.minimum(high, len(rows) - 1), columns]) / 2
    return np.asarray(np.where(known > 0, middle, np.nan), np.float64)
