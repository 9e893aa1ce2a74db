"""A fleet of a million meters: one hourly tick of the bank, its state, and a month scanned by everything."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from anomaly.bank import Tick, bins_of
from anomaly.fleet_state import FleetState
from anomaly.hours import KNOWN
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
    state = FleetState.fresh([""] * MILLION)
    seconds = []
    for hour in range(4):
        flow = np.where(rng.random(MILLION) < 0.45, rng.gamma(1.2, 22, MILLION), 0).astype(np.float32)
        full, at = np.ones(MILLION, np.uint8), np.full(MILLION, 1_704_067_200 + hour * 3600)
        begun = time.process_time()
        tick = Tick(full.astype(np.int8) * hour, bins_of(flow), full.astype(np.int8) * KNOWN, full)
        state.tick(tick, at)
        seconds.append(time.process_time() - begun)
    return FleetFigures(min(seconds), state.bytes_per_meter, _month(rng, month_meters), month_meters)


def _month(rng: np.random.Generator, meters: int) -> float:
    at = 1_704_067_200 + np.arange(MONTH_H + 1) * 3600
    awake = np.tile(np.array([0.1] * 6 + [0.55] * 17 + [0.2]), MONTH_H // 24)
    fleet = []
    for number in range(meters):
        use = np.where(rng.random(MONTH_H) < awake, np.ceil(rng.gamma(1.2, 22, MONTH_H)), 0)
        index = 10_000 + np.concatenate([[0], np.cumsum(use)])
        fleet.append(Series.arrived(MeterFacts(f"M{number}"), at, index))
    begun = time.process_time()
    scan(fleet, ZONE)
    return time.process_time() - begun
