"""Numbers of sensors -> counter states.

A device that counts volume in its memory, and may forget it, is a pulse counter too: its pulse is a
millilitre. So a counter that begins again at zero is recognised for what it is, and makes no consumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from ingest.adapters.card import Options
from ingest.adapters.objects import number
from metering.errors import InvalidValue
from metering.uplink import BadUplink, PulseUplink, Reception

__all__ = ["MILLILITRE", "count_unit", "counted"]

MILLILITRE = Decimal("0.001")
"""Litres per pulse where volume is counted."""

_PER_UNIT: Mapping[str, int] = {"pulses": 1, "L": 1000, "m3": 1_000_000}


def count_unit(options: Options) -> str:
    """Give what a sensor counts, as the route says.

    Raises:
        InvalidValue: it does not say, or says something else.
    """
    if options.unit in _PER_UNIT:
        return options.unit
    raise InvalidValue(
        f"unit {options.unit!r}: a sensor's route says what its number counts: pulses, L or m3"
    )


def counted(reception: Reception, channel: str, value: object, unit: str) -> PulseUplink:
    """Give the counter state a number means.

    Sensors that count in single precision show more digits than they have; what is finer than a pulse or a
    millilitre is cut off, always downwards, so that a number never falls by it.

    Raises:
        BadUplink: ``bad_number``: no number, negative, or a fraction of a pulse.
    """
    said = number(value, "the sensor's number")
    if said < 0 or (unit == "pulses" and said != said.to_integral_value()):
        raise BadUplink("bad_number", f"{said} cannot be a count of {unit}")
    total = int((said * _PER_UNIT[unit]).to_integral_value(ROUND_FLOOR))
    return PulseUplink(reception, channel, total, None if unit == "pulses" else MILLILITRE)
