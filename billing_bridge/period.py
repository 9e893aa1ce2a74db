"""Billing periods: calendars as data, cut where something happened, in the utility's zone.

::

    calendar   |      2026-01       |      2026-02       |      2026-03       |
    cuts                  x move-out          x on demand
    periods    |----------|---------|---------|----------|--------------------|

A calendar says in which months a period begins and on which day. Periods always tile the time: each ends
where the next begins, in local days of 23, 24 or 25 hours. What happens in between (a final read at moving
out, a customer who asks for an invoice) cuts a period in two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from metering.consumption import billing_boundaries, start_of_day
from metering.errors import InvalidValue
from metering.reading import utc

__all__ = ["EVERY_TWO_MONTHS", "FOUR_MONTHS", "MONTHLY", "Calendar", "Calendars", "Cause", "Cut", "Period"]

MONTHLY = tuple(range(1, 13))
EVERY_TWO_MONTHS = (1, 3, 5, 7, 9, 11)
FOUR_MONTHS = (1, 5, 9)
"""January to April, May to August, September to December."""


class Cause(StrEnum):
    """Why a period ends."""

    CALENDAR = "calendar"
    ON_DEMAND = "on demand"
    """The customer or an operator asked for a bill."""
    FINAL = "final"
    """The tenancy ended: moving out."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment inside the calendar at which a period ends and the next one begins."""

    at: datetime
    cause: Cause

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of time that is billed as one.

    Attributes:
        start: UTC.
        end: UTC, exclusive; the start of the period that follows.
        id: both ends in local days, ``2026-05-01..2026-09-01``; where an end is no midnight, in UTC,
            ``2026-05-01..20260517T081500Z``. The second is the first moment that no longer belongs to it.
        cause: why it ends.
    """

    start: datetime
    end: datetime
    id: str
    cause: Cause = Cause.CALENDAR

    @property
    def days(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Calendar:
    """When periods begin.

    Attributes:
        zone: the utility's.
        begins_in: months (1-12) in which a period begins, rising.
        first_day: day of the month (1-28) on which it begins.
    """

    zone: ZoneInfo
    begins_in: tuple[int, ...] = MONTHLY
    first_day: int = 1

    def __post_init__(self) -> None:
        months = self.begins_in
        if not months or list(months) != sorted(set(months)) or not set(months) <= set(MONTHLY):
            raise InvalidValue(f"periods begin in months {months}: expected numbers 1-12, each once, rising")
        if not 1 <= self.first_day <= 28:
            raise InvalidValue(f"periods begin on day {self.first_day}: expected 1-28, which every month has")

    def periods(self, since: datetime, until: datetime, cuts: Iterable[Cut] = ()) -> tuple[Period, ...]:
        """Give the periods that embrace a stretch of time, in order, without hole or overlap.

        From the calendar's last beginning at or before ``since`` to its first one at or after ``until``.

        Args:
            since: UTC.
            until: UTC, after ``since``.
            cuts: where a period ends out of turn; those outside, and those on a beginning, change no time.

        Raises:
            InvalidValue: a time without zone, or nothing lies between the two.
        """
        since, until = utc(since), utc(until)
        if since >= until:
            raise InvalidValue(f"no time lies between {since.isoformat()} and {until.isoformat()}")
        marks = _embracing(self._beginnings(since, until), since, until)
        causes = {cut.at: cut.cause for cut in sorted(cuts, key=lambda one: (one.at, one.cause))}
        inside = [at for at in causes if marks[0] < at < marks[-1]]
        return tuple(
            Period(start, end, self._id(start, end), causes.get(end, Cause.CALENDAR))
            for start, end in pairwise(sorted({*marks, *inside}))
        )

    def at(self, moment: datetime, cuts: Iterable[Cut] = ()) -> Period:
        """Give the period a moment lies in."""
        moment = utc(moment)
        around = self.periods(moment, moment + timedelta(microseconds=1), cuts)
        return next(one for one in around if one.start <= moment < one.end)

    def _beginnings(self, since: datetime, until: datetime) -> list[datetime]:
        years = range(since.astimezone(self.zone).year - 1, until.astimezone(self.zone).year + 2)
        days = (date(year, month, self.first_day) for year in years for month in self.begins_in)
        return billing_boundaries(days, self.zone)

    def _id(self, start: datetime, end: datetime) -> str:
        return f"{self._named(start)}..{self._named(end)}"

    def _named(self, moment: datetime) -> str:
        day = moment.astimezone(self.zone).date()
        if start_of_day(day, self.zone) == moment:
            return day.isoformat()
        form = "%Y%m%dT%H%M%S.%fZ" if moment.microsecond else "%Y%m%dT%H%M%SZ"
        return moment.astimezone(UTC).strftime(form)


@dataclass(frozen=True, slots=True)
class Calendars:
    """The utility's calendars.

    Attributes:
        usual: of service points whose route has none of its own.
        by_route: of reading routes.
    """

    usual: Calendar
    by_route: Mapping[str, Calendar] = field(default_factory=dict)

    def of(self, route: str) -> Calendar:
        """Give the calendar of a reading route."""
        return self.by_route.get(route, self.usual)


def _embracing(marks: Sequence[datetime], since: datetime, until: datetime) -> Sequence[datetime]:
    first = max(number for number, mark in enumerate(marks) if mark <= since)
    last = min(number for number, mark in enumerate(marks) if mark >= until)
    return marks[first : last + 1]
