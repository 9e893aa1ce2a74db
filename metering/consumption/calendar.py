"""The utility's calendar: local hours, days of 23, 24 or 25 hours, weeks, months, billing periods."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

__all__ = ["Step", "billing_boundaries", "boundaries", "start_of_day"]


class Step(StrEnum):
    """A calendar interval."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """Monday to Sunday (ISO 8601)."""
    MONTH = "month"


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
    starts = [start_of_day(day, zone) for day in _FIRST_DAYS[step](first, last)]
    if step is Step.HOUR:
        starts = [hour for begin, end in pairwise(starts) for hour in _hours(begin, end)]
    return _around(_increasing(starts), since, until)


def billing_boundaries(first_days: Iterable[date], zone: ZoneInfo) -> list[datetime]:
    """Give the moments at which billing periods begin, UTC, strictly increasing, for :func:`cut`.

    Args:
        first_days: first local day of each period, in any order; the last one ends the last period.
        zone: the utility's.
    """
    return _increasing(sorted(start_of_day(day, zone) for day in first_days))


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _weeks(first: date, last: date) -> Iterator[date]:
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield monday
        monday += timedelta(days=7)
    yield monday


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


_FIRST_DAYS: dict[Step, Callable[[date, date], Iterator[date]]] = {
    Step.HOUR: _days,
    Step.DAY: _days,
    Step.WEEK: _weeks,
    Step.MONTH: _months,
}
"""The first days of the steps from the one that holds the first day to the one after the last day."""


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
