"""Volumes where no later read is known: the methods that law or contract lay down, as a table.

A projection is billed meanwhile and never becomes a reading: when the meter is read again, what it then says
counts, and the difference is absorbed or corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias
from zoneinfo import ZoneInfo

from billing_bridge.estimate.between import floored
from billing_bridge.estimate.estimated import Method, NoEstimate, Projection, Settings
from billing_bridge.estimate.history import daily_mean, months_between, shifted
from metering.consumption import IndexPoint, start_of_day
from metering.consumption.points import microseconds

__all__ = ["POLAND", "ROMANIA", "ROMANIA_THREE_MONTHS", "Missing", "project"]

POLAND = (
    Method.THREE_MONTHS_BEFORE,
    Method.SAME_PERIOD_LAST_YEAR,
    Method.MONTHLY_MEAN_LAST_YEAR,
    Method.NORM,
)
"""Regulation of 27 February 2018 (Dz.U. 2018/472), then the norms of the act of 7 June 2001, art. 27."""

ROMANIA = (Method.YEAR_BEFORE, Method.ANY_HISTORY, Method.NORM)
"""Daily mean of the year before, else whatever history, else the norm of order 29/N/1993."""

ROMANIA_THREE_MONTHS = (Method.THREE_MONTHS_BEFORE, Method.ANY_HISTORY, Method.NORM)
"""Operators that correct by the last three months."""

_DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch of time without a meter that can be believed.

    Attributes:
        since: UTC; the last real read, or the start of the period if that is later.
        until: UTC.
        history: real reads before, one line, strictly increasing in time.
        zone: the utility's.
    """

    since: datetime
    until: datetime
    history: Sequence[IndexPoint]
    zone: ZoneInfo


def project(missing: Missing, settings: Settings) -> Projection | NoEstimate:
    """Give the volume by the first method of the utility that has what it needs."""
    for method in settings.projections:
        volume = _METHODS[method](missing, settings)
        if volume is not None and volume >= 0:
            told = {"since": missing.since.isoformat(), "until": missing.until.isoformat()}
            return Projection(floored(volume, settings.resolution_m3), method, told)
    tried = ", ".join(settings.projections) or "none is set"
    return NoEstimate(f"no method has what it needs ({tried})")


def _days(missing: Missing) -> Fraction:
    return Fraction(microseconds(missing.until) - microseconds(missing.since), _DAY)


def _by_mean(missing: Missing, since: datetime, until: datetime) -> Fraction | None:
    mean = daily_mean(missing.history, since, until)
    return None if mean is None else mean * _days(missing)


def _three_months_before(missing: Missing, _settings: Settings) -> Fraction | None:
    return _by_mean(missing, shifted(missing.since, -3, missing.zone), missing.since)


def _same_period_last_year(missing: Missing, _settings: Settings) -> Fraction | None:
    since, until = (shifted(one, -12, missing.zone) for one in (missing.since, missing.until))
    return _by_mean(missing, since, until)


def _monthly_mean_last_year(missing: Missing, _settings: Settings) -> Fraction | None:
    year = missing.since.astimezone(missing.zone).year
    since, until = (start_of_day(date(one, 1, 1), missing.zone) for one in (year - 1, year))
    mean = daily_mean(missing.history, since, until)
    if mean is None:
        return None
    monthly = mean * Fraction(microseconds(until) - microseconds(since), _DAY) / 12
    return monthly * months_between(missing.since, missing.until, missing.zone)


def _year_before(missing: Missing, _settings: Settings) -> Fraction | None:
    return _by_mean(missing, shifted(missing.since, -12, missing.zone), missing.since)


def _any_history(missing: Missing, settings: Settings) -> Fraction | None:
    history = [one for one in missing.history if one.at <= missing.since]
    if not history or missing.since - history[0].at < timedelta(days=settings.least_history_days):
        return None
    return _by_mean(missing, history[0].at, history[-1].at)


def _reference_days(missing: Missing, _settings: Settings) -> Fraction | None:
    """Of each local day begun, the share that is missing of the mean of four such weekdays."""
    total = Fraction(0)
    day = missing.since.astimezone(missing.zone).date()
    while (start := start_of_day(day, missing.zone)) < missing.until:
        end = start_of_day(day + timedelta(days=1), missing.zone)
        mean = _weekday_mean(missing, day)
        if mean is None:
            return None
        inside = microseconds(min(end, missing.until)) - microseconds(max(start, missing.since))
        total += mean * Fraction(inside, _DAY)
        day += timedelta(days=1)
    return total


def _weekday_mean(missing: Missing, day: date) -> Fraction | None:
    """Give m3 per 24 hours, from the last four whole days of that weekday of which at least half was read."""
    last = missing.since.astimezone(missing.zone).date()
    back = (last - day).days % 7 or 7
    days = [last - timedelta(days=back + 7 * week) for week in range(4)]
    ends = [tuple(start_of_day(one + timedelta(days=n), missing.zone) for n in (0, 1)) for one in days]
    means = [mean for since, until in ends if (mean := daily_mean(missing.history, since, until)) is not None]
    return sum(means, Fraction(0)) / len(means) if means else None


def _norm(missing: Missing, settings: Settings) -> Fraction | None:
    norm: Decimal | None = settings.norm_m3_per_day
    return None if norm is None else Fraction(norm) * _days(missing)


_Projector: TypeAlias = Callable[[Missing, Settings], Fraction | None]

_METHODS: dict[Method, _Projector] = {
    Method.THREE_MONTHS_BEFORE: _three_months_before,
    Method.SAME_PERIOD_LAST_YEAR: _same_period_last_year,
    Method.MONTHLY_MEAN_LAST_YEAR: _monthly_mean_last_year,
    Method.YEAR_BEFORE: _year_before,
    Method.REFERENCE_DAYS: _reference_days,
    Method.ANY_HISTORY: _any_history,
    Method.NORM: _norm,
}
