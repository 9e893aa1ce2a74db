"""Index series into volumes over local calendar intervals, exactly.

::

    readings      o    o    o              o    o      o
    boundaries  |    |    |    |    |    |    |    |
    intervals   ·····|metered  |   gap     ·    |metered

Every reading has one *place*: the calendar boundary it is near enough to, or else its own time. An
interval lies between two places and its volume is the difference of the two indices, so the volumes of
any series add up to its last index minus its first, whatever the zone, the step and the gaps.

Nothing is interpolated. Where no reading is near enough to a boundary, the volume of the whole stretch
between its neighbours is known but not how it was spread: the stretch is one :attr:`Kind.GAP` across
several calendar intervals (missing is not zero). If both its indices are equal nothing passed the meter,
and then every interval in it is known to be zero.

Roll-over and meter exchange are not told from a falling index here: a fall stays a negative volume.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from metering.reading import Reading

__all__ = [
    "SLACK",
    "IndexPoint",
    "Interval",
    "Kind",
    "Step",
    "boundaries",
    "index_series",
    "intervals",
    "start_of_day",
    "usual_age",
]

SLACK = timedelta(minutes=1)
"""A logger that stamps 15:00:03 means 15:00: a reading this shortly after a boundary may count for it."""

_WIDE = Context(prec=100)
"""Wide enough that no difference of two registers is ever rounded."""


class Step(StrEnum):
    """A calendar interval."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Kind(StrEnum):
    """What is known of an interval."""

    METERED = "metered"
    """One whole calendar interval with a reading at both ends."""
    PARTIAL = "partial"
    """Part of one calendar interval: readings begin or end inside it."""
    GAP = "gap"
    """A stretch without readings across calendar intervals: its total is known, its shape is not."""


@dataclass(frozen=True, slots=True, order=True)
class IndexPoint:
    """State of a register: ``at`` UTC, ``value`` exact in the register's unit."""

    at: datetime
    value: Decimal


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
        """Closing index minus opening index, exact, in the register's unit."""
        return _WIDE.subtract(self.closing.value, self.opening.value)

    @property
    def falling(self) -> bool:
        """Whether the index went down."""
        return self.closing.value < self.opening.value


def index_series(readings: Iterable[Reading]) -> tuple[IndexPoint, ...]:
    """Give the index by time, one point per moment.

    Of several values at the same moment the lowest counts: a wrong high value must not make the good
    ones after it look like a fall.
    """
    points = sorted((reading.measured_at, reading.value) for reading in readings)
    first_of_moment = [point for n, point in enumerate(points) if n == 0 or point[0] != points[n - 1][0]]
    return tuple(IndexPoint(at, value) for at, value in first_of_moment)


# --- the local calendar --------------------------------------------------------------------------


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Give the moment a local day begins, UTC.

    Where clocks skip midnight the day begins with the change; where midnight comes twice, with the first.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def boundaries(since: datetime, until: datetime, step: Step, zone: ZoneInfo) -> list[datetime]:
    """Give the calendar boundaries that embrace a period, UTC, strictly increasing.

    From the last one at or before ``since`` to the first one at or after ``until``. A local day has 23, 24
    or 25 hours (other lengths where clocks change by other amounts); its hours are counted from its
    beginning.
    """
    # A day more on both sides: where clocks go back over midnight a local date comes twice.
    first = since.astimezone(zone).date() - timedelta(days=1)
    last = until.astimezone(zone).date() + timedelta(days=2)
    if step is Step.MONTH:
        starts = [start_of_day(day, zone) for day in _months(first, last)]
    else:
        count = (last - first).days + 1
        starts = [start_of_day(first + timedelta(days=n), zone) for n in range(count)]
    if step is Step.HOUR:
        starts = [hour for begin, end in pairwise(starts) for hour in _hours(begin, end)]
    return _around(_increasing(starts), since, until)


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
    yield month


def _hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += timedelta(hours=1)


def _increasing(moments: Iterable[datetime]) -> list[datetime]:
    """Leave out days that the zone skipped as a whole (Samoa, 30 December 2011)."""
    kept: list[datetime] = []
    for moment in moments:
        if not kept or moment > kept[-1]:
            kept.append(moment)
    return kept


def _around(moments: list[datetime], since: datetime, until: datetime) -> list[datetime]:
    low = bisect_right(moments, since) - 1
    high = bisect_right(moments, until)
    return moments[max(low, 0) : high if moments[high - 1] == until else high + 1]


# --- volumes -------------------------------------------------------------------------------------


_OLDEST = {Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(days=1), Step.MONTH: timedelta(days=2)}
"""An older reading says too little of where a boundary cuts the flow, however sparse the series is."""


def usual_age(series: Sequence[IndexPoint], step: Step) -> timedelta:
    """Give how old a reading may be at a boundary: one and a half times the usual (median) spacing.

    At most one hour, one day, or two days at the boundary of a month.
    """
    if len(series) < 2:
        return timedelta(0)
    spacing = statistics.median((later.at - point.at).total_seconds() for point, later in pairwise(series))
    return min(timedelta(seconds=1.5 * spacing), _OLDEST[step])


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
    times = [point.at for point in series]
    marks = boundaries(times[0] - slack, times[-1] + age, step, zone)
    nearest = _nearest_readings(times, marks, age, slack)
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
        if series[number].value == series[number + 1].value:
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
