"""Readings made quickly, as :mod:`decoders.quick_records` makes records: a telegram gives several.

What a frozen dataclass checks at each creation is checked here once per telegram (times) or is so already
(values that are canonical as they stand, as nearly all are).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from metering.reading import Reading, exact

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from metering.meter import MeterId
    from metering.reading import Provenance, Quality, Register, Way

__all__ = ["quick_reading"]


class _DraftReading:
    """A reading while it is written."""

    __slots__ = Reading.__slots__

    meter: MeterId
    register: Register
    value: Decimal
    unit: str
    measured_at: datetime
    received_at: datetime
    way: Way
    quality: Quality
    provenance: Provenance


def quick_reading(  # noqa: PLR0913, PLR0917  the attributes of a reading, in their order
    meter: MeterId,
    register: Register,
    value: Decimal,
    unit: str,
    measured_at: datetime,
    received_at: datetime,
    way: Way,
    quality: Quality,
    provenance: Provenance,
) -> Reading:
    """Make a reading; the arguments are those of :class:`~metering.reading.Reading`, times in UTC.

    Raises:
        InvalidValue: the value is no finite number.
    """
    made = _DraftReading()
    made.meter = meter
    made.register = register
    made.value = exact(value)
    made.unit = unit
    made.measured_at = measured_at
    made.received_at = received_at
    made.way = way
    made.quality = quality
    made.provenance = provenance
    made.__class__ = Reading  # type: ignore[assignment]  # same slots, so the object is one
    return cast("Reading", made)
