"""All districts of a utility together, night by night: what moves them all is weather, not a leak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.district import District, DistrictDays
from anomaly.district_burst import bursts, with_bursts
from anomaly.district_cases import DetectionLimit, DistrictWatch
from anomaly.district_peers import common_share
from anomaly.local_time import DAY
from anomaly.sufficiency import Insufficiency, Reason
from metering.finding import Finding

__all__ = ["DistrictNights", "DistrictResult", "scan_districts"]

FEWEST_DAYS = 60
"""Days from the first to the last reading below which a district is not judged."""


@dataclass(frozen=True, slots=True)
class DistrictResult:
    """What a scan of districts tells.

    Attributes:
        findings: by the time they were first raised, then by district.
        limits: the minimum detectable leak of each district at the end, by district.
        insufficiencies: which districts were not judged, and why.
    """

    findings: tuple[Finding, ...]
    limits: tuple[DetectionLimit, ...]
    insufficiencies: tuple[Insufficiency, ...]


def scan_districts(
    districts: Sequence[District], zone: ZoneInfo, holidays: frozenset[date] = frozenset()
) -> DistrictResult:
    """Judge every night of every district; causal: a night knows nothing of the next."""
    lacking = [told for one in districts if (told := _lacks(one))]
    left_out = {told.meter for told in lacking}
    judged = {one.dma: one for one in districts if one.dma not in left_out}
    nights = DistrictNights(tuple(judged.values()), zone, holidays)
    for day in range(nights.days):
        nights.look(day)
    findings = [
        finding
        for days, leaks in nights.by_district()
        for finding in with_bursts(leaks, tuple(bursts(judged[days.dma], days)))
    ]
    return DistrictResult(_ordered(findings), nights.limits(), tuple(lacking))


class DistrictNights:
    """Districts that are judged together, night by night in order.

    Attributes:
        span: first day and the day after the last, counted from 1970-01-01.
        days: number of days.
    """

    def __init__(self, districts: Sequence[District], zone: ZoneInfo, holidays: frozenset[date]) -> None:
        by_name = sorted(districts, key=lambda one: one.dma)
        self.span = DistrictDays.span(by_name, zone)
        self.days = self.span[1] - self.span[0]
        self._watches = [DistrictWatch(DistrictDays.of(one, zone, self.span, holidays)) for one in by_name]
        self._moved = np.full((self.days, len(by_name)), np.nan)

    def look(self, day: int) -> None:
        """Take in one day of every district and judge it."""
        usual = np.array([watch.level.usual_flow(day) for watch in self._watches])
        level = np.array([watch.level.look(day) for watch in self._watches])
        self._moved[day] = np.where(usual > 0, level / np.where(usual > 0, usual, 1), np.nan)
        for place, watch in enumerate(self._watches):
            watch.look(day, self.common(place, day))

    def common(self, place: int, day: int) -> float:
        """Give what moved the others on a day looked at, share of their inflow; NaN if too few are known."""
        return common_share(np.delete(self._moved[day], place))

    def findings(self) -> tuple[Finding, ...]:
        """Give the leaks found so far, by the time they were first raised, then by district."""
        return _ordered(finding for watch in self._watches for finding in watch.findings())

    def by_district(self) -> Iterator[tuple[DistrictDays, tuple[Finding, ...]]]:
        """Give the days and the leaks of each district."""
        for watch in self._watches:
            yield watch.days, tuple(watch.findings())

    def limits(self) -> tuple[DetectionLimit, ...]:
        """Give the detection limits of the last night judged, by district."""
        return tuple(watch.limit for watch in self._watches if watch.limit)


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.stages[0].raised_at, one.subject)))


def _lacks(district: District) -> Insufficiency | None:
    if not len(district):
        return Insufficiency(district.dma, Reason.NO_READINGS, 0)
    days = float(district.at[-1] - district.at[0]) / DAY
    if days < FEWEST_DAYS:
        return Insufficiency(district.dma, Reason.TOO_FEW_DAYS, days)
    if (sparse := DAY * days / 3600 / len(district)) > 4:
        return Insufficiency(district.dma, Reason.TOO_SPARSE, sparse * 3600)
    return None
