"""Use at night in a home where nobody is: a visitor, a timer, a pipe that gave way.

Whether a home is empty is filtered from its days without use (two states, Bayes' rule): a day without use
says much where the family is always at home, little in a summer house. Where it is almost surely empty, and
at night water runs that does not run again by day, nobody has come home. One test a night of an empty home;
what is told is chosen over the whole fleet (:mod:`anomaly.discovery`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from anomaly.batch import Batch
from anomaly.day_table import DayTable
from anomaly.discovery import Q, Tested, discoveries
from anomaly.local_time import DAY
from anomaly.series import Flags, Floats
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Tier

__all__ = ["NightUse", "VacancyDetector"]

LEAVES, RETURNS = 1 / 60, 1 / 10
"""Chance of a day that a home is left for days, and that somebody returns."""
STILL_EMPTY = 0.97
"""Chance of no use on a day nobody is there."""
SURELY = 0.9
"""Nights are judged where the home is empty with this probability."""
PRIOR_DAYS, PRIOR_STILL = 10.0, 0.1
"""Before its own days a home is still on one day in ten."""
LEARNED_DAYS = 21
ONLY_AT_NIGHT, ONLY_DAYS = 0.2, 200.0
"""Before its own days: who is at home uses water at night and not by day on one day in a thousand."""
LEAST_L = 5.0
LEAST_DAYS = 5
"""Days without use before a home is called empty."""
STILL_L = 1.0
MEMORY_DAYS = 90.0


@dataclass(frozen=True, slots=True)
class NightUse:
    """Use in one night of an empty home, known at the end of that day (UTC seconds)."""

    meter: str
    day: int
    p: float
    litres: float
    empty_days: int
    known_at: int

    @property
    def family(self) -> int:
        """All empty homes of one night are one family."""
        return self.day


@dataclass(slots=True, eq=False)
class _Filter:
    """One row a home.

    Attributes:
        empty: probability that nobody is there.
        idle: days since the last use.
        days: known days.
        still: of them without use, though somebody lived there.
        only: of them with use at night and none by day, likewise.
    """

    empty: Floats
    idle: Floats
    days: Floats
    still: Floats
    only: Floats

    @classmethod
    def fresh(cls, meters: int) -> _Filter:
        none = np.zeros(meters)
        still, only = np.full(meters, PRIOR_STILL * PRIOR_DAYS), np.full(meters, ONLY_AT_NIGHT)
        return cls(np.full(meters, 0.02), none, none, still, only)

    @property
    def still_at_home(self) -> Floats:
        """Chance of a day without use though somebody lives there."""
        return np.asarray(self.still / (np.minimum(self.days, MEMORY_DAYS) + PRIOR_DAYS))

    @property
    def only_at_night(self) -> Floats:
        """Chance of use at night and none by day though somebody lives there."""
        return np.asarray(self.only / (self.days + ONLY_DAYS))

    def next_day(self) -> Floats:
        """Give how probable it is that each is empty, before anything is known of the day."""
        return np.asarray(self.empty * (1 - RETURNS) + (1 - self.empty) * LEAVES)

    def take_in(self, litres: Floats, night: Floats) -> None:
        """Learn from a day."""
        known, quiet = np.isfinite(litres), litres < STILL_L
        before, at_home = self.next_day(), np.clip(self.still_at_home, 0.01, 0.9)
        if_empty = np.where(quiet, STILL_EMPTY, 1 - STILL_EMPTY)
        if_not = np.where(quiet, at_home, 1 - at_home)
        after = before * if_empty / (before * if_empty + (1 - before) * if_not)
        self.empty = np.where(known, after, before)
        self.idle = np.where(known & ~quiet, 0, self.idle + 1)
        fading = np.where(known & (self.days >= MEMORY_DAYS), 1 - 1 / MEMORY_DAYS, 1.0)
        lived_in = known & (self.empty < 0.5)
        self.still = self.still * fading + (lived_in & quiet)
        self.only = self.only + (lived_in & (night >= LEAST_L) & (litres - night < STILL_L))
        self.days = self.days + known


@dataclass(frozen=True, slots=True)
class VacancyDetector:
    """Fleet detector of ``vacancy.night_use``."""

    names: tuple[str, ...] = ("vacancy.night_use",)
    blocked_by: frozenset[Reason] = frozenset(
        {
            Reason.NO_READINGS,
            Reason.ONE_READING,
            Reason.NO_KNOWN_HOURS,
            Reason.TOO_SPARSE,
            Reason.TOO_FEW_DAYS,
        }
    )

    def gather(self, batch: Batch) -> Tested[NightUse]:
        """Test every night of every empty home among some meters."""
        tested: Tested[NightUse] = Tested()
        table = DayTable.of(batch.ticks, batch.zone)
        homes = _Filter.fresh(len(batch.meters))
        for row in range(len(table)):
            empty = homes.next_day()
            at_night, by_day = table.night[row], table.litres[row] - table.night[row]
            judged = (
                (homes.empty >= SURELY)
                & (homes.idle >= LEAST_DAYS)
                & (homes.days >= LEARNED_DAYS)
                & np.isfinite(by_day)
            )
            if judged.any():
                tested.tests[table.first + row] += int(judged.sum())
                used = judged & (at_night >= LEAST_L) & (by_day < STILL_L)
                chance = (1 - empty) * homes.only_at_night
                _note(batch, table, row, used, (chance, at_night, homes.idle), tested)
            homes.take_in(table.litres[row], at_night)
        return tested

    def conclude(self, gathered: Iterable[Tested[NightUse]]) -> Iterator[Finding]:
        """Tell what is not chance over all empty homes of a night."""
        fleet: Tested[NightUse] = Tested()
        for one in gathered:
            fleet.add(one)
        for night in sorted(discoveries(fleet), key=lambda one: (one.known_at, one.meter)):
            evidence = {
                "litres": round(night.litres, 1),
                "empty_days": night.empty_days,
                "p": float(f"{night.p:.2g}"),
                "false_discovery_rate": Q,
            }
            at = night.known_at
            told = stage(Tier.NOTIFY, "vacancy.night_use", at, at - DAY, evidence)
            yield Finding(night.meter, (told,), moment(at))


def _note(  # noqa: PLR0913, PLR0917  one row of several tables
    batch: Batch,
    table: DayTable,
    row: int,
    used: Flags,
    numbers: tuple[Floats, Floats, Floats],
    tested: Tested[NightUse],
) -> None:
    chance, litres, idle = numbers
    for place in np.flatnonzero(used & (chance <= Q)).tolist():
        found = float(chance[place]), float(litres[place]), int(idle[place])
        known_at = int(table.known_at[row, place])
        tested.candidates.append(
            NightUse(batch.meters[place].facts.meter, table.first + row, *found, known_at)
        )
