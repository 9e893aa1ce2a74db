"""One trial: scenarios put into households, detectors run, findings matched with what was put in."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from anomaly.batch import Batch
from anomaly.detector import DETECTORS, Detector
from anomaly.hours import KNOWN, Ticks
from anomaly.scan import scan
from anomaly.series import Series
from benchmarks.anomaly.baselines import RULES
from benchmarks.anomaly.households import DAY, ZONE
from benchmarks.anomaly.inject import Scenario
from metering.finding import Finding, Tier

WARM_UP_DAYS = 45
HISTORY_DAYS = 150
GRACE = DAY
"""An alarm up to a day after the end still counts."""
NATIVE_RUN_H = 24
WATCHED = ("leak", "burst")


@dataclass(frozen=True)
class Planted:
    """A scenario in one household: the series as it arrives, and the truth."""

    scenario: Scenario
    household: str
    series: Series
    start: int
    end: int


@dataclass(frozen=True)
class Outcome:
    """What one detector made of one planted scenario.

    Attributes:
        delay_h: hours from start to the first alarm; ``inf`` = none.
        masked: an alarm was open when it began.
    """

    planted: Planted
    delay_h: float
    masked: bool


@dataclass(frozen=True)
class Alarm:
    """When something was told, and until when it was open."""

    raised: int
    cleared: float
    name: str = ""
    onset: int = 0


def plant(households: Sequence[Series], scenarios: Iterable[Scenario], seeds: Iterable[int]) -> list[Planted]:
    """Put every scenario into every household once a seed, where 14 days of its own life leave room."""
    ticks = Batch.of(households, ZONE).ticks
    busy = [native_runs(one) for one in ticks]
    planted = []
    for scenario in scenarios:
        for seed in seeds:
            for place, series in enumerate(households):
                key = zlib.crc32(f"{scenario.name}/{series.facts.meter}/{seed}".encode())
                rng = np.random.default_rng(key)
                start = _window(series, ticks[place], busy[place], scenario, rng)
                if start is not None:
                    end = start + int(scenario.days * DAY)
                    cut = _cut(series, start, end)
                    changed = scenario.change(cut, start, end, rng, households[(place + 7) % len(households)])
                    named = replace(changed.facts, meter=f"{series.facts.meter}#{len(planted)}")
                    changed = replace(changed, facts=named)
                    planted.append(Planted(scenario, series.facts.meter, changed, start, end))
    return planted


def native_runs(ticks: Ticks) -> np.ndarray:
    """Begin and end of every run of 24 known hours and more with use: the household's own leaks, maybe."""
    known = ticks.kind == KNOWN
    at, used = ticks.known_at[known], ticks.flow[known] >= 1
    edges = np.flatnonzero(np.diff(np.concatenate([[0], used.astype(int), [0]])))
    runs = edges.reshape(-1, 2)
    runs = runs[runs[:, 1] - runs[:, 0] >= NATIVE_RUN_H]
    return np.stack([at[runs[:, 0]], at[runs[:, 1] - 1]], axis=1) if len(runs) else np.zeros((0, 2))


def _window(
    series: Series, ticks: Ticks, busy: np.ndarray, scenario: Scenario, rng: np.random.Generator
) -> int | None:
    length = int(scenario.days * DAY)
    first, last = series.at.min() + WARM_UP_DAYS * DAY, series.at.max() - length - 2 * DAY
    if last <= first:
        return None
    for _ in range(40):
        start = int(rng.uniform(first, last))
        free = not ((busy[:, 0] < start + length) & (busy[:, 1] > start)).any()
        inside = (ticks.known_at >= start) & (ticks.known_at < start + length)
        heard = (ticks.kind[inside] == KNOWN).sum() * 3600 >= 0.5 * length
        if free and heard:
            return start
    return None


def _cut(series: Series, start: int, end: int) -> Series:
    """Keep some history: enough to have learned, not all of it every time."""
    near = (series.at >= start - HISTORY_DAYS * DAY) & (series.at < end + 3 * DAY)
    return Series.arrived(series.facts, series.at[near], series.index[near])


def ours(
    fleet: Sequence[Series], detectors: Sequence[Detector] = DETECTORS, tier: Tier = Tier.NOTIFY
) -> dict[str, list[Alarm]]:
    """Alarms of our detectors, by meter."""
    alarms: dict[str, list[Alarm]] = {series.facts.meter: [] for series in fleet}
    for finding in scan(fleet, ZONE, detectors=detectors).findings:
        stage = finding.at_tier(tier)
        if stage and finding.family in WATCHED:
            alarms[finding.subject].append(_alarm(finding, tier))
    return alarms


def _alarm(finding: Finding, tier: Tier) -> Alarm:
    stage = finding.at_tier(tier)
    assert stage is not None
    cleared = finding.cleared_at.timestamp() if finding.cleared_at else np.inf
    return Alarm(int(stage.raised_at.timestamp()), cleared, stage.name, int(stage.onset.timestamp()))


def rules(fleet: Sequence[Series]) -> dict[str, dict[str, list[Alarm]]]:
    """Alarms of the baselines, by rule and meter; they are over at once."""
    out: dict[str, dict[str, list[Alarm]]] = {rule.name: {} for rule in RULES}
    for series, ticks in zip(fleet, Batch.of(fleet, ZONE).ticks, strict=True):
        for rule in RULES:
            raised = rule.alarms(ticks)
            out[rule.name][series.facts.meter] = [Alarm(int(at), float(at)) for at in raised]
    return out


def judge(planted: Sequence[Planted], alarms: dict[str, list[Alarm]]) -> list[Outcome]:
    """Match alarms with what was planted."""
    outcomes = []
    for one in planted:
        told = alarms[one.series.facts.meter]
        hits = [alarm.raised for alarm in told if one.start <= alarm.raised <= one.end + GRACE]
        delay = (min(hits) - one.start) / 3600 if hits else np.inf
        masked = any(alarm.raised < one.start < alarm.cleared for alarm in told)
        outcomes.append(Outcome(one, delay, masked))
    return outcomes


def by_name(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Group by scenario, in the order planted."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.planted.scenario.name, []).append(outcome)
    return groups


def once_a_day(series: Series) -> Series:
    """Keep the first reading of each UTC day: what a meter read once a day would have sent."""
    day = series.at // DAY
    first = np.concatenate([[True], day[1:] > day[:-1]])
    return Series.arrived(series.facts, series.at[first], series.index[first])


def by_ten_litres(series: Series) -> Series:
    """Show what a register of 10 L would have."""
    return replace(series, index=np.floor(series.index / 10) * 10)
