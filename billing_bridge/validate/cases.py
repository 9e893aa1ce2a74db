"""What rules are asked about: a state that arrived, a period that closes, a series of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from metering.consumption import Interval
from metering.meter import Installation, MeterId

__all__ = ["Arrival", "IntervalCase", "PeriodCase", "Reference", "ReferenceKind", "SubMeter"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A state of a register, as it arrives.

    Attributes:
        meter: whose.
        service_point: where it is said to hang.
        at: when it was read, UTC.
        value: the index, exact.
        unit: its unit as told.
        now: UTC.
        earlier_at: when the last accepted state before it was read; ``None`` = this is the first.
        earlier: that state, in the registered unit.
        same_moment: another state of the same moment that was accepted already.
        installations: where this meter hung and hangs; ``None`` = the registry was not asked.
        clock_drift: how far the device's clock is off; ``None`` = not known.
        registered_unit: unit of the register.
        digits: whole digits on the dial; ``None`` = not known.
        q3_m3h: permanent flow rate (ISO 4064-1), m3/h; ``None`` = not known.
        exchanged: the meter was exchanged between ``earlier_at`` and ``at``.
    """

    meter: MeterId
    service_point: str
    at: datetime
    value: Decimal
    unit: str
    now: datetime
    earlier_at: datetime | None = None
    earlier: Decimal | None = None
    same_moment: Decimal | None = None
    installations: Sequence[Installation] | None = None
    clock_drift: timedelta | None = None
    registered_unit: str = "m3"
    digits: int | None = None
    q3_m3h: Decimal | None = None
    exchanged: bool = False


class ReferenceKind(StrEnum):
    """What an average daily usage was taken from, in order of preference."""

    SAME_PERIOD_LAST_YEAR = "same period last year"
    PREVIOUS_PERIOD = "previous period"
    CLASS_MEDIAN = "class median"


@dataclass(frozen=True, slots=True)
class Reference:
    """Average daily usage to compare with.

    Attributes:
        kind: where it comes from.
        m3_per_day: exact.
        estimated: share of the history that was estimated, 0 to 1.
    """

    kind: ReferenceKind
    m3_per_day: Decimal
    estimated: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SubMeter:
    """A meter behind the main one whose volume is deducted, or should add up with others.

    Attributes:
        meter: which.
        volume_m3: over the same period.
        legal_until: last local day of its legalization; ``None`` = not on record.
    """

    meter: MeterId
    volume_m3: Decimal
    legal_until: date | None


@dataclass(frozen=True, slots=True)
class PeriodCase:
    """A period of one register that is about to be billed.

    Attributes:
        start: UTC.
        end: UTC, exclusive.
        closing_day: local day of the closing read.
        volume_m3: what passed; ``None`` = not known.
        references: average daily usages on record, in any order.
        active: there is a tenancy; ``False`` = closed or terminated.
        opening_off: how far the opening read is from the start; ``None`` = there is none near.
        closing_off: how far the closing read is from the end, likewise.
        manual: read by people, not by radio: the window is wider.
        exchanges: for each exchange in the period, whether both indices are on the protocol.
        estimated_periods: periods estimated in a row, this one included.
        last_actual: when the last actual read was, UTC; ``None`` = never.
        alarms: names of device alarms since the last read; ``None`` = the device tells none.
        intervals_m3: volumes of the intervals within; ``None`` = none kept.
        index_delta_m3: difference of the indices at their ends, for the sum check.
        resolution_m3: smallest step of the register.
        legal_until: last local day of the meter's legalization; ``None`` = not on record.
        subs: meters behind this one.
    """

    start: datetime
    end: datetime
    closing_day: date
    volume_m3: Decimal | None
    references: Sequence[Reference] = ()
    active: bool = True
    opening_off: timedelta | None = timedelta(0)
    closing_off: timedelta | None = timedelta(0)
    manual: bool = False
    exchanges: Sequence[bool] = ()
    estimated_periods: int = 0
    last_actual: datetime | None = None
    alarms: Sequence[str] | None = None
    intervals_m3: Sequence[Decimal] | None = None
    index_delta_m3: Decimal | None = None
    resolution_m3: Decimal = Decimal("0.001")
    legal_until: date | None = None
    subs: Sequence[SubMeter] = ()

    @property
    def days(self) -> Decimal:
        """Length in days of 24 hours, exact to the second."""
        return Decimal(int((self.end - self.start).total_seconds())) / 86_400


@dataclass(frozen=True, slots=True)
class IntervalCase:
    """A series of interval volumes of one register.

    Attributes:
        boundaries: the calendar boundaries that should delimit them, UTC, increasing
            (:func:`metering.consumption.boundaries`): days of 23, 24 or 25 hours are right as they are.
        intervals: what :func:`metering.consumption.intervals` gave, m3.
    """

    boundaries: Sequence[datetime]
    intervals: Sequence[Interval]
