"""A date of three BCD bytes: year, month, day."""

from __future__ import annotations

from datetime import date

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["bcd_day", "calculate"]


def calculate(given: Given) -> Value:
    """Return the date of the record's three bytes; ``None`` if there is no such day."""
    data = given.record.data if given.record else b""
    return bcd_day(data[0], data[1], data[2]) if len(data) == 3 else None


def bcd_day(year: int, month: int, day: int) -> date | None:
    """Return the date of three BCD bytes, years 2000 to 2099."""
    digits = bytes((year, month, day)).hex()
    if not digits.isdecimal():
        return None
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
