"""What a customer asks to see: a span of local days, cut into hours, days or months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from metering.consumption import Step
from metering.errors import InvalidValue
from service.web.periods import STEPS, Period, Span

__all__ = ["Asked", "Compare", "Shape", "asked_for"]

_Choice = TypeVar("_Choice", bound=StrEnum)
_WIDEST = {Step.HOUR: 62, Step.DAY: 800, Step.WEEK: 4000, Step.MONTH: 40_000}
"""Days a range may have, by what it is cut into."""


class Compare(StrEnum):
    """What stands behind the columns."""

    NONE = "none"
    PREVIOUS = "previous"
    LAST_YEAR = "last-year"


class Shape(StrEnum):
    """How it is drawn."""

    COLUMNS = "columns"
    LINE = "line"
    INDEX = "index"
    """The state of the dial instead of what passed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A span and how it is cut.

    Attributes:
        first: first local day.
        last: last local day, exclusive.
        step: calendar interval.
        span: day, week, month or year; ``None`` = a range of one's own.
        compare: what stands behind it.
        shape: columns or line.
    """

    first: date
    last: date
    step: Step
    span: Span | None = None
    compare: Compare = Compare.NONE
    shape: Shape = Shape.COLUMNS

    @property
    def behind(self) -> tuple[date, date] | None:
        """Give the span it is compared with."""
        if self.compare is Compare.NONE:
            return None
        if self.compare is Compare.LAST_YEAR:
            return _year_before(self.first), _year_before(self.last)
        if self.span is None:
            return self.first - (self.last - self.first), self.first
        before = Period.around(self.span, self.first - timedelta(days=1))
        return before.first, before.last


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def asked_for(  # noqa: PLR0913, PLR0917  what an address may say
    today: date,
    span: str = "",
    day: str = "",
    first: str = "",
    last: str = "",
    step: str = "",
    compare: str = "",
    shape: str = "",
) -> Asked:
    """Read what an address asks for; the current month if it says nothing.

    Args:
        today: local.
        span: day, week, month, year; not with a range.
        day: any day of the span.
        first: first day of a range.
        last: last day of a range, shown too.
        step: hour, day, week, month; by the span if not said.
        compare: none, previous, last-year.
        shape: columns, line.

    Raises:
        InvalidValue: what cannot be, one sentence.
    """
    behind, drawn = _one(Compare, compare, "compare"), _one(Shape, shape, "shape")
    if first or last:
        begin, end = _day(first or last), _day(last or first) + timedelta(days=1)
        if begin >= end:
            raise InvalidValue(f"the range ends ({last}) before it begins ({first})")
        asked = Asked(begin, end, _step(step) or _step_for((end - begin).days), None, behind, drawn)
    else:
        kind = _one(Span, span, "span") if span else Span.MONTH
        period = Period.around(kind, _day(day) if day else today)
        asked = Asked(period.first, period.last, _step(step) or STEPS[kind][0], kind, behind, drawn)
    widest = _WIDEST[asked.step]
    if (asked.last - asked.first).days > widest:
        raise InvalidValue(
            f"{(asked.last - asked.first).days} days by the {asked.step} are too many; {widest} at most"
        )
    return asked


def _step_for(days: int) -> Step:
    return Step.HOUR if days <= 2 else Step.DAY if days <= 92 else Step.MONTH


def _step(text: str) -> Step | None:
    return _one(Step, text, "step") if text else None


def _one(kind: type[_Choice], text: str, name: str) -> _Choice:
    try:
        return kind(text) if text else next(iter(kind))
    except ValueError:
        raise InvalidValue(f"{name} {text[:20]!r} is none of {', '.join(kind)}") from None


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{text[:20]!r} is not a date like 2026-01-31") from None
    if not 1990 <= day.year < 2200:
        raise InvalidValue(f"{text} is not between 1990 and 2200")
    return day
