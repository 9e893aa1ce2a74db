"""Numbers and times for programs (exact JSON) and for people (local time, grouped digits)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from service.web.i18n import Catalogue

__all__ = [
    "ExactJSON",
    "ago",
    "exact",
    "grouped",
    "hexdump",
    "interval_text",
    "json_bytes",
    "local",
    "most_places",
    "unit_sign",
]

_UNITS = {"m3": "m³", "m3/h": "m³/h", "ft3": "ft³"}
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


# --- for programs --------------------------------------------------------------------------------


def exact(value: Decimal) -> str:
    """Give a decimal as it is, without exponent."""
    return format(value, "f")


def _as_json(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(exact(value))
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def json_bytes(value: object) -> bytes:
    """Write JSON: decimals as exact numbers, UTC times ending in ``Z``."""
    return orjson.dumps(value, default=_as_json, option=orjson.OPT_UTC_Z)


class ExactJSON(Response):
    """A JSON response whose numbers are those of the store, digit for digit."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the body."""
        return json_bytes(content.model_dump(by_alias=True) if isinstance(content, BaseModel) else content)


# --- for people ----------------------------------------------------------------------------------


def grouped(value: Decimal | int, places: int = 0) -> str:
    """Give ``12345.67`` as ``12 345.670`` with narrow spaces: every digit, and zeros up to ``places``."""
    number = Decimal(value)
    whole, _, fraction = exact(number).removeprefix("-").partition(".")
    fraction = fraction.ljust(places, "0")
    text = f"{int(whole):,}".replace(",", _NARROW_SPACE) + (f".{fraction}" if fraction else "")
    return f"\N{MINUS SIGN}{text}" if number < 0 else text


def most_places(values: Iterable[Decimal]) -> int:
    """Give how many decimal places a column of numbers needs, so that its points stand below each other."""
    return max((len(exact(value).partition(".")[2]) for value in values), default=0)


def unit_sign(unit: str) -> str:
    """``m3`` as ``m³``."""
    return _UNITS.get(unit, unit)


def local(moment: datetime, zone: ZoneInfo, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Give a moment in local time."""
    return moment.astimezone(zone).strftime(pattern)


def interval_text(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Give a stretch in local time, as short as it can be said: a month, days, hours of one day."""
    begin, finish = start.astimezone(zone), end.astimezone(zone)
    last = finish.date() - timedelta(days=1)
    if begin.time() == finish.time() == time():
        if last == begin.date():
            return f"{begin:%Y-%m-%d}"
        if begin.day == finish.day == 1 and last.month == begin.month:
            return f"{begin:%Y-%m}"
        return f"{begin:%Y-%m-%d} \N{EN DASH} {last:%Y-%m-%d}"
    name = "" if begin.utcoffset() == finish.utcoffset() else " %Z"  # 02:00 CEST - 02:00 CET
    if begin.date() == finish.date():
        return f"{begin:%Y-%m-%d %H:%M{name}}\N{EN DASH}{finish:%H:%M{name}}"
    if last == begin.date() and finish.time() == time():
        return f"{begin:%Y-%m-%d %H:%M}\N{EN DASH}24:00"
    return f"{begin:%Y-%m-%d %H:%M} \N{EN DASH} {finish:%Y-%m-%d %H:%M}"


def ago(moment: datetime, now: datetime, texts: Catalogue) -> str:
    """``3 min ago``; a moment less than a minute ahead is now (clocks differ by seconds)."""
    age = now - moment
    if age < timedelta(minutes=-1):
        return texts("ago.future")
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if age.total_seconds() >= size:
            return texts(f"ago.{unit}", n=int(age.total_seconds() // size))
    return texts("ago.now")


def hexdump(payload: bytes, width: int = 16) -> list[tuple[str, str, str]]:
    """Give lines of offset, hex and readable text."""
    lines = []
    for offset in range(0, len(payload), width):
        row = payload[offset : offset + width]
        readable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        lines.append((f"{offset:04x}", row.hex(" "), readable))
    return lines
