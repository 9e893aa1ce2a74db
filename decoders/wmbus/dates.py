"""Date and time types F, G, I and J: bytes to local date and time and back.

Source: EN 13757-3:2018, annex A. Times are the meter's own local time, without zone. Types K, L and M are
not taken apart here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import date, datetime, time

from metering.errors import InvalidValue

__all__ = [
    "READERS",
    "Dated",
    "Moment",
    "date_g",
    "datetime_f",
    "datetime_i",
    "encode_f",
    "encode_g",
    "encode_i",
    "encode_j",
    "time_j",
]

Moment = date | datetime | time
Dated = tuple[Moment | None, str]
"""The moment and a remark; ``None`` = the meter has no valid one, the remark says why."""

_INVALID = "the meter marks its time as invalid"
_SUMMER = "summer time"
_FIRST_YEAR, _FIRST_YEAR_F, _LAST_YEAR, _LAST_YEAR_F = 1981, 1981, 2080, 2299


@functools.lru_cache(maxsize=1024)
def date_g(data: bytes) -> Dated:
    """Read type G, 2 bytes."""
    day, month, year = _day_month_year(data[0], data[1])
    if data == b"\xff\xff":
        return None, "no date"
    if remark := _every(day=day, month=month, year=year):
        return None, remark
    return _date(_year(year), month, day)


def datetime_f(data: bytes) -> Dated:
    """Read type F, 4 bytes, to the minute."""
    minute, hour = data[0] & 0x3F, data[1] & 0x1F
    day, month, year = _day_month_year(data[2], data[3])
    if data[0] & 0x80:
        return None, _INVALID
    if remark := _every(minute=minute, hour=hour, day=day, month=month, year=year):
        return None, remark

    moment = (_year(year, data[1] >> 5 & 3), month, day, hour, minute, 0)
    return _datetime(moment, summer=bool(data[1] & 0x80))


def datetime_i(data: bytes) -> Dated:
    """Read type I, 6 bytes, to the second; weekday, week and leap year repeat what the date says."""
    second, minute, hour = data[0] & 0x3F, data[1] & 0x3F, data[2] & 0x1F
    day, month, year = _day_month_year(data[3], data[4])
    if data[1] & 0x80:
        return None, _INVALID
    if day == 0 or month == 0 or year == 127:
        return None, "date not specified"
    if remark := _every(second=second, minute=minute, hour=hour, month=month):
        return None, remark
    return _datetime((_year(year), month, day, hour, minute, second), summer=bool(data[0] & 0x40))


def time_j(data: bytes) -> Dated:
    """Read type J, 3 bytes: time of day."""
    second, minute, hour = data[0] & 0x3F, data[1] & 0x3F, data[2] & 0x1F
    if remark := _every(second=second, minute=minute, hour=hour):
        return None, remark
    try:
        return time(hour, minute, second), ""
    except ValueError:
        return None, f"no such time: {hour}:{minute:02}:{second:02}"


READERS: Mapping[int, Callable[[bytes], Dated]] = {2: date_g, 3: time_j, 4: datetime_f, 6: datetime_i}
"""The type by the number of bytes, which is the data field too."""


def encode_g(moment: date) -> bytes:
    """Write type G.

    Raises:
        InvalidValue: the year is outside 1981 to 2080.
    """
    _within(moment.year, _FIRST_YEAR, _LAST_YEAR)
    return _date_bytes(moment)


def encode_f(moment: datetime) -> bytes:
    """Write type F.

    Raises:
        InvalidValue: the moment has seconds, or its year is outside 1981 to 2299.
    """
    _within(moment.year, _FIRST_YEAR_F, _LAST_YEAR_F)
    if moment.second or moment.microsecond:
        raise InvalidValue(f"{moment.isoformat()} has seconds; type F counts minutes")
    hundreds = moment.year // 100 - 19
    return bytes((moment.minute, moment.hour | hundreds << 5)) + _date_bytes(moment)


def encode_i(moment: datetime) -> bytes:
    """Write type I; week and weekday as not given.

    Raises:
        InvalidValue: the moment has fractions of a second, or its year is outside 1981 to 2080.
    """
    _within(moment.year, _FIRST_YEAR, _LAST_YEAR)
    if moment.microsecond:
        raise InvalidValue(f"{moment.isoformat()} has fractions of a second")
    return bytes((moment.second, moment.minute, moment.hour)) + _date_bytes(moment) + b"\x00"


def encode_j(moment: time) -> bytes:
    """Write type J.

    Raises:
        InvalidValue: the time has fractions of a second.
    """
    if moment.microsecond:
        raise InvalidValue(f"{moment.isoformat()} has fractions of a second")
    return bytes((moment.second, moment.minute, moment.hour))


def _day_month_year(low: int, high: int) -> tuple[int, int, int]:
    """Split the two bytes all date types share; the year is the 7-bit number."""
    return low & 0x1F, high & 0x0F, low >> 5 | (high & 0xF0) >> 1


def _date_bytes(moment: date) -> bytes:
    year = moment.year % 100
    return bytes((moment.day | (year & 7) << 5, moment.month | (year >> 3) << 4))


def _every(  # noqa: PLR0913  the fields of a moment
    *,
    second: int = 0,
    minute: int = 0,
    hour: int = 0,
    day: int = 1,
    month: int = 1,
    year: int = 0,
) -> str:
    """Say which part is a wildcard: such a value is a rule of repetition, not a moment."""
    if second != 63 and minute != 63 and hour != 31 and month != 15 and year != 127 and (day or not month):
        return ""
    wild = (
        ("second", second == 63),
        ("minute", minute == 63),
        ("hour", hour == 31),
        ("day", day == 0 and month != 0),  # month 0 is no wildcard but an empty date
        ("month", month == 15),
        ("year", year == 127),
    )
    return ", ".join([f"every {name}" for name, is_wild in wild if is_wild])


def _year(year: int, hundreds: int = 0) -> int | None:
    """Full year; ``None`` if invalid. Hundreds 0 up to 80 are those of old devices: 2000 to 2080."""
    if year > 99:
        return None
    if hundreds:
        return 1900 + 100 * hundreds + year
    return 2000 + year if year <= 80 else 1900 + year


def _date(year: int | None, month: int, day: int) -> Dated:
    try:
        return date(year or 0, month, day), ""
    except ValueError:
        return None, f"no such date: {_digits(year)}-{month:02}-{day:02}"


def _datetime(moment: tuple[int | None, int, int, int, int, int], *, summer: bool) -> Dated:
    """Build year, month, day, hour, minute, second."""
    year, month, day, hour, minute, second = moment
    try:
        found = datetime(year or 0, month, day, hour, minute, second)  # noqa: DTZ001  meter-local, no zone
    except ValueError:
        return None, f"no such time: {_digits(year)}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    return found, _SUMMER if summer else ""


def _digits(year: int | None) -> str:
    return "????" if year is None else str(year)


def _within(year: int, first: int, last: int) -> None:
    if not first <= year <= last:
        raise InvalidValue(f"year {year} does not fit: {first} to {last}")
