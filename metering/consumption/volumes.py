"""One line of an index cut into volumes.

Every reading has one *place*: the boundary it is near enough to, or else its own time. An interval lies
between two places and its volume is the difference of the two totals, so the volumes of any line add up to
its last total minus its first, whatever the zone, the step and the gaps.

Nothing is interpolated. Where no reading is near enough to a boundary, the volume of the whole stretch
between its neighbours is known but not how it was spread: the stretch is one :attr:`Kind.GAP` across
several calendar intervals (missing is not zero). If both its totals are equal nothing passed the meter,
and then every interval in it is known to be zero. A fall stays a negative volume.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from metering.consumption.calendar import Step, boundaries
from metering.consumption.points import WIDE, IndexPoint

__all__ = ["SLACK", "Interval", "Kind", "cut", "intervals", "usual_age"]

SLACK = timedelta(minutes=1)
"""A logger that stamps 15:00:03 means 15:00: a reading this shortly after a boundary may count for it."""


class Kind(StrEnum):
    """What is known of an interval."""

    METERED = "metered"
    """One whole calendar interval with a reading at both ends."""
    PARTIAL = "partial"
    """Part of one calendar interval: readings begin or end inside it."""
    GAP = "gap"
    """A stretch without readings across calendar intervals: its total is known, its shape is not."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Volume between two places on the time axis.

    Attributes:
        start: UTC.
        end: UTC, exclusive.
        opening: the reading whose index counts at ``start``.
        closing: the reading whose index counts at ``end``.
        kind: what is known of it.
    """

    start: datetime
    end: datetime
    opening: IndexPoint
    closing: IndexPoint
    kind: Kind

    @property
    def volume(self) -> Decimal:
        """Closing total minus opening total, exact, in the register's unit."""
        return WIDE.subtract(self.closing.total, self.opening.total)

    @property
    def falling(self) -> bool:
        """Whether more came back than went through."""
        return self.closing.total < self.opening.total


_LONG_PERIOD = timedelta(days=2)
_OLDEST = {
    Step.HOUR: timedelta(hours=1),
    Step.DAY: timedelta(days=1),
    Step.WEEK: timedelta(days=1),
    Step.MONTH: _LONG_PERIOD,
}
"""An older reading says too little of where a boundary cuts the flow, however sparse the series is."""


def usual_age(series: Sequence[IndexPoint], step: Step | None = None) -> timedelta:
    """Give how old a reading may be at a boundary: one and a half times the usual (median) spacing.

    At most one hour, or one day at the boundary of a day or week, or two days at that of a month or of a
    period of the utility's own (``step`` is ``None``).
    """
    if len(series) < 2:
        return timedelta(0)
    times = [point.at.timestamp() for point in series]
    spacing = statistics.median(later - time for time, later in pairwise(times))
    return min(timedelta(seconds=1.5 * spacing), _OLDEST[step] if step else _LONG_PERIOD)


def intervals(
    series: Sequence[IndexPoint],
    step: Step,
    zone: ZoneInfo,
    *,
    max_age: timedelta | None = None,
    slack: timedelta = SLACK,
) -> tuple[Interval, ...]:
    """Cut an index series into volumes over calendar intervals.

    A boundary takes the reading nearest to it of the last one at or before it (``max_age`` at most) and
    the first one after it (``slack`` at most). A reading counts for one boundary only: without a newer one
    nothing is known of the interval that follows.

    Args:
        series: strictly increasing in time (:func:`index_series` makes it so).
        step: calendar interval.
        zone: whose calendar.
        max_age: how old a reading may be at a boundary; :func:`usual_age` of the series if not given.
        slack: how late after a boundary a reading may be and still count for it; less than a step.

    Returns:
        Intervals in order, without overlap or hole, from the first reading's place to the last one's. The
        sum of their volumes is the last index minus the first, exactly.
    """
    if len(series) < 2:
        return ()
    age = usual_age(series, step) if max_age is None else max_age
    marks = boundaries(series[0].at - slack, series[-1].at + age, step, zone)
    return cut(series, marks, max_age=age, slack=slack)


def cut(
    series: Sequence[IndexPoint],
    marks: Sequence[datetime],
    *,
    max_age: timedelta | None = None,
    slack: timedelta = SLACK,
) -> tuple[Interval, ...]:
    """Cut an index series at boundaries of one's own, as :func:`intervals` does at those of the calendar.

    Args:
        series: strictly increasing in time.
        marks: strictly increasing, UTC; readings before the first and after the last stay partial.
        max_age: how old a reading may be at a boundary; :func:`usual_age` of the series if not given.
        slack: how late after a boundary a reading may be and still count for it; less than their distance.
    """
    if len(series) < 2:
        return ()
    age = usual_age(series) if max_age is None else max_age
    nearest = _nearest_readings([point.at for point in series], marks, age, slack)
    places, gaps = _places(series, marks, nearest)
    return tuple(_between(series, places, gaps, set(marks)))


def _nearest_readings(
    times: Sequence[datetime], marks: Sequence[datetime], age: timedelta, slack: timedelta
) -> list[tuple[int, bool]]:
    """Give per boundary the number of the reading that counts for it, and whether it does count.

    The number is that of the last reading before a gap where it does not; -1 before the first reading.
    """
    found: list[tuple[int, bool]] = []
    used = -1
    for mark in marks:
        number = bisect_right(times, mark) - 1
        before = mark - times[number] if number >= 0 else None
        after = times[number + 1] - mark if number + 1 < len(times) else None
        if after is not None and after <= slack and (before is None or after < before):
            number, before = number + 1, timedelta(0)
        counts = before is not None and before <= age and number > used
        found.append((max(number, used), counts))
        used = number if counts else used
    return found


def _places(
    series: Sequence[IndexPoint], marks: Sequence[datetime], nearest: Sequence[tuple[int, bool]]
) -> tuple[list[tuple[datetime, int]], set[int]]:
    """Give the places in order as (time, number of the reading), and the readings a gap begins after."""
    last = len(series) - 1
    places = {number: mark for mark, (number, counts) in zip(marks, nearest, strict=True) if counts}
    gaps: set[int] = set()
    known_zero: list[tuple[datetime, int]] = []
    for mark, (number, counts) in zip(marks, nearest, strict=True):
        if counts or not 0 <= number < last:
            continue
        if series[number].total == series[number + 1].total:
            known_zero.append((mark, number))
        else:
            gaps.add(number)
    for number in (0, last, *gaps, *(number + 1 for number in gaps)):
        places.setdefault(number, series[number].at)
    ordered = [(moment, number) for number, moment in places.items()] + known_zero
    return sorted(ordered, key=lambda place: (place[1], place[0])), gaps


def _between(
    series: Sequence[IndexPoint], places: Sequence[tuple[datetime, int]], gaps: set[int], marks: set[datetime]
) -> Iterator[Interval]:
    for (start, first), (end, last) in pairwise(places):
        if first in gaps:
            kind = Kind.GAP
        elif start in marks and end in marks:
            kind = Kind.METERED
        else:
            kind = Kind.PARTIAL
        yield Interval(start, end, series[first], series[last], kind)
