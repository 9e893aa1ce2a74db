"""What real reads on record say of usage, as exact fractions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from metering.consumption import IndexPoint, start_of_day
from metering.consumption.points import microseconds

__all__ = ["daily_mean", "months_between", "same_day", "shifted"]

_DAY = 86_400_000_000
"""Microseconds."""


def daily_mean(line: Sequence[IndexPoint], since: datetime, until: datetime) -> Fraction | None:
    """Give m3 per day of 24 hours over the reads that lie in a stretch of time.

    ``None`` where they cover less than half of it: that says too little of the whole.

    Args:
        line: real reads, strictly increasing in time.
        since: UTC.
        until: UTC, inclusive.
    """
    first = bisect_left(line, since, key=_at)
    last = bisect_right(line, until, key=_at) - 1
    if last <= first:
        return None
    covered = microseconds(line[last].at) - microseconds(line[first].at)
    if 2 * covered < microseconds(until) - microseconds(since):
        return None
    return (Fraction(line[last].total) - Fraction(line[first].total)) * _DAY / covered


def shifted(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    """Give the same local time some months later (or earlier), on the month's last day if it is shorter."""
    local = moment.astimezone(zone)
    moved = datetime.combine(same_day(local.date(), months), local.time(), zone)
    return moved.astimezone(moment.tzinfo)


def same_day(day: date, months: int) -> date:
    """Give the same day some months later (or earlier), or the month's last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_between(since: datetime, until: datetime, zone: ZoneInfo) -> Fraction:
    """Count months from one moment to another; of a month begun, the share that lies between."""
    count = Fraction(0)
    first = since.astimezone(zone).date().replace(day=1)
    while (start := start_of_day(first, zone)) < until:
        first = same_day(first, 1)
        end = start_of_day(first, zone)
        inside = microseconds(min(until, end)) - microseconds(max(since, start))
        count += Fraction(inside, microseconds(end) - microseconds(start))
    return count


def _at(point: IndexPoint) -> datetime:
    return point.at
