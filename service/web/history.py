"""What one meter's register did in a period: the one source of chart, table and CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from metering.consumption import SLACK, IndexPoint, Interval, Step, index_series, intervals
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Function, Register
from service.web.queries import Window

__all__ = ["MAIN_INDEX", "History", "is_index", "read_history"]

MAIN_INDEX = Register("volume")
_COUNTING = {"volume", "energy", "mass"}
_NEXT_READING_WITHIN = timedelta(days=3_660)


@dataclass(frozen=True, slots=True)
class History:
    """A register's readings in a period and the volumes between them.

    Attributes:
        register: which.
        unit: of the values.
        window: the period.
        step: calendar interval the volumes are cut into.
        points: readings in the period.
        intervals: volumes that touch the period; the first and the last may reach beyond it.
    """

    register: Register
    unit: str
    window: Window
    step: Step
    points: tuple[IndexPoint, ...]
    intervals: tuple[Interval, ...]

    @property
    def within(self) -> tuple[Interval, ...]:
        """Intervals that lie wholly in the period."""
        return tuple(one for one in self.intervals if self.holds(one))

    def holds(self, interval: Interval) -> bool:
        """Whether an interval lies wholly in the period."""
        return self.window.since <= interval.start and interval.end <= self.window.until

    @property
    def volume(self) -> Decimal | None:
        """Closing index minus opening index of what lies wholly in the period; ``None`` if nothing does."""
        inside = self.within
        if not inside:
            return None
        return Interval(
            inside[0].start, inside[-1].end, inside[0].opening, inside[-1].closing, inside[0].kind
        ).volume

    @property
    def complete(self) -> bool:
        """Whether the volume is that of the whole period: index known at both ends."""
        inside = self.within
        return bool(inside) and (inside[0].start, inside[-1].end) == (self.window.since, self.window.until)


def is_index(register: Register) -> bool:
    """Whether a register counts up, so that a difference of two readings is a consumption."""
    return (
        register.quantity in _COUNTING
        and register.function is Function.INSTANTANEOUS
        and register.storage == 0
    )


def read_history(  # noqa: PLR0913  a register of a meter, a period, and how a calendar cuts it
    tx: Transaction, meter: MeterId, register: Register, *, window: Window, step: Step, zone: ZoneInfo
) -> History:
    """Read a period, with the reading before it and the one after it for the intervals at its edges."""
    before = tx.readings.before(meter, register, window.since)
    inside = tx.readings.series(meter, register, window.since, window.until + SLACK)
    far = window.until + _NEXT_READING_WITHIN
    after = tx.readings.series(meter, register, window.until + SLACK, far, limit=1)
    readings = [*([before] if before else []), *inside, *after]
    series = index_series(readings)
    volumes = intervals(series, step, zone) if is_index(register) else ()
    return History(
        register=register,
        unit=readings[0].unit if readings else "",
        window=window,
        step=step,
        points=tuple(point for point in series if window.since <= point.at < window.until),
        intervals=tuple(one for one in volumes if one.start < window.until and one.end > window.since),
    )
