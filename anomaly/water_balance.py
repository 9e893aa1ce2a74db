"""The water balance of a district (IWA terms): what runs in, what customers are known to use, the rest.

::

    system input volume = billed or metered consumption / coverage + water losses

Hours count where both sides are known. Over seven days in a row customers cannot use more than ran in: where
they seem to, an index, a unit, a valve or the district meter is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.district import District
from anomaly.local_time import DAY, HOUR, local_days
from anomaly.series import Floats, Ints
from anomaly.telling import moment
from metering.finding import Finding, Stage, Tier

__all__ = ["Balance", "customers_exceed", "monthly_balances"]

WEEK = 7
FEWEST_HOURS = 20
"""Known hours of a day that counts."""
LEAST_EXCESS = 0.05
"""Share of the inflow by which customers must exceed it."""
DEVIATIONS = 3.0
NOISE_FROM = 90
FEWEST_WEEKS = 14
LPS_HOUR_M3 = 3.6
"""Cubic metres of one L/s for an hour."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One district in one month.

    Attributes:
        dma: district.
        month: its first day, local, ``2026-03-01``.
        hours: hours both sides are known in.
        input_m3: system input volume.
        consumption_m3: what customers used, their meters' sum divided by coverage.
        losses_m3: the difference.
    """

    dma: str
    month: str
    hours: int
    input_m3: float
    consumption_m3: float
    losses_m3: float

    @property
    def losses_share(self) -> float | None:
        """Losses as a share of the input volume."""
        return self.losses_m3 / self.input_m3 if self.input_m3 > 0 else None


def monthly_balances(
    inflow: District, use: District, zone: ZoneInfo, coverage: float = 1.0
) -> Iterator[Balance]:
    """Balance each month.

    Args:
        inflow: net inflow of the district.
        use: sum of the customers' meters in it, L/s.
        zone: local time of months.
        coverage: share of the consumption those meters count.
    """
    at, into, used = _common(inflow, use, coverage)
    months = np.array([_month(int(moment_), zone) for moment_ in at])
    for month in np.unique(months):
        these = months == month
        input_m3, used_m3 = (float(flow[these].sum()) * LPS_HOUR_M3 for flow in (into, used))
        hours = int(these.sum())
        yield Balance(inflow.dma, str(month), hours, input_m3, used_m3, input_m3 - used_m3)


def customers_exceed(
    inflow: District, use: District, zone: ZoneInfo, coverage: float = 1.0
) -> Iterator[Finding]:
    """Find the times in which customers seem to use more than runs in; causal, day by day."""
    at, into, used = _common(inflow, use, coverage)
    ends, day_into, day_used = _days(at, into, used, zone)
    open_since: Stage | None = None
    weeks = _weeks(day_used - day_into)
    for day in range(WEEK - 1, len(ends)):
        input_week = float(day_into[day - WEEK + 1 : day + 1].sum())
        asked = max(LEAST_EXCESS * input_week, DEVIATIONS * _noise(weeks[:day]))
        if open_since is None and weeks[day] > asked and input_week > 0:
            open_since = _stage(ends, day, float(weeks[day]), input_week)
        elif open_since is not None and weeks[day] <= 0:
            yield Finding(inflow.dma, (open_since,), moment(int(ends[day])))
            open_since = None
    if open_since is not None:
        yield Finding(inflow.dma, (open_since,))


def _stage(ends: Ints, day: int, excess: float, input_week: float) -> Stage:
    evidence = {
        "excess_percent": round(100 * excess / input_week, 1),
        "excess_m3": round(excess * LPS_HOUR_M3, 1),
        "input_m3": round(input_week * LPS_HOUR_M3, 1),
    }
    raised, onset = moment(int(ends[day])), moment(int(ends[day - WEEK + 1]) - DAY)
    return Stage(Tier.NOTIFY, "balance.customers_exceed", raised, onset, evidence=evidence)


def _common(inflow: District, use: District, coverage: float) -> tuple[Ints, Floats, Floats]:
    at, here, there = np.intersect1d(inflow.at, use.at, return_indices=True)
    return at, inflow.inflow[here], use.inflow[there] / coverage


def _days(at: Ints, into: Floats, used: Floats, zone: ZoneInfo) -> tuple[Ints, Floats, Floats]:
    """Sum whole local days, in L/s times hours; days with too few hours are left out."""
    day, first, count = np.unique(local_days(at, zone), return_index=True, return_counts=True)
    if not len(day):
        return at, into, used
    whole = count >= FEWEST_HOURS
    sums = [np.add.reduceat(flow, first)[whole] for flow in (into, used)]
    ends = at[first + count - 1][whole] + HOUR
    return ends, sums[0], sums[1]


def _weeks(excess: Floats) -> Floats:
    """Sum of the last seven days of each day."""
    total = np.concatenate([[0.0], np.cumsum(excess)])
    week = np.full(len(excess), -np.inf)
    if len(excess) >= WEEK:
        week[WEEK - 1 :] = total[WEEK:] - total[:-WEEK]
    return week


def _noise(weeks: Floats) -> float:
    """Deviation of the weekly excess from its median; 0 while too few are known."""
    known = weeks[-NOISE_FROM:]
    known = known[np.isfinite(known)]
    if len(known) < FEWEST_WEEKS:
        return 0.0
    return float(1.4826 * np.median(np.abs(known - np.median(known))))


def _month(at: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%Y-%m}-01"
