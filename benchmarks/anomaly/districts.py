"""Leaks planted into real district inflow, and what the detector makes of them.

A leak is added to one district at a time, the others stay as they are. Up to its beginning nothing differs,
so the judged district is carried there once and copied; what moved all districts alike is taken from the run
without leaks (the planted one is one of several whose median counts).
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly.district import District, DistrictDays
from anomaly.district_cases import DistrictWatch
from anomaly.district_scan import DistrictNights, scan_districts
from metering.finding import Finding, Tier

DATA = Path(os.environ.get("NURT_DATASETS", "../shared/datasets")) / "districts"
ZONE = ZoneInfo("Europe/Rome")
TUNING = ("DMA_A", "DMA_D", "DMA_I")
JUDGING = ("DMA_G", "DMA_H", "DMA_J")
DAY = 86_400
LONGEST = 60
"""Days a planted leak runs."""
LEARNT = 90
"""Days before the first planted leak."""
YEAR = 365.25


@dataclass(frozen=True)
class Leak:
    """A planted leak: share of the mean inflow, days until it is fully grown, nights to find it in."""

    name: str
    share: float
    grows_days: int
    nights: int
    target: float


LEAKS = (
    Leak("abrupt 5 %", 0.05, 0, 5, 0.65),
    Leak("abrupt 10 %", 0.10, 0, 5, 0.85),
    Leak("abrupt 20 %", 0.20, 0, 5, 0.95),
    Leak("incipient 10 %", 0.10, 20, 25, 0.80),
)


@dataclass(frozen=True)
class Trial:
    """What became of one planted leak.

    Attributes:
        dma: district.
        leak: what was planted.
        delay_days: days from beginning to alarm; infinite where it was missed.
        masked: whether an event was open when it began.
    """

    dma: str
    leak: Leak
    delay_days: float
    masked: bool


def inflows(path: Path = DATA) -> list[District]:
    """Read every district."""
    table = pq.read_table(path / "inflow.parquet")
    names = np.array(table["dma"].to_pylist())
    at = table["ts_utc"].cast(pa.timestamp("s", tz="UTC")).cast("int64").to_numpy()
    flow = table["inflow_lps"].to_numpy()
    return [District.of(str(name), at[names == name], flow[names == name]) for name in np.unique(names)]


def holidays(path: Path = DATA) -> frozenset[date]:
    """Read the public holidays."""
    table = pq.read_table(path / "calendar.parquet")
    rows = zip(table["ts"].to_pylist(), table["Holiday"].to_pylist(), strict=True)
    return frozenset(moment.date() for moment, free in rows if free)


class Bench:
    """All districts, carried night by night once; leaks are planted into copies."""

    def __init__(self, districts: Sequence[District], free: frozenset[date]) -> None:
        self.districts = {one.dma: one for one in districts}
        self.free = free
        self.nights = DistrictNights(districts, ZONE, free)
        self.span = self.nights.span
        for day in range(self.nights.days):
            self.nights.look(day)

    def run(self, leaks: Sequence[Leak], starts: dict[str, list[int]]) -> Iterator[Trial]:
        """Plant every leak at every start (UTC seconds) into its district and judge it."""
        order = sorted(self.districts)
        for dma, times in starts.items():
            cut = DistrictDays.of(self.districts[dma], ZONE, self.span, self.free)
            watch, place, reached = DistrictWatch(cut), order.index(dma), 0
            for start in sorted(times):
                for night in range(reached, self._day(start)):
                    watch.level.look(night)
                    watch.look(night, self.nights.common(place, night))
                reached = self._day(start)
                for leak in leaks:
                    yield self._trial(watch, leak, start, reached)

    def alarms(self) -> dict[str, list[Finding]]:
        """Findings told without any leak planted, bursts included, by district."""
        told: dict[str, list[Finding]] = {dma: [] for dma in self.districts}
        for finding in scan_districts(tuple(self.districts.values()), ZONE, self.free).findings:
            if finding.at_tier(Tier.NOTIFY):
                told[finding.subject].append(finding)
        return told

    def years(self, dma: str) -> float:
        """Years of data of a district."""
        at = self.districts[dma].at
        return len(at) / 24 / YEAR

    def starts(self, dma: str, count: int, seed: int) -> list[int]:
        """Draw beginnings: any hour with a quarter of a year before and the leak's days after it."""
        at = self.districts[dma].at
        inside = at[(at > at[0] + LEARNT * DAY) & (at < at[-1] - LONGEST * DAY)]
        return [
            int(start) for start in np.random.default_rng([seed, sum(dma.encode())]).choice(inside, count)
        ]

    def _trial(self, watch: DistrictWatch, leak: Leak, start: int, day: int) -> Trial:
        before = list(_told(watch))
        changed = _planted(self.districts[watch.days.dma], leak, start)
        with_leak, without = copy.deepcopy(watch), copy.deepcopy(watch)
        with_leak.days.blocks[:] = DistrictDays.of(changed, ZONE, self.span, self.free).blocks
        last = min(day + leak.nights + 1, self.nights.days)
        place = sorted(self.districts).index(watch.days.dma)
        for night in range(day, last):
            for one in (with_leak, without):
                one.level.look(night)
                one.look(night, self.nights.common(place, night))
        native = set(_told(without))
        new = [at for at in _told(with_leak) if at not in native and start <= at <= start + leak.nights * DAY]
        delay = (min(new) - start) / DAY if new else np.inf
        return Trial(watch.days.dma, leak, delay, masked=bool(before) and watch.has_open_event)

    def _day(self, start: int) -> int:
        alone = District("", np.array([start]), np.array([0.0]))
        cut = DistrictDays.of(alone, ZONE, self.span, self.free)
        return int(np.flatnonzero(cut.known_at)[0])


def _told(watch: DistrictWatch) -> Iterator[int]:
    for finding in watch.findings():
        if stage := finding.at_tier(Tier.NOTIFY):
            yield int(stage.raised_at.timestamp())


def _planted(district: District, leak: Leak, start: int) -> District:
    size = leak.share * float(district.inflow.mean())
    age = (district.at - start) / DAY
    grown = np.clip((age + 1 / 24) / leak.grows_days, 0, 1) if leak.grows_days else 1.0
    added = np.where((age >= 0) & (age < LONGEST), size * grown, 0.0)
    return District(district.dma, district.at, district.inflow + added)
