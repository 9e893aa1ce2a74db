"""Figures with intervals: resampled by household, because households differ by orders of magnitude."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.series import Series
from benchmarks.anomaly.households import meter_days
from benchmarks.anomaly.trial import Alarm, Outcome

RESAMPLES = 1000
SEED = 20_260_401


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """Print it; an infinite figure is a dash."""
        shown = ["-" if not np.isfinite(x) else f"{x:.{digits}f}" for x in (self.value, self.low, self.high)]
        return f"{shown[0]} ({shown[1]} to {shown[2]})"


def clustered(groups: Sequence[Sequence[float]], figure: Callable[[np.ndarray], float]) -> Estimate:
    """Estimate a figure of pooled numbers, resampling whole groups."""
    arrays = [np.asarray(group, float) for group in groups if len(group)]
    if not arrays:
        return Estimate(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(SEED)
    draws = [
        figure(np.concatenate([arrays[k] for k in rng.integers(0, len(arrays), len(arrays))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(np.nan_to_num(draws, posinf=1e9), [2.5, 97.5])
    return Estimate(figure(np.concatenate(arrays)), _finite(low), _finite(high))


def _finite(number: float) -> float:
    return np.inf if number > 1e8 else float(number)


def alarm_rate(fleet: Sequence[Series], alarms: dict[str, list[Alarm]]) -> Estimate:
    """Alarms per 1000 meter-days."""
    rows = np.array([[len(alarms[one.facts.meter]), meter_days(one)] for one in fleet])
    rng = np.random.default_rng(SEED)
    draws = [rows[rng.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(RESAMPLES)]
    low, high = np.percentile([count / days * 1000 for count, days in draws], [2.5, 97.5])
    return Estimate(float(rows[:, 0].sum() / rows[:, 1].sum() * 1000), float(low), float(high))


@dataclass(frozen=True)
class Found:
    """How one scenario was found.

    Attributes:
        recall: share told in time.
        median_h, p90_h: delay; missed = never.
        masked: share begun under an open alarm.
        number: how many were planted.
    """

    recall: Estimate
    median_h: Estimate
    p90_h: float
    masked: float
    number: int


def found(outcomes: Sequence[Outcome]) -> Found:
    """Sum up one scenario."""
    by_household: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        by_household[outcome.planted.household].append(outcome.delay_h)
    groups = list(by_household.values())
    delays = np.concatenate(groups)
    return Found(
        clustered(groups, lambda d: float(np.isfinite(d).mean())),
        clustered(groups, lambda d: float(np.percentile(d, 50, method="higher"))),
        float(np.percentile(delays, 90, method="higher")),
        float(np.mean([outcome.masked for outcome in outcomes])),
        len(outcomes),
    )
