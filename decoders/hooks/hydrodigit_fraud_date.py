"""BMeters Hydrodigit: the date of the last fraud, whose month shares its byte with the kind of fraud."""

from __future__ import annotations

from decoders.hooks import Given
from decoders.hooks.bcd_date import bcd_day
from decoders.telegram import Value

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return the date: year and day in BCD, the month in the low nibble of the middle byte."""
    data = given.record.data if given.record else b""
    if len(data) != 3:
        return None
    tens, ones = divmod(data[1] & 0x0F, 10)
    return bcd_day(data[0], tens << 4 | ones, data[2])
