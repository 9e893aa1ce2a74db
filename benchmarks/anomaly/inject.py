"""What is put into real series, on the cumulative index, before anything else sees it.

A *leak*, *toilet* or *burst* must be found. A *fault* of telemetry must be seen through, and a *decoy* is
ordinary life: neither may raise an alarm that the untouched series does not raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from anomaly.series import MeterFacts, Series
from benchmarks.anomaly.households import DAY

GRID = 300
"""Seconds between the points a flow is drawn on."""

Change = Callable[[Series, int, int, np.random.Generator, Series], Series]
"""``(series, start, end, rng, another meter) -> series``; all in order of arrival."""


@dataclass(frozen=True)
class Scenario:
    """One thing that happens to a meter.

    Attributes:
        name: as the report calls it.
        group: ``leak``, ``toilet``, ``burst``, ``fault`` or ``decoy``.
        days: how long it lasts.
        change: what it does.
    """

    name: str
    group: str
    days: float
    change: Change

    @property
    def must_be_found(self) -> bool:
        """Whether silence is wrong; else an alarm is."""
        return self.group in {"leak", "toilet", "burst"}


def scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    leaks = [Scenario(f"leak {q} L/h", "leak", 14, flow(steady(q))) for q in (1, 2, 5, 10, 25, 50, 100)]
    ramp = Scenario("leak 0 to 25 L/h over 14 d", "leak", 14, flow(rising(25)))
    toilets = [
        Scenario(f"toilet {q} L/h, {duty:.0%} of the time", "toilet", 14, flow(toilet(q, duty)))
        for q in (10, 30, 100)
        for duty in (0.2, 0.5, 0.8)
    ]
    bursts = [
        Scenario(f"burst {q} L/h for {hours} h", "burst", hours / 24, flow(steady(q)))
        for q in (150, 400, 1000)
        for hours in (2, 6, 12)
    ]
    return (*leaks, ramp, *toilets, *bursts, *faults(), *decoys())


def faults() -> tuple[Scenario, ...]:
    """What telemetry does to good data."""
    table = (
        ("cross-read of another meter", 1, cross_read),
        ("one digit wrong", 1, digit_wrong),
        ("meter exchange", 14, exchange),
        ("roll-over", 14, roll_over),
        ("unit times ten", 14, times_ten),
        ("index frozen, then caught up", 5, frozen),
        ("clock one hour ahead", 3, clock_ahead),
        ("two days arrive late", 2, late),
        ("every reading twice", 14, twice),
    )
    return tuple(Scenario(name, "fault", days, change) for name, days, change in table)


def decoys() -> tuple[Scenario, ...]:
    """What people do."""
    table = (
        ("party: changing use from 18:00 to 3:00", 2, party),
        ("guests: twice the use for a week", 7, guests),
        ("away for two weeks", 14, away),
        ("irrigation: 40 min a day", 30, irrigation),
        ("pool: 2 m3 in 3 h", 3 / 24, flow(steady(667))),
    )
    return tuple(Scenario(name, "decoy", days, change) for name, days, change in table)


Flow = Callable[[int, np.random.Generator], np.ndarray]
"""``(points, rng) -> L/h`` on a grid of 5 minutes."""


def steady(rate: float) -> Flow:
    return lambda points, _: np.full(points, float(rate))


def rising(rate: float) -> Flow:
    return lambda points, _: np.linspace(0, rate, points)


def toilet(rate: float, duty: float) -> Flow:
    """Flow in blocks of exponential length, 3 h on the mean of on and off."""

    def draw(points: int, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(points)
        place, on = 0, True
        while place < points:
            length = max(1, int(rng.exponential(2 * 36 * (duty if on else 1 - duty))))
            out[place : place + length] = rate if on else 0
            place, on = place + length, not on
        return out

    return draw


def flow(draw: Flow) -> Change:
    """Add a flow to the use, from start to end."""

    def change(series: Series, start: int, end: int, rng: np.random.Generator, _: Series) -> Series:
        litres = np.concatenate([[0.0], np.cumsum(draw((end - start) // GRID, rng)) * GRID / 3600])
        times = start + np.arange(len(litres)) * GRID
        return replace(series, index=np.floor(series.index + np.interp(series.at, times, litres)))

    return change


def _within(series: Series, start: int, end: int) -> np.ndarray:
    return np.flatnonzero((series.at >= start) & (series.at < end))


def cross_read(series: Series, start: int, end: int, rng: np.random.Generator, other: Series) -> Series:
    """Up to four readings, every second one, show another meter's index."""
    index = series.index.copy()
    where = _within(series, start, end)[::2][: rng.integers(1, 5)]
    near = np.clip(np.searchsorted(other.at, series.at[where]), 0, len(other) - 1)
    index[where] = other.index[near]
    return replace(series, index=index)


def digit_wrong(series: Series, start: int, end: int, rng: np.random.Generator, _: Series) -> Series:
    index = series.index.copy()
    where = _within(series, start, end)[:1]
    index[where] += 10.0 ** rng.integers(4, 7)
    return replace(series, index=index)


def exchange(series: Series, start: int, _end: int, _rng: np.random.Generator, _other: Series) -> Series:
    index = series.index.copy()
    after = series.at >= start
    if after.any():
        index[after] -= index[after][0] - 3
    return replace(series, index=index)


def roll_over(series: Series, start: int, _end: int, _rng: np.random.Generator, _other: Series) -> Series:
    """Seven digits: shifted so that the register passes all nines at the start."""
    after = np.flatnonzero(series.at >= start)
    if not len(after):
        return series
    shifted = series.index - series.index[after[0]] + 10_000_000
    return replace(series, facts=MeterFacts(series.facts.meter, digits=7), index=shifted % 10_000_000)


def times_ten(series: Series, start: int, _end: int, _rng: np.random.Generator, _other: Series) -> Series:
    return replace(series, index=np.where(series.at >= start, series.index * 10, series.index))


def frozen(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    index = series.index.copy()
    where = _within(series, start, end)
    index[where] = index[where[0]] if len(where) else index[where]
    return replace(series, index=index)


def clock_ahead(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    at = series.at.copy()
    at[_within(series, start, end)] += 3600
    return replace(series, at=at)


def late(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    """What was measured from start to end arrives two days after the end, in one batch."""
    inside = (series.at >= start) & (series.at < end)
    after = series.at >= end + 2 * DAY
    order = np.argsort(np.where(inside, 1, np.where(after, 2, 0)), kind="stable")
    return Series.arrived(series.facts, series.at[order], series.index[order])


def twice(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    copies = np.where((series.at >= start) & (series.at < end), 2, 1)
    return Series.arrived(series.facts, np.repeat(series.at, copies), np.repeat(series.index, copies))


def party(series: Series, start: int, end: int, rng: np.random.Generator, other: Series) -> Series:
    """Another amount every hour from the first six o'clock in the evening on."""

    def draw(points: int, generator: np.random.Generator) -> np.ndarray:
        return np.repeat(generator.uniform(20, 150, points // 12 + 1), 12)[:points]

    evening = start - start % DAY + DAY + 17 * 3600
    return flow(draw)(series, evening, min(evening + 9 * 3600, end + DAY), rng, other)


def guests(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    """Every rise of the index counts twice."""
    rises = np.diff(series.index, prepend=series.index[:1])
    inside = (series.at >= start) & (series.at < end) & (rises > 0)
    return replace(series, index=series.index + np.cumsum(np.where(inside, rises, 0)))


def away(series: Series, start: int, end: int, _rng: np.random.Generator, _other: Series) -> Series:
    """No rise of the index counts."""
    rises = np.diff(series.index, prepend=series.index[:1])
    inside = (series.at >= start) & (series.at < end)
    return replace(series, index=series.index - np.cumsum(np.where(inside, rises, 0)))


def irrigation(series: Series, start: int, end: int, rng: np.random.Generator, other: Series) -> Series:
    """40 minutes of 450 L/h at the same time every day."""

    def draw(points: int, _: np.random.Generator) -> np.ndarray:
        return np.where(np.arange(points) * GRID % DAY < 2400, 450.0, 0.0)

    return flow(draw)(series, start - start % DAY + 4 * 3600, end, rng, other)
