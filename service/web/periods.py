"""The periods a chart can show: a local day, week, month or year, with the ones before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from metering.consumption import Step, start_of_day
from service.web.i18n import Catalogue
from service.web.queries import Window

__all__ = ["STEPS", "Period", "Span"]


class Span(StrEnum):
    """How much a chart shows."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


STEPS = {
    Span.DAY: (Step.HOUR,),
    Span.WEEK: (Step.DAY, Step.HOUR),
    Span.MONTH: (Step.DAY,),
    Span.YEAR: (Step.MONTH, Step.DAY),
}
"""What a span can be cut into; the first is shown unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of local days, ``last`` exclusive."""

    span: Span
    first: date
    last: date

    @classmethod
    def around(cls, span: Span, day: date) -> Period:
        """Give the period that holds a day."""
        if span is Span.DAY:
            return cls(span, day, day + timedelta(days=1))
        if span is Span.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(span, monday, monday + timedelta(days=7))
        if span is Span.MONTH:
            first = day.replace(day=1)
            return cls(span, first, (first + timedelta(days=32)).replace(day=1))
        return cls(span, date(day.year, 1, 1), date(day.year + 1, 1, 1))

    @property
    def previous(self) -> date:
        """Give a day of the period before."""
        return self.first - timedelta(days=1)

    @property
    def following(self) -> date:
        """Give a day of the period after."""
        return self.last

    def window(self, zone: ZoneInfo) -> Window:
        """Give the moments it begins and ends."""
        return Window(start_of_day(self.first, zone), start_of_day(self.last, zone))

    def title(self, texts: Catalogue) -> str:
        """Name it for people: ``March 2026``."""
        last_day = self.last - timedelta(days=1)
        return texts(
            f"period.{self.span}",
            day=self.first.day,
            weekday=texts(f"weekday.{self.first.isoweekday()}"),
            month=texts(f"month.{self.first.month}"),
            year=self.first.year,
            last_day=last_day.day,
            last_month=texts(f"month.{last_day.month}"),
            last_year=last_day.year,
            week=self.first.isocalendar().week,
        )
