"""Dates and times as manufacturers pack them, packed anew as types G and I of EN 13757-3.

What is no date stays none: the parts are carried over as they are where type G can carry them, so that an
empty date (all zeros) looks the same in both forms; a month beyond 12 becomes ``FFFF``, "no date".
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from decoders.payload import Piece

__all__ = ["NO_DATE", "DayMonth", "bcd_g", "bcd_i", "day_month", "following", "type_g", "type_i", "type_t"]

NO_DATE = b"\xff\xff"
_FIRST_YEAR, _LAST_YEAR, _DECEMBER, _LAST_DAY = 2000, 127, 12, 31
_HOURS, _MINUTES = 24, 60


class DayMonth(NamedTuple):
    """A day of a year nobody sent; compares by calendar."""

    month: int
    day: int


def type_g(years: int, month: int, day: int) -> bytes:
    """Pack as type G.

    Args:
        years: since 2000.
        month: 0 to 12; beyond it there is no date.
        day: 0 to 31.
    """
    if not 0 <= years <= _LAST_YEAR or month > _DECEMBER or day > _LAST_DAY:
        return NO_DATE
    return bytes((day | (years & 7) << 5, month | (years >> 3) << 4))


def type_t(word: int, years_mask: int = 0x7F) -> bytes:
    """Read a word of day (bits 0-4), month (bits 5-8) and years since 2000 (from bit 9)."""
    return type_g(word >> 9 & years_mask, word >> 5 & 0x0F, word & 0x1F)


def day_month(word: int) -> DayMonth:
    """Read a word of day (bits 4-8) and month (bits 9-12)."""
    return DayMonth(word >> 9 & 0x0F, word >> 4 & 0x1F)


def following(word: int, current: DayMonth) -> bytes:
    """Give a day its year: the first time it comes after the date of ``word`` (as :func:`type_t`)."""
    previous = DayMonth(word >> 5 & 0x0F, word & 0x1F)
    years = (word >> 9 & 0x7F) + (current <= previous)
    return type_g(years, current.month, current.day)


def type_i(moment: datetime) -> bytes:
    """Pack as type I, to the second."""
    day = type_g(moment.year - _FIRST_YEAR, moment.month, moment.day)
    return bytes((moment.second, moment.minute, moment.hour)) + day + b"\x00"


def bcd_g(year: Piece, month: Piece, day: Piece) -> bytes:
    """Pack three numbers of two digits; other digits than 0 to 9 give no date."""
    digits = [f"{piece[0]:02x}" for piece in (year, month, day)]
    return type_g(*map(int, digits)) if all(map(str.isdecimal, digits)) else NO_DATE


def bcd_i(piece: Piece) -> bytes:
    """Pack second, minute, hour, day, month, year, two digits each; no such time gives no date."""
    digits = piece.data[::-1].hex()
    if not digits.isdecimal():
        return bytes(3) + NO_DATE + b"\x00"
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    if hour >= _HOURS or minute >= _MINUTES or second >= _MINUTES:
        return bytes(3) + NO_DATE + b"\x00"
    return bytes((second, minute, hour)) + type_g(year, month, day) + b"\x00"
