"""A fleet of a million meters: one hourly tick of the bank, its state, and a month scanned again."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from anomaly.bank import BankState, Tick, bins_of, step
from anomaly.hours import KNOWN
from anomaly.leak import LeakDetector
from anomaly.scan import scan
from anomaly.series import MeterFacts, Series
from benchmarks.anomaly.households import ZONE

MILLION = 1_000_000
MONTH_H = 720


@dataclass(frozen=True)
class FleetFigures:
    """Seconds of one tick of a million meters, bytes a meter, and seconds of a month of some meters."""

    tick_s: float
    bytes_per_meter: float
    month_s: float
    month_meters: int


def measure(month_meters: int = 2000) -> FleetFigures:
    """Measure on made-up use: numbers of the size a household has, at every hour of the day."""
    rng = np.random.default_rng(1)
    state = BankState.fresh(MILLION)
    seconds = []
    for hour in range(4):
        flow = np.where(rng.random(MILLION) < 0.45, rng.gamma(1.2, 22, MILLION), 0).astype(np.float32)
        full = np.ones(MILLION, np.uint8)
        begun = time.perf_counter()
        tick = Tick(full.astype(np.int8) * hour, bins_of(flow), full.astype(np.int8) * KNOWN, full)
        step(state, tick)
        seconds.append(time.perf_counter() - begun)
    return FleetFigures(min(seconds), state.bytes_per_meter, _month(rng, month_meters), month_meters)


def _month(rng: np.random.Generator, meters: int) -> float:
    at = 1_704_067_200 + np.arange(MONTH_H + 1) * 3600
    awake = np.tile(np.array([0.1] * 6 + [0.55] * 17 + [0.2]), MONTH_H // 24)
    fleet = []
    for number in range(meters):
        use = np.where(rng.random(MONTH_H) < awake, np.ceil(rng.gamma(1.2, 22, MONTH_H)), 0)
        index = 10_000 + np.concatenate([[0], np.cumsum(use)])
        fleet.append(Series.arrived(MeterFacts(f"M{number}"), at, index))
    begun = time.perf_counter()
    scan(fleet, ZONE, detectors=(LeakDetector(),))
    return time.perf_counter() - begun
