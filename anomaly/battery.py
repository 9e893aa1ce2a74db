"""How long a battery will last: what the meter reports, drawn out.

Meters report the life they have left in days, a charge or a voltage: a level that sinks to where it is
empty. The middle of all slopes (Theil 1950, Sen 1968) draws it out, and the earlier of "as reported" and "as
it sinks" counts: a meter that loses two days a day is told in time. Told a year ahead, for the plan, and 90
days ahead, for the round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from anomaly.batch import Batch
from anomaly.local_time import DAY
from anomaly.series import Floats, Ints
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["BatteryDetector", "BatteryReports"]

STAGES = {Tier.SUSPECT: 365 * DAY, Tier.NOTIFY: 90 * DAY}
"""How long before the end each tier is told."""
FEWEST = 5
LEAST_SPAN = 60 * DAY
"""A slope needs reports over two months."""
DRAWN_FROM = 180 * DAY
"""Older reports say nothing of how it sinks now."""
FARTHEST = 40 * 365 * DAY
RENEWED = 0.2
"""A level that rises by this share is another battery."""


@dataclass(frozen=True, slots=True, eq=False)
class BatteryReports:
    """Levels of one battery, by time.

    Attributes:
        at: UTC seconds, rising.
        level: days left, or volts.
        empty: the level at which the meter falls silent: 0 days, or the cut-off voltage.
        unit: ``days``, which says itself how long it lasts, ``volts`` or ``percent``.
    """

    at: Ints
    level: Floats
    empty: float = 0.0
    unit: str = "days"

    @property
    def in_days(self) -> bool:
        """Whether the level itself says how long it lasts."""
        return self.unit == "days"


@dataclass(frozen=True, slots=True)
class BatteryDetector:
    """Detector of ``battery.forecast``.

    Attributes:
        reports: by meter id.
    """

    reports: Mapping[str, BatteryReports] = field(default_factory=dict)
    names: tuple[str, ...] = ("battery.forecast",)
    blocked_by: frozenset[Reason] = frozenset()

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Look at every battery at each of its reports."""
        for gated in batch.meters:
            known = self.reports.get(gated.facts.meter)
            if known is not None and len(known.at):
                yield from _findings(gated.facts.meter, known)


def _findings(meter: str, known: BatteryReports) -> Iterator[Finding]:
    stages: list[Stage] = []
    first = 0
    for place, (at, level) in enumerate(zip(known.at.tolist(), known.level.tolist(), strict=True)):
        if place and level - known.empty > (1 + RENEWED) * (known.level[place - 1] - known.empty):
            if stages:
                yield Finding(meter, tuple(stages), moment(at))
            stages, first = [], place
        end = _empty_at(known, first, place)
        reached = stages[-1].tier.rank if stages else -1
        for tier, ahead in STAGES.items():
            if tier.rank > reached and end - at < ahead:
                stages.append(_stage(tier, known, first, place, end))
    if stages:
        yield Finding(meter, tuple(stages))


def _empty_at(known: BatteryReports, first: int, last: int) -> float:
    """Give when the battery is empty, UTC seconds, from the reports up to ``last``."""
    now = int(known.at[last])
    left = float(known.level[last]) - known.empty
    reported = now + left * DAY if known.in_days else now + FARTHEST
    slope = _slope_a_second(known, first, last)
    drawn = now + left / -slope if slope < 0 else now + FARTHEST
    return max(min(reported, drawn, now + FARTHEST), now)


def _slope_a_second(known: BatteryReports, first: int, last: int) -> float:
    """Give how fast the level changes; 0 where that cannot be told yet."""
    begin = max(first, int(np.searchsorted(known.at, known.at[last] - DRAWN_FROM)))
    at, level = known.at[begin : last + 1], known.level[begin : last + 1]
    if len(at) < FEWEST or at[-1] - at[0] < LEAST_SPAN:
        return 0.0
    kept = np.linspace(0, len(at) - 1, min(len(at), 40)).astype(np.int64)
    one, other = np.triu_indices(len(kept), 1)
    rise, time = level[kept][other] - level[kept][one], at[kept][other] - at[kept][one]
    return float(np.median(rise / np.maximum(time, 1)))


def _stage(tier: Tier, known: BatteryReports, first: int, last: int, end: float) -> Stage:
    at = int(known.at[last])
    unit = known.unit
    evidence = {
        "days_left": round((end - at) / DAY),
        "empty_on": moment(int(end)).date().isoformat(),
        f"reported_{unit}": round(float(known.level[last]), 3),
        f"{unit}_a_year": round(_slope_a_second(known, first, last) * 365 * DAY, 3),
    }
    return stage(tier, "battery.forecast", at, int(known.at[first]), evidence)
