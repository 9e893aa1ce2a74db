"""Homes and what can make their index fall: each cause spoils a series and says what it must be called."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from anomaly.batch import Batch
from anomaly.falling import FallingDetector
from anomaly.series import MeterFacts, Series
from metering.finding import Finding

ZONE = ZoneInfo("Europe/Warsaw")
START = 1_704_067_200
HOUR, DAY = 3600, 86_400
AWAKE = np.array([0.1] * 6 + [0.5, 0.7, 0.6] + [0.45] * 8 + [0.6, 0.7, 0.75, 0.7, 0.6, 0.4, 0.2])


def home(seed: int, days: int = 70) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Hourly readings of a lived-in home, and the generator to spoil them with."""
    rng = np.random.default_rng(seed)
    awake = rng.random(days * 24) < np.tile(AWAKE, days)
    litres = np.where(awake, np.ceil(rng.gamma(1.2, 22, days * 24)), 0.0)
    index = rng.integers(60_000, 900_000) + np.concatenate([[0.0], np.cumsum(litres)])
    return START + np.arange(len(index)) * HOUR + rng.integers(0, 60, len(index)), index, rng


def found(at, index, circumstances=None, others=(), **facts) -> list[Finding]:
    detector = FallingDetector({"M": circumstances} if circumstances else {})
    fleet = [Series.arrived(MeterFacts("M", **facts), at, index), *others]
    return [one for one in detector.inspect(Batch.of(fleet, ZONE)) if one.subject == "M"]


def names(findings) -> list[str]:
    return [finding.name for finding in findings]


# --- what is done to a series, and what it must be called ------------------------------------------


def cross_read(at, index, k, rng):
    count, index = rng.integers(1, 4), index.copy()
    index[k : k + count] = (
        index[k] + rng.choice([-1, 1]) * rng.integers(20_000, 50_000) + 7 * np.arange(count)
    )
    return at, index


def cross_read_between(at, index, k, rng):
    count = rng.integers(1, 5)
    other = index[k] + rng.integers(20_000, 500_000) + 9 * np.arange(count)
    times, values = np.append(at, at[k : k + count] + 700), np.append(index, other)
    order = np.argsort(times, kind="stable")
    return times[order], values[order]


def wrong_digit(at, index, k, rng):
    place = 10 ** rng.integers(3, 6)
    index = index.copy()
    index[k] += rng.choice([-4, -3, -2, -1, 1, 2, 3, 4]) * place if index[k] > 5 * place else place
    return at, index


def wrong_bit(at, index, k, rng):
    index = index.copy()
    index[k] = float(int(index[k]) ^ (1 << rng.integers(8, 21)))
    return at, index


def replayed(at, index, k, rng):
    while index[k] - index[k - 2] < 11:
        k += 1
    return np.insert(at, k + 1, at[k] + rng.integers(60, 1_500)), np.insert(index, k + 1, index[k - 2])


def rolled_over(at, index, k, rng):
    full = 10.0 ** rng.integers(6, 9)
    return at, (index - index[k] + full - 3) % full


def other_unit(at, index, k, rng):
    index, factor = index.copy(), 10.0 ** rng.choice([-3, -1, 1, 3])
    index[k:] = np.floor(index[k:] * factor)
    return at, index


def replaced(at, index, k, rng):
    index = index.copy()
    index[k:] += rng.integers(0, 4_000) - index[k]
    return at, index


def fallen(at, index, hours, litres):
    index = index.copy()
    for hour, back in zip(hours, litres, strict=True):
        index[hour:] -= back + index[hour] - index[hour - 1]
    return at, index


def trembling(at, index, k, rng):
    hours = k + np.sort(rng.choice(24 * 24, rng.integers(6, 26), replace=False))
    return fallen(at, index, hours, rng.integers(1, 9, len(hours)))


def running_back(at, index, k, rng):
    hours = k + 4 * np.sort(rng.choice(6 * 24, rng.integers(3, 9), replace=False))
    return fallen(at, index, hours, rng.integers(20, 300, len(hours)))


def wrong_way_round(at, index, k, rng):
    steps = np.diff(index)
    steps[k : k + 24 * rng.integers(4, 12)] *= -1
    return at, index[0] + np.concatenate([[0.0], np.cumsum(steps)])


def turned_back(at, index, k, rng):
    index = index.copy()
    index[k:] -= rng.integers(500, 12_000)
    return at, index


CASES = {
    cross_read: "reading.decode_error",
    cross_read_between: "reading.decode_error",
    wrong_digit: "reading.decode_error",
    wrong_bit: "reading.decode_error",
    replayed: "reading.reordered",
    rolled_over: "register.roll_over",
    other_unit: "register.unit_change",
    replaced: "register.replacement",
    trembling: "backflow.micro",
    running_back: "backflow.large",
    wrong_way_round: "backflow.reversed",
    turned_back: "tampering.suspected",
}


def spoilt(cause, seed):
    at, index, rng = home(seed)
    return cause(at, index, int(rng.integers(30 * 24, 40 * 24)), rng)


def verdict(findings) -> str:
    """The most serious thing said of a meter is what it is called."""
    worst = max(findings, key=lambda one: (one.tier.rank, one.stages[-1].raised_at), default=None)
    return worst.name if worst else "nothing"
