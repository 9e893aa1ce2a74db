"""I1-I5: what interval volumes tell by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from billing_bridge.quality import Cim
from billing_bridge.validate.cases import IntervalCase
from billing_bridge.validate.outcome import NotRun, Passed, Raised, Result
from billing_bridge.validate.rule import NoParameters
from metering.consumption import Interval, Kind

__all__ = [
    "FlowParameters",
    "SpikeParameters",
    "continuous_flow",
    "gap",
    "interval_size",
    "negative_interval",
    "spike",
]

_NONE = NotRun("there are no intervals")
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SpikeParameters:
    """I2."""

    above_third: Decimal = Decimal("1.8")
    """(highest - third highest) / third highest."""
    least_m3h: Decimal = Decimal("0.100")


@dataclass(frozen=True, slots=True)
class FlowParameters:
    """I5."""

    least_m3h: Decimal = Decimal("0.004")
    lasting: timedelta = timedelta(hours=24)


def gap(case: IntervalCase, _parameters: NoParameters) -> Result:
    """I1: every interval between the boundaries is there."""
    if not case.intervals:
        return _NONE if len(case.boundaries) < 2 else Raised("No interval is known.")
    gaps = [one for one in case.intervals if one.kind is Kind.GAP]
    first, last = case.boundaries[0], case.boundaries[-1]
    missing = sum((one.end - one.start for one in _metered(case.intervals)), timedelta(0)) < last - first
    if not gaps and not missing:
        return Passed()
    told = {f"gap_{n}": f"{one.start.isoformat()}/{one.end.isoformat()}" for n, one in enumerate(gaps[:10])}
    return Raised("Intervals are missing.", {"gaps": str(len(gaps)), **told})


def spike(case: IntervalCase, parameters: SpikeParameters) -> Result:
    """I2: one interval far above the third highest."""
    whole = sorted(_metered(case.intervals), key=lambda one: one.volume, reverse=True)
    if len(whole) < 3:
        return NotRun("there are fewer than three intervals")
    highest, third = whole[0], whole[2].volume
    if _per_hour(highest) <= parameters.least_m3h or highest.volume <= third * (1 + parameters.above_third):
        return Passed()
    told = {
        "at": highest.start.isoformat(),
        "highest_m3": str(highest.volume),
        "third_highest_m3": str(third),
    }
    return Raised("One interval is far above the others.", told)


def negative_interval(case: IntervalCase, _parameters: NoParameters) -> Result:
    """I3: more came back than went through."""
    if not case.intervals:
        return _NONE
    falling = [one for one in case.intervals if one.falling]
    if not falling:
        return Passed()
    told = {"at": falling[0].start.isoformat(), "volume_m3": str(falling[0].volume), "of": str(len(falling))}
    return Raised("An interval is negative.", told)


def interval_size(case: IntervalCase, _parameters: NoParameters) -> Result:
    """I4: intervals lie between neighbouring boundaries; days of 23 and 25 hours are right."""
    if not case.intervals:
        return _NONE
    following = dict(pairwise(case.boundaries))
    odd = [one for one in case.intervals if one.kind is not Kind.GAP and _size_off(one, following)]
    if not odd:
        return Passed()
    long = following.get(odd[0].start, odd[0].end) < odd[0].end
    told = {"from": odd[0].start.isoformat(), "to": odd[0].end.isoformat(), "of": str(len(odd))}
    code = Cim.LONG_INTERVAL if long else Cim.PARTIAL_INTERVAL
    return Raised("An interval is not as long as its step.", told, cim=code)


def continuous_flow(case: IntervalCase, parameters: FlowParameters) -> Result:
    """I5: water ran all the time, for a day: a leak?"""
    hourly = [one for one in _metered(case.intervals) if one.end - one.start <= _HOUR]
    if not hourly:
        return NotRun("there are no hourly intervals")
    longest = max(_runs(hourly, parameters.least_m3h), default=None, key=lambda run: run[1] - run[0])
    if longest is None or longest[1] - longest[0] < parameters.lasting:
        return Passed()
    told = {"from": longest[0].isoformat(), "to": longest[1].isoformat()}
    return Raised("Water ran without a pause.", told)


def _metered(intervals: Sequence[Interval]) -> list[Interval]:
    return [one for one in intervals if one.kind is Kind.METERED]


def _per_hour(one: Interval) -> Decimal:
    return one.volume * 3600 / Decimal(int((one.end - one.start).total_seconds()))


def _size_off(one: Interval, following: dict[datetime, datetime]) -> bool:
    return following.get(one.start) != one.end


def _runs(hourly: Sequence[Interval], least: Decimal) -> Iterator[tuple[datetime, datetime]]:
    """Give stretches in which every hour flowed."""
    start: datetime | None = None
    end: datetime | None = None
    for one in hourly:
        flows = _per_hour(one) >= least
        if start is not None and end is not None and (not flows or one.start != end):
            yield start, end
            start = None
        if flows:
            start, end = start or one.start, one.end
    if start is not None and end is not None:
        yield start, end
