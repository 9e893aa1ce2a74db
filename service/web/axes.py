"""Scales and ticks: where a moment and a value lie on a chart, and what is written beside the axes.

Binary floats live here and in ``charts`` only: they are pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from metering.consumption import IndexPoint, Step, boundaries
from service.web.i18n import Catalogue

__all__ = ["NARROW", "WIDE", "Plot", "Size", "Tick", "time_ticks", "value_ticks"]


@dataclass(frozen=True, slots=True)
class Size:
    """A chart's size in pixels and how many ticks have room."""

    name: str
    width: int
    height: int
    left: int
    ticks: int
    font: int = 12
    top: int = 22
    bottom: int = 26
    right: int = 8


WIDE = Size("wide", 960, 300, left=62, ticks=16)
NARROW = Size("narrow", 340, 230, left=52, ticks=7, font=11)


@dataclass(frozen=True, slots=True)
class Plot:
    """The area of a chart between its axes."""

    size: Size
    since: datetime
    until: datetime
    low: float
    high: float

    @property
    def bottom(self) -> float:
        """Pixel row of the lower edge."""
        return self.size.height - self.size.bottom

    @property
    def right(self) -> float:
        """Pixel column of the right edge."""
        return self.size.width - self.size.right

    def x(self, moment: datetime) -> float:
        """Give the pixel column of a moment, kept inside the plot."""
        share = (moment - self.since) / (self.until - self.since)
        return self.size.left + min(max(share, 0.0), 1.0) * (self.right - self.size.left)

    def y(self, value: float) -> float:
        """Give the pixel row of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.size.top)

    def pixels(self, points: Iterable[IndexPoint]) -> list[tuple[float, float]]:
        """Give column and row of points inside the plot: :meth:`x` and :meth:`y` for thousands at once."""
        across = (self.right - self.size.left) / (self.until - self.since).total_seconds()
        upwards = (self.bottom - self.size.top) / (self.high - self.low)
        left, floor, since, low = self.size.left, self.bottom, self.since, self.low
        return [
            (left + (at - since).total_seconds() * across, floor - (float(value) - low) * upwards)
            for at, value in ((point.at, point.value) for point in points)
        ]


@dataclass(frozen=True, slots=True)
class Tick:
    """A label below the time axis: at ``at``, or in the middle of ``at`` .. ``end`` if that is given."""

    at: datetime
    text: str
    end: datetime | None = None


def value_ticks(low: float, high: float, about: int = 4) -> list[tuple[float, str]]:
    """Give round values that embrace ``low`` .. ``high``: 1, 2 or 5 times a power of ten apart."""
    spread = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(spread / about))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * about >= spread * 0.999)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [(n * step, f"{n * step:.{digits}f}") for n in range(first, max(last, first + 1) + 1)]


def time_ticks(since: datetime, until: datetime, zone: ZoneInfo, texts: Catalogue, room: int) -> list[Tick]:
    """Give labels for a period: hours of a day, days up to two months, months beyond."""
    length = until - since
    if length <= timedelta(hours=50):
        return list(_hour_ticks(since, until, zone, room))
    if length <= timedelta(days=62):
        return list(_day_ticks(since, until, zone, texts, room))
    return list(_month_ticks(since, until, zone, texts, room))


def _hour_ticks(since: datetime, until: datetime, zone: ZoneInfo, room: int) -> Iterator[Tick]:
    every = 3 if (until - since) / timedelta(hours=3) <= room else 6
    for mark in boundaries(since, until, Step.HOUR, zone):
        here = mark.astimezone(zone)
        if since <= mark < until and here.hour % every == 0 and not here.fold:
            yield Tick(mark, f"{here:%H:%M}")


def _day_ticks(
    since: datetime, until: datetime, zone: ZoneInfo, texts: Catalogue, room: int
) -> Iterator[Tick]:
    days = boundaries(since, until, Step.DAY, zone)
    weekdays = len(days) <= 9
    every = 1 if weekdays else max(1, math.ceil(len(days) / (room * 2)))
    for day, following in pairwise(days):
        here = day.astimezone(zone)
        if (here.day - 1) % every == 0:
            yield Tick(day, _day_name(here, texts, room) if weekdays else str(here.day), following)


def _day_name(day: datetime, texts: Catalogue, room: int) -> str:
    name = texts(f"weekday.{day.isoweekday()}")
    return f"{name} {day.day}" if room > 7 else name


def _month_ticks(
    since: datetime, until: datetime, zone: ZoneInfo, texts: Catalogue, room: int
) -> Iterator[Tick]:
    months = boundaries(since, until, Step.MONTH, zone)
    every = max(1, math.ceil(len(months) / room))
    for number, (month, following) in enumerate(pairwise(months)):
        if number % every == 0:
            yield Tick(month, texts(f"month_short.{month.astimezone(zone).month}"), following)
