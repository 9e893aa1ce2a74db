"""Unusual use: a day or a night far above what this meter does, told only as far as it is not chance.

A meter's days are log-normal by day type (working day, weekend), with tails as heavy as Student's with 3
degrees of freedom, or as the fleet's earlier days proved them to be. Every day of every meter is one test;
what is told of a class and a day is chosen over the whole fleet (:mod:`anomaly.discovery`), so the same day
is told in a village and may not be in a city.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from anomaly.batch import Batch
from anomaly.day_table import DayTable
from anomaly.discovery import Calibration, Q, Tested, discoveries, upper_tail_t3
from anomaly.local_time import DAY, HOUR
from anomaly.series import Flags, Floats, MeterClass
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Tier

__all__ = ["Unusual", "UnusualUseDetector"]

LEARNED_DAYS = 28
"""Days of a meter before it is judged, ..."""
OF_A_TYPE = 6
"""... of them of this day's type."""
MEMORY_DAYS = 60.0
LEAST_SPREAD = 0.25
WILDEST = 3.0
"""Beyond so many deviations a day teaches no more."""
OFFSETS_L = {"day": 20.0, "night": 5.0}
"""Added before the logarithm: a few litres more or less are nothing."""
RAREST = 2e-3
"""What happens to a meter more often than this is not unusual, however small the fleet."""
KINDS = tuple(MeterClass)
LEAST_MORE_L = {"day": 100.0, "night": 30.0}
"""Litres above the usual from which anybody cares."""


@dataclass(frozen=True, slots=True)
class Unusual:
    """A day (or night) of one meter that is improbable.

    Attributes:
        what: ``day`` or ``night``.
        day: number of the local day since 1970-01-01.
        known_at: the reading that ended it, UTC seconds.
    """

    what: str
    kind: MeterClass
    day: int
    meter: str
    p: float
    litres: float
    usual_l: float
    known_at: int

    @property
    def family(self) -> tuple[str, MeterClass, int]:
        """What, class and day."""
        return (self.what, self.kind, self.day)


@dataclass(slots=True, eq=False)
class _Habit:
    """Mean by day type, and variance, of the logarithm; one row a meter."""

    number: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def fresh(cls, meters: int) -> _Habit:
        return cls(np.zeros((2, meters)), np.zeros((2, meters)), np.full(meters, 1.0))

    def judge(self, y: Floats, kind: int) -> tuple[Floats, Flags]:
        """Give how far above the usual each is, in deviations, and who can be judged."""
        known = np.isfinite(y)
        ready = known & (self.number.sum(axis=0) >= LEARNED_DAYS) & (self.number[kind] >= OF_A_TYPE)
        spread = np.maximum(np.sqrt(self.variance), LEAST_SPREAD)
        return np.where(known, (y - self.mean[kind]) / spread, 0.0), ready

    def learn(self, y: Floats, kind: int) -> None:
        known = np.isfinite(y)
        spread = np.maximum(np.sqrt(self.variance), LEAST_SPREAD)
        first = self.number[kind] < 1
        off = np.where(known, y - self.mean[kind], 0.0)
        off = np.where(first, off, np.clip(off, -WILDEST * spread, WILDEST * spread))
        rate = known / np.minimum(self.number[kind] + 1, MEMORY_DAYS)
        self.mean[kind] += rate * off
        all_days = np.minimum(self.number.sum(axis=0) + 1, MEMORY_DAYS)
        self.variance += np.where(known & ~first, (off**2 - self.variance) / all_days, 0.0)
        self.number[kind] += known


@dataclass(frozen=True, slots=True)
class UnusualUseDetector:
    """Fleet detector of ``use.unusual_day`` and ``use.unusual_night``."""

    names: tuple[str, ...] = ("use.unusual_day", "use.unusual_night")
    blocked_by: frozenset[Reason] = frozenset(
        {
            Reason.NO_READINGS,
            Reason.ONE_READING,
            Reason.NO_KNOWN_HOURS,
            Reason.TOO_SPARSE,
            Reason.TOO_FEW_DAYS,
        }
    )

    def gather(self, batch: Batch) -> Tested[Unusual]:
        """Test every day of some meters."""
        tested: Tested[Unusual] = Tested()
        table = DayTable.of(batch.ticks, batch.zone)
        for what, litres in (("day", table.litres), ("night", table.night)):
            _test(what, litres, table, batch, tested)
        return tested

    def conclude(self, gathered: Iterable[Tested[Unusual]]) -> Iterator[Finding]:
        """Tell what is not chance over all meters; days in a row are one finding."""
        fleet: Tested[Unusual] = Tested()
        for one in gathered:
            fleet.add(one)
        fleet.candidates = [one for group in _by_kind(fleet) for one in _proved(group, fleet.tests)]
        told = [one for one in discoveries(fleet) if one.p <= RAREST]
        told.sort(key=lambda one: (one.what, one.meter, one.day))
        runs = groupby(enumerate(told), lambda pair: (pair[1].what, pair[1].meter, pair[1].day - pair[0]))
        for _, run in runs:
            yield _finding([one for _, one in run])


def _by_kind(fleet: Tested[Unusual]) -> Iterator[list[Unusual]]:
    """Give the candidates of each class and kind of test, by day."""
    ordered = sorted(fleet.candidates, key=lambda one: (one.what, one.kind, one.day, one.meter))
    return (list(group) for _, group in groupby(ordered, lambda one: (one.what, one.kind)))


def _proved(group: list[Unusual], tests: Mapping[Hashable, int]) -> Iterator[Unusual]:
    """Correct p-values by what the fleet's earlier days proved them to be; causal, day by day."""
    what, kind = group[0].what, group[0].kind
    known, by_day = Calibration(), {day: list(ones) for day, ones in groupby(group, lambda one: one.day)}
    for day in sorted(key[2] for key in tests if isinstance(key, tuple) and key[:2] == (what, kind)):
        ones = by_day.get(day, [])
        p = np.array([one.p for one in ones], np.float64)
        yield from (
            replace(one, p=float(better)) for one, better in zip(ones, known.corrected(p), strict=True)
        )
        known.take_in(p, tests[what, kind, day])


def _test(what: str, litres: Floats, table: DayTable, batch: Batch, tested: Tested[Unusual]) -> None:
    """Go through the days: judge each by what was learned before it."""
    habit = _Habit.fresh(litres.shape[1])
    logs = np.log(litres + OFFSETS_L[what])
    codes = np.array([KINDS.index(meter.facts.kind) for meter in batch.meters], np.int64)
    for row in range(len(table)):
        day = table.first + row
        weekend = int((day + 3) % 7 >= 5)
        deviations, ready = habit.judge(logs[row], weekend)
        usual = np.exp(habit.mean[weekend]) - OFFSETS_L[what]
        p = upper_tail_t3(deviations)
        for code, number in enumerate(np.bincount(codes[ready], minlength=len(KINDS)).tolist()):
            if number:
                tested.tests[what, KINDS[code], day] += number
        wanted = ready & (p <= Q) & (np.nan_to_num(litres[row]) - usual >= LEAST_MORE_L[what])
        for place in np.flatnonzero(wanted).tolist():
            facts = batch.meters[place].facts
            numbers = float(p[place]), float(litres[row, place]), float(max(usual[place], 0.0))
            known_at = int(table.known_at[row, place])
            tested.candidates.append(Unusual(what, facts.kind, day, facts.meter, *numbers, known_at))
        habit.learn(logs[row], weekend)


def _finding(days: list[Unusual]) -> Finding:
    first, hours = days[0], 24 if days[0].what == "day" else 5
    evidence = {
        "litres": round(first.litres, 1),
        "usual_l": round(first.usual_l, 1),
        "p": float(f"{first.p:.2g}"),
        "false_discovery_rate": Q,
    }
    onset = first.known_at - hours * HOUR if first.what == "day" else first.known_at - DAY
    told = stage(Tier.SUSPECT, f"use.unusual_{first.what}", first.known_at, onset, evidence)
    outcome = {"days": len(days), "litres": round(sum(one.litres for one in days), 1)}
    return Finding(first.meter, (told,), moment(days[-1].known_at), outcome)
