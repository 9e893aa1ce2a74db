"""Leaks from daily volumes, where hours cannot be judged.

Against "as always" stands "as always, and ``24 q`` litres every day on top", for some rates ``q``. As always
is a log-normal day, learned per meter and not while suspicious. A day below ``24 q`` speaks strongly against
a leak of ``q``: that is all a day can say about continuous flow, and the sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from anomaly.batch import Batch
from anomaly.days import DayGrid, days_of
from anomaly.levels import PATIENCE
from anomaly.local_time import DAY
from anomaly.series import Flags, Floats, Ints
from anomaly.sufficiency import Reason
from metering.finding import Finding, Stage, Tier

__all__ = ["RATES_LPH", "DailyLeakDetector", "DailyState", "step"]

RATES_LPH: Floats = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 160.0])
STAGES = {Tier.SUSPECT: 15.0, Tier.NOTIFY: 30.0}
"""Nats asked for. Nobody is sent on daily volumes alone."""
MOST_A_DAY, LEAST_A_DAY = 3.0, -5.0
HIGHEST = 45.0
FROZEN_FROM = 6.0
NEW_LIFE_DAYS = 90
"""After so many days a rise is how this household lives now, and is learned: days cannot tell more."""
WARM_UP_DAYS = 21
"""Days learned before anything is said: there is no prior for a day's use."""
MEMORY_DAYS = 60.0
OFFSET_L = 20.0
"""Added before the logarithm, so that a day away is a small number and not minus infinity."""
LEAST_SPREAD = 0.25
CALM_DAYS = 3


@dataclass(slots=True, eq=False)
class DailyState:
    """One row a meter: days learned, mean and variance of the logarithm, and a score for each rate."""

    days: Ints
    mean: Floats
    variance: Floats
    score: Floats
    age: Ints

    @classmethod
    def fresh(cls, meters: int) -> DailyState:
        """Start knowing nothing."""
        rates = (meters, len(RATES_LPH))
        return cls(
            np.zeros(meters, np.int64),
            np.zeros(meters),
            np.zeros(meters),
            np.zeros(rates),
            np.zeros(rates, np.int64),
        )


def step(state: DailyState, litres: Floats, known: Flags) -> None:
    """Move all meters by one day."""
    y = np.log(litres + OFFSET_L)
    judged = known & (state.days >= WARM_UP_DAYS)
    nats = np.where(judged[:, None], _nats(state, litres, y), 0.0)
    state.score = np.clip(state.score + nats, 0, HIGHEST)
    state.age = np.where(state.score > 0, state.age + 1, 0)
    _begin_anew(state, state.age.max(axis=1) >= NEW_LIFE_DAYS)
    _learn(state, y, known & (state.score.max(axis=1) < FROZEN_FROM))


def _nats(state: DailyState, litres: Floats, y: Floats) -> Floats:
    """Log-likelihood ratio of a leak of each rate, ``(meters, rates)``."""
    variance = np.maximum(state.variance, LEAST_SPREAD**2)[:, None]
    use = litres[:, None] - 24 * RATES_LPH
    without = np.log(np.maximum(use, 0) + OFFSET_L)
    as_always = (y - state.mean)[:, None] ** 2 / (2 * variance) + y[:, None]
    nats = as_always - (without - state.mean[:, None]) ** 2 / (2 * variance) - without
    return np.where(use < 0, LEAST_A_DAY, np.clip(nats, LEAST_A_DAY, MOST_A_DAY))


def _begin_anew(state: DailyState, which: Flags) -> None:
    state.days = np.where(which, 0, state.days)
    state.score[which] = 0
    state.age[which] = 0


def _learn(state: DailyState, y: Floats, which: Flags) -> None:
    state.days = state.days + which
    rate = np.where(which, 1 / np.clip(state.days, 1, MEMORY_DAYS), 0.0)
    gap = y - state.mean
    state.mean = state.mean + rate * gap
    state.variance = (1 - rate) * (state.variance + rate * gap**2)


@dataclass(slots=True)
class _Case:
    """A suspicion at one meter; ``rate`` is the place of the largest rate it may be."""

    meter: str
    rate: int
    stages: list[Stage] = field(default_factory=list)
    calm: int = 0

    def finding(self, cleared: int | None) -> Finding:
        """Give it as told so far."""
        return Finding(self.meter, tuple(self.stages), None if cleared is None else _moment(cleared))


@dataclass(frozen=True, slots=True)
class DailyLeakDetector:
    """Detector of ``leak.daily_rise`` at meters whose hours cannot be judged."""

    names: tuple[str, ...] = ("leak.daily_rise",)
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING, Reason.TOO_FEW_DAYS})
    instead_of: frozenset[Reason] = frozenset({Reason.TOO_SPARSE, Reason.REGISTER_TOO_COARSE})

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Judge the meters the hourly detector may not."""
        chosen = [
            place
            for place, lacking in enumerate(batch.lacking)
            if self.instead_of & {told.reason for told in lacking}
        ]
        return _findings(batch.part(chosen)) if chosen else ()


def _findings(batch: Batch) -> Iterator[Finding]:
    court = _Court(batch)
    for n in range(len(court.grid.litres)):
        step(court.state, court.grid.litres[n], court.grid.known[n])
        yield from court.hear(n)
    yield from court.open()


class _Court:
    """Cases of the meters that are suspicious, by place in the batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._cases: dict[int, _Case] = {}
        self.grid = DayGrid.beside([days_of(meter, batch.zone) for meter in batch.meters])
        self.state = DailyState.fresh(len(batch.meters))

    def hear(self, n: int) -> Iterator[Finding]:
        """Look at the suspicious meters after day n; give the findings that closed."""
        hot = np.flatnonzero(self.state.score.max(axis=1) >= STAGES[Tier.SUSPECT])
        for row in sorted({*self._cases, *hot.tolist()}):
            if n < self.grid.length[row]:
                yield from self._look(n, row)

    def open(self) -> Iterator[Finding]:
        """Give the findings that are still open."""
        return (case.finding(None) for case in self._cases.values() if case.stages)

    def _look(self, n: int, row: int) -> Iterator[Finding]:
        score = self.state.score[row]
        case = self._cases.setdefault(row, _Case(self._batch.meters[row].facts.meter, 0))
        if not case.stages:
            case.rate = int(np.flatnonzero(score >= 0.9 * score.max())[-1])
        self._raise(case, n, row)
        case.calm = 0 if score[case.rate] >= FROZEN_FROM else case.calm + 1
        if not case.stages or case.calm >= CALM_DAYS:
            del self._cases[row]
            if case.stages:
                yield case.finding(int(self.grid.known_at[n, row]))

    def _raise(self, case: _Case, n: int, row: int) -> None:
        reached = case.stages[-1].tier.rank if case.stages else -1
        nats = float(self.state.score[row].max())
        patience = PATIENCE[self._batch.meters[row].facts.kind]
        for tier, asked in STAGES.items():
            if tier.rank > reached and nats >= min(asked * patience, HIGHEST):
                case.stages.append(self._stage(tier, case, n, row))

    def _stage(self, tier: Tier, case: _Case, n: int, row: int) -> Stage:
        at, days = int(self.grid.known_at[n, row]), int(self.state.age[row, case.rate])
        rate = self._rise(n, row, days)
        evidence = {
            "days": days,
            "usual_l_a_day": round(self._usual(row), 1),
            "evidence_nats": round(float(self.state.score[row].max()), 1),
            "asked_nats": STAGES[tier],
        }
        return Stage(
            tier,
            "leak.daily_rise",
            _moment(at),
            _moment(at - days * DAY),
            rate_lph=round(rate, 1),
            loss_l=round(rate * 24 * days, 1),
            evidence=evidence,
        )

    def _usual(self, row: int) -> float:
        """Litres of a middling day."""
        return float(np.exp(self.state.mean[row]) - OFFSET_L)

    def _rise(self, n: int, row: int, days: int) -> float:
        """By how much the middle of the days since the onset is above the usual, L/h."""
        since = slice(max(n + 1 - days, 0), n + 1)
        litres = self.grid.litres[since, row][self.grid.known[since, row]]
        return max(float(np.median(litres)) - self._usual(row), 0.0) / 24 if len(litres) else 0.0


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
