"""Dates and times as manufacturers pack them.

Words of two bytes are packed anew as type G of EN 13757-3. Their parts are carried over as they are, so that
an empty date (all zeros) looks the same in both forms; a month beyond 12 becomes ``FFFF``, "no date".
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

__all__ = [
    "NO_DATE",
    "DayMonth",
    "bcd_day",
    "bcd_moment",
    "day",
    "day_month",
    "following",
    "repacked",
    "type_g",
    "type_t",
]

NO_DATE = b"\xff\xff"
_LAST_YEAR, _DECEMBER = 127, 12


class DayMonth(NamedTuple):
    """A day of a year nobody sent; compares by calendar."""

    month: int
    day: int


def type_g(years: int, month: int, day_of_month: int) -> bytes:
    """Pack as type G.

    Args:
        years: since 2000.
        month: 0 to 12; beyond it there is no date.
        day_of_month: 0 to 31.
    """
    if not 0 <= years <= _LAST_YEAR or month > _DECEMBER:
        return NO_DATE
    return bytes((day_of_month | (years & 7) << 5, month | (years >> 3) << 4))


def type_t(word: int, years_mask: int = 0x7F) -> bytes:
    """Read a word of day (bits 0-4), month (bits 5-8) and years since 2000 (from bit 9)."""
    return type_g(word >> 9 & years_mask, word >> 5 & 0x0F, word & 0x1F)


def repacked(data: bytes) -> bytes:
    """Read two bytes, low byte first, as :func:`type_t`."""
    return type_t(int.from_bytes(data, "little"))


def day_month(word: int) -> DayMonth:
    """Read a word of day (bits 4-8) and month (bits 9-12)."""
    return DayMonth(word >> 9 & 0x0F, word >> 4 & 0x1F)


def following(word: int, current: DayMonth) -> bytes:
    """Give a day its year: the first time it comes after the date of ``word`` (as :func:`type_t`)."""
    previous = DayMonth(word >> 5 & 0x0F, word & 0x1F)
    years = (word >> 9 & 0x7F) + (current <= previous)
    return type_g(years, current.month, current.day)


def day(years: int, month: int, day_of_month: int) -> date | None:
    """Return the date so many years after 2000; ``None`` if there is no such day."""
    try:
        return date(2000 + years, month, day_of_month)
    except ValueError:
        return None


def bcd_day(digits: bytes) -> date | None:
    """Read year, month and day of two decimal digits each."""
    numbers = _decimal(digits)
    return day(*numbers) if numbers else None


def bcd_moment(digits: bytes) -> datetime | None:
    """Read year, month, day, hour, minute and second of two decimal digits each."""
    numbers = _decimal(digits)
    if not numbers:
        return None
    year, month, day_of_month, hour, minute, second = numbers
    try:
        return datetime(2000 + year, month, day_of_month, hour, minute, second)  # noqa: DTZ001  local time
    except ValueError:
        return None


def _decimal(digits: bytes) -> list[int]:
    """Return each byte's number; nothing if one has other digits than 0 to 9."""
    if not digits.hex().isdecimal():
        return []
    return [int(f"{byte:02x}") for byte in digits]
