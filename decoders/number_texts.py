"""Numbers from data bytes straight to text, without a decimal in between.

Only for whole numbers times a power of ten and the like, which almost every register is. The text is the one
the exact decimal would have; whatever is not such a number goes the way through it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from decoders.wmbus.header import Description
from decoders.wmbus.raw import BCD
from decoders.wmbus.values import LENGTHS
from decoders.wmbus.vif import WIDE, Kind

__all__ = [
    "NOTHING",
    "NumberText",
    "Text",
    "Whole",
    "decimals",
    "decimals_table",
    "one",
    "plain_text",
    "shortest_text",
    "stored_numbers",
    "whole_numbers",
]

NOTHING = b"null"

Text = Callable[[bytes], bytes]
"""Data bytes to JSON."""

_TABLED = 3
_INTEGERS = frozenset({0x1, 0x2, 0x3, 0x4, 0x6, 0x7})
_KINDS = frozenset({Kind.NUMBER, Kind.UNSIGNED, Kind.BITS})


class Whole(NamedTuple):
    """How a stored whole number is read.

    Attributes:
        read: data bytes to number; ``None`` = the meter says there is no valid value.
        size: how many data bytes.
        bcd: decimal digits; else two's complement or no sign, low byte first.
        least: the least number that is but the data bytes, read with a sign.
    """

    read: Callable[[bytes], int | None]
    size: int
    bcd: bool
    least: int = 0


@dataclass(frozen=True, slots=True)
class NumberText:
    """The text of a stored whole number times a factor, its point moved.

    Attributes:
        write: data bytes to text.
        whole: how the number is read.
        factor: what it is multiplied with.
        places: how many of the digits then stand behind the point.
        short: zeros at the end are left out.
    """

    write: Text
    whole: Whole
    factor: int
    places: int
    short: bool

    def __call__(self, data: bytes) -> bytes:
        """Write the number of these data."""
        return self.write(data)


def whole_numbers(said: Description) -> Whole | None:
    """Return what reads the whole numbers of this header, if the value is but a multiple of them."""
    field = said.dib[0] & 0x0F
    if said.kind not in _KINDS or said.scale.addend or not (field in _INTEGERS or field in BCD):
        return None
    size = LENGTHS[field]
    if not isinstance(said.read(bytes(size))[0], Decimal):
        return None  # its VIFE says error
    if field in BCD:
        return Whole(_bcd, size, bcd=True)
    least = 1 - (1 << 8 * size - 1) if said.kind is Kind.NUMBER else 0  # what lies below it is a mark
    return Whole(_integer(size, said.kind), size, bcd=False, least=least)


def stored_numbers(said: Description, *, signed: bool) -> Whole | None:
    """Return what reads the stored whole numbers of this header, codes for "invalid" taken as they are."""
    field = said.dib[0] & 0x0F
    if field in _INTEGERS:
        size = LENGTHS[field]
        read = partial(int.from_bytes, byteorder="little", signed=signed)
        return Whole(read, size, bcd=False, least=-(1 << 8 * size - 1) if signed else 0)
    return Whole(_bcd, LENGTHS[field], bcd=True) if field in BCD else None


def one(said: Description) -> bytes:
    """Give the data bytes that store 1."""
    return b"\x01".ljust(LENGTHS[said.dib[0] & 0x0F], b"\0")


def plain_text(whole: Whole, value_of_one: Decimal) -> NumberText:
    """Return data bytes -> text with as many decimals as the value of 1 has."""
    return _text(whole, value_of_one, short=False)


def shortest_text(whole: Whole, value_of_one: Decimal) -> NumberText:
    """Return data bytes -> text without zeros at the end."""
    return _text(whole, value_of_one, short=True)


def _text(whole: Whole, value_of_one: Decimal, *, short: bool) -> NumberText:
    factor, places = _factor(value_of_one)
    step = 10**places
    decimals = _decimals(places, short)
    read = whole.read

    def text(data: bytes) -> bytes:
        number = read(data)
        if number is None:
            return NOTHING
        number *= factor
        if number < 0:
            before, rest = divmod(-number, step)
            return f"-{before}{decimals(rest)}".encode()
        return f"{number // step}{decimals(number % step)}".encode()

    return NumberText(text, whole, factor, places, short)


@functools.cache
def decimals_table(places: int, short: bool) -> tuple[bytes, ...] | None:  # noqa: FBT001  see _decimals
    """Give the texts of all decimals, their point included; ``None`` where they are too many for a table."""
    decimals = _decimals(places, short)
    return tuple([decimals(rest).encode() for rest in range(10**places)]) if places <= _TABLED else None


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


def _integer(size: int, kind: Kind) -> Callable[[bytes], int | None]:
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
