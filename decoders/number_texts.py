"""Numbers from data bytes straight to text, without a decimal in between.

Only for whole numbers times a power of ten and the like, which almost every register is. The text is the one
the exact decimal would have; whatever is not such a number goes the way through it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal

from decoders.wmbus.header import Description
from decoders.wmbus.raw import BCD
from decoders.wmbus.values import LENGTHS
from decoders.wmbus.vif import WIDE, Kind

__all__ = [
    "NOTHING",
    "Text",
    "Whole",
    "decimals",
    "one",
    "plain_text",
    "shortest_text",
    "stored_numbers",
    "whole_numbers",
]

NOTHING = b"null"

Whole = Callable[[bytes], int | None]
"""Data bytes to the stored whole number; ``None`` = the meter says there is no valid value."""

Text = Callable[[bytes], bytes]
"""Data bytes to JSON."""

_TABLED = 3
_INTEGERS = frozenset({0x1, 0x2, 0x3, 0x4, 0x6, 0x7})
_KINDS = frozenset({Kind.NUMBER, Kind.UNSIGNED, Kind.BITS})


def whole_numbers(said: Description) -> Whole | None:
    """Return what reads the whole numbers of this header, if the value is but a multiple of them."""
    field = said.dib[0] & 0x0F
    if said.kind not in _KINDS or said.scale.addend or not (field in _INTEGERS or field in BCD):
        return None
    if not isinstance(said.read(bytes(LENGTHS[field]))[0], Decimal):
        return None  # its VIFE says error
    return _bcd if field in BCD else _integer(LENGTHS[field], said.kind)


def stored_numbers(said: Description, *, signed: bool) -> Whole | None:
    """Return what reads the stored whole numbers of this header, codes for "invalid" taken as they are."""
    field = said.dib[0] & 0x0F
    if field in _INTEGERS:
        return lambda data: int.from_bytes(data, "little", signed=signed)
    return _bcd if field in BCD else None


def one(said: Description) -> bytes:
    """Give the data bytes that store 1."""
    return b"\x01".ljust(LENGTHS[said.dib[0] & 0x0F], b"\0")


def plain_text(read: Whole, value_of_one: Decimal) -> Text:
    """Return data bytes -> text with as many decimals as the value of 1 has."""
    return _text(read, value_of_one, short=False)


def shortest_text(read: Whole, value_of_one: Decimal) -> Text:
    """Return data bytes -> text without zeros at the end."""
    return _text(read, value_of_one, short=True)


def _text(read: Whole, value_of_one: Decimal, *, short: bool) -> Text:
    factor, places = _factor(value_of_one)
    step = 10**places
    decimals = _decimals(places, short)

    def text(data: bytes) -> bytes:
        number = read(data)
        if number is None:
            return NOTHING
        number *= factor
        if number < 0:
            whole, rest = divmod(-number, step)
            return f"-{whole}{decimals(rest)}".encode()
        return f"{number // step}{decimals(number % step)}".encode()

    return text


def decimals(value: Decimal) -> int:
    """Count the decimals of a number."""
    return max(0, -int(value.as_tuple().exponent))


def _factor(value: Decimal) -> tuple[int, int]:
    """Return the digits as a whole number, and how many of them are decimals."""
    places = decimals(value)
    return int(WIDE.scaleb(value, places)), places


@functools.cache
def _decimals(places: int, short: bool) -> Callable[[int], str]:  # noqa: FBT001  an argument of a cached function
    """Return what writes decimals, their point included; a table where they are few."""

    def written(rest: int) -> str:
        digits = str(rest).zfill(places) if places else ""
        digits = digits.rstrip("0") if short else digits
        return f".{digits}" if digits else ""

    return tuple(map(written, range(10**places))).__getitem__ if places <= _TABLED else written


def _integer(size: int, kind: Kind) -> Whole:
    """Read types B, C and D."""
    signed = kind is Kind.NUMBER
    marks = {Kind.NUMBER: b"\0" * (size - 1) + b"\x80", Kind.UNSIGNED: b"\xff" * size}
    invalid, from_bytes = marks.get(kind), int.from_bytes

    def read(data: bytes) -> int | None:
        return None if data == invalid else from_bytes(data, "little", signed=signed)

    return read


def _bcd(data: bytes) -> int | None:
    """Read type A; a top digit F is a minus sign."""
    digits = data[::-1].hex()
    if digits.isdecimal():
        return int(digits)
    return -int(digits[1:]) if digits[0] == "f" and digits[1:].isdecimal() else None
