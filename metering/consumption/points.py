"""States of a register, and the integer units they are exact in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from metering.reading import Reading

__all__ = ["WIDE", "IndexPoint", "exponent_of", "in_units", "index_series", "microseconds"]

WIDE = Context(prec=100)
"""Wide enough that no sum or difference of registers is ever rounded."""

_NOTHING = Decimal(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class IndexPoint:
    """State of a register.

    Attributes:
        at: UTC, by the meter's clock.
        value: what the register showed, exact, in its unit.
        carry: what was counted before this revolution of the register and before this meter, so that
            ``value + carry`` continues the line over roll-overs and exchanges.
        arrived: UTC, when it reached us, if known; says nothing of equality.
    """

    at: datetime
    value: Decimal
    carry: Decimal = _NOTHING
    arrived: datetime | None = field(default=None, compare=False)

    @property
    def total(self) -> Decimal:
        """Value and carry, exact."""
        return WIDE.add(self.value, self.carry) if self.carry else self.value


def index_series(readings: Iterable[Reading]) -> tuple[IndexPoint, ...]:
    """Give the index by time, one point per moment.

    Of several values at the same moment the lowest counts: a wrong high value must not make the good
    ones after it look like a fall.
    """
    points = sorted((one.measured_at, one.value, one.received_at) for one in readings)
    first_of_moment = [point for n, point in enumerate(points) if n == 0 or point[0] != points[n - 1][0]]
    return tuple(IndexPoint(at, value, arrived=arrived) for at, value, arrived in first_of_moment)


def microseconds(moment: datetime) -> int:
    """Count a moment from 1970-01-01T00:00Z, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def exponent_of(values: Iterable[Decimal]) -> int:
    """Give the power of ten in whose units all these values are whole numbers; 0 at most."""
    return min(0, *(int(value.as_tuple().exponent) for value in values), 0)


def in_units(values: Sequence[Decimal], exponent: int) -> list[int]:
    """Give values as whole numbers of ``10**exponent``."""
    return [int(value.scaleb(-exponent, WIDE)) for value in values]
