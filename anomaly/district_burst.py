"""A main that burst: within hours the inflow of a district is far above that of this hour on such days.

Rises of some per cent are the night's affair (:mod:`anomaly.district_cases`). Here it is hours: more than
half of the usual inflow besides is suspected, as much again is worth a crew at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import numpy as np

from anomaly.district import District, DistrictDays
from anomaly.local_time import HOUR
from anomaly.series import Flags, Floats, Ints
from anomaly.telling import moment
from metering.finding import Finding, Stage, Tier

__all__ = ["bursts", "with_bursts"]

EXPECTED_FROM = 42
"""Days of which the expected flow of an hour is the median."""
FEWEST_ALIKE = 4
SUSPECTED_SHARE = 0.6
DISPATCHED_SHARE = 1.0
"""Excess asked, as a share of the usual inflow."""
DEVIATIONS = 6.0
"""And in deviations of the hour from its expected flow."""
OF_HOURS, HOURS_ASKED = 4, 3
"""So many of so many hours in a row must show it."""
AFTER_DAYS = 4
"""A rise that is told so soon after a burst is what is left of it, not another event."""
CALM_HOURS = 3
"""Hours below half of what is asked that end it."""
QUIET_LPS = 1e-3


def bursts(district: District, days: DistrictDays) -> Iterator[Finding]:
    """Find the bursts of one district, in order of time."""
    at = np.array(district.at)
    expected, deviation = _expected(days)
    place = days.place_of(at)
    inside = (place >= 0) & (place < expected.size)
    at, flow, place = at[inside], district.inflow[inside], place[inside]
    usual = _usual(flow)
    excess = flow - expected.ravel()[place]
    spread = DEVIATIONS * deviation.ravel()[place]
    known = np.isfinite(excess) & np.isfinite(spread) & (usual > 0)
    asked = {
        tier: np.maximum(share * usual, spread)[known]
        for tier, share in ((Tier.SUSPECT, SUSPECTED_SHARE), (Tier.DISPATCH, DISPATCHED_SHARE))
    }
    yield from _found(district.dma, at[known], flow[known], excess[known], asked)


def with_bursts(leaks: Sequence[Finding], found: Sequence[Finding]) -> list[Finding]:
    """Put the bursts and the leaks of one district together: what a burst leaves behind is told with it."""
    rest, merged = list(leaks), []
    for burst in found:
        left = [leak for leak in rest if _follows(leak, burst)]
        rest = [leak for leak in rest if leak not in left]
        merged.append(_merged(burst, left) if left else burst)
    return [*merged, *rest]


def _follows(leak: Finding, burst: Finding) -> bool:
    raised, began = leak.stages[-1].raised_at, burst.stages[0].onset
    over = burst.cleared_at
    return raised >= began and (over is None or leak.stages[0].raised_at <= over + timedelta(days=AFTER_DAYS))


def _merged(burst: Finding, left: Sequence[Finding]) -> Finding:
    ends = [one.cleared_at for one in (burst, *left)]
    over = None if None in ends else max(end for end in ends if end is not None)
    stays = {"stays_lps": left[-1].stages[-1].evidence.get("rise_lps")}
    stages = list(burst.stages)
    for stage in (stage for leak in left for stage in leak.stages):
        if stage.tier.rank > stages[-1].tier.rank:
            stages.append(stage)
    return Finding(burst.subject, tuple(stages), over, {**burst.outcome, **stays})


def _found(
    dma: str, at: Ints, flow: Floats, excess: Floats, asked: Mapping[Tier, Floats]
) -> Iterator[Finding]:
    suspected = _shown(at, excess >= asked[Tier.SUSPECT])
    dispatched = _shown(at, excess >= asked[Tier.DISPATCH])
    calm = excess < asked[Tier.SUSPECT] / 2
    hour = 0
    while hour < len(at):
        if not suspected[hour]:
            hour += 1
            continue
        end = _end(calm, hour)
        until = len(at) if end is None else end
        first = hour - OF_HOURS + 1 if hour >= OF_HOURS - 1 else 0
        began = first + int((excess >= asked[Tier.SUSPECT])[first : hour + 1].argmax())
        stages = [_stage(Tier.SUSPECT, at, flow, excess, began, hour)]
        worse = np.flatnonzero(dispatched[hour:until])
        if len(worse):
            stages.append(_stage(Tier.DISPATCH, at, flow, excess, began, hour + int(worse[0])))
        yield Finding(dma, tuple(stages), None if end is None else moment(int(at[end])))
        hour = until + 1


def _shown(at: Ints, high: Flags) -> Flags:
    """Tell at which hours enough of the last few in a row were high, this one among them."""
    count = np.zeros(len(high), np.int64)
    for back in range(OF_HOURS):
        near = at[back:] - at[: len(at) - back] < OF_HOURS * HOUR
        count[back:] += near & high[: len(high) - back]
    return np.asarray(high & (count >= HOURS_ASKED), np.bool_)


def _end(calm: Flags, hour: int) -> int | None:
    run = 0
    for place in range(hour + 1, len(calm)):
        run = run + 1 if calm[place] else 0
        if run == CALM_HOURS:
            return place
    return None


def _stage(  # noqa: PLR0913, PLR0917  the hours and two places in them
    tier: Tier, at: Ints, flow: Floats, excess: Floats, began: int, raised: int
) -> Stage:
    more = excess[began : raised + 1]
    return Stage(
        tier,
        "district.burst",
        moment(int(at[raised])),
        moment(int(at[began])),
        rate_lph=round(float(more.mean()) * 3600, 1),
        loss_l=round(float(more.sum()) * 3600, 1),
        evidence={
            "rise_lps": round(float(more.mean()), 3),
            "flows_lps": [round(float(one), 3) for one in flow[max(0, raised - 11) : raised + 1]],
            "expected_lps": round(float(flow[raised] - excess[raised]), 3),
        },
    )


def _expected(days: DistrictDays) -> tuple[Floats, Floats]:
    """Give for each hour the median of the same hour on days alike before, and the deviation from it."""
    expected = np.full_like(days.hours, np.nan)
    deviation = np.full_like(days.hours, np.nan)
    for day in range(len(days.hours)):
        since = max(0, day - EXPECTED_FROM)
        alike = days.hours[since:day][days.kinds[since:day] == days.kinds[day]]
        if len(alike) >= FEWEST_ALIKE:
            ordered = np.sort(alike, axis=0)
            known = np.isfinite(ordered).sum(axis=0)
            columns = np.arange(ordered.shape[1])
            middle, low, high = (
                ordered[np.maximum(known * part // 100 - (part == 100), 0), columns] for part in (50, 16, 84)
            )
            enough = known >= FEWEST_ALIKE
            expected[day] = np.where(enough, middle, np.nan)
            deviation[day] = np.where(enough, np.maximum((high - low) / 2, QUIET_LPS), np.nan)
    return expected, deviation


def _usual(flow: Floats) -> Floats:
    """Mean inflow of all hours so far."""
    return np.asarray(np.cumsum(flow) / np.arange(1, len(flow) + 1), np.float64)
