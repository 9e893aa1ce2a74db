"""When customers' states are taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from billing_bridge.estimate.history import same_day
from metering.errors import InvalidValue

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """When states are taken: days of the month, in local time; a last day of 31 is the month's end.

    Attributes:
        first_day: 1-28.
        last_day: ``first_day`` to 31, included.
        months: in which it opens, 1-12.
    """

    first_day: int = 1
    last_day: int = 31
    months: tuple[int, ...] = tuple(range(1, 13))

    def __post_init__(self) -> None:
        months = set(self.months)
        if not (1 <= self.first_day <= 28 and self.first_day <= self.last_day <= 31):
            raise InvalidValue(
                f"states are taken from day {self.first_day} to {self.last_day}: expected 1-31"
            )
        if not months or not months <= set(range(1, 13)):
            raise InvalidValue(f"states are taken in months {self.months}: expected numbers 1-12")

    def days(self, today: date) -> tuple[date, date]:
        """Give first and last day of the window that is open on a day, else of the next one."""
        month = today.replace(day=1)
        while True:
            end = same_day(month, 1) - timedelta(days=1)
            first, last = month.replace(day=self.first_day), month.replace(day=min(self.last_day, end.day))
            if month.month in self.months and today <= last:
                return first, last
            month = same_day(month, 1)
