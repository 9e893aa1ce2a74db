"""Calendar months between the values of a meter's memory.

A day past the end of a month becomes its last day, and the last day of a month stays the last day: 31 May,
30 April, 31 March, 29 February (EN 13757-3:2018, annex F).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TypeVar

__all__ = ["months_later"]

_Moment = TypeVar("_Moment", bound=date)


def months_later(moment: _Moment, months: int) -> _Moment | None:
    """Return the date (with the time of day, if any) so many months later, or earlier if negative.

    ``None`` where the calendar ends.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    last = monthrange(year, month + 1)[1]
    at_end = moment.day == monthrange(moment.year, moment.month)[1]
    return moment.replace(year=year, month=month + 1, day=last if at_end else min(moment.day, last))
