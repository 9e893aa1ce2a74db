"""Data fields: the bytes of a record become an exact value.

A reader is made once per record description; it takes the data bytes (LVAR byte included) and never raises
for bytes of the right length.
Source: EN 13757-3:2018, clause 6.3 (data fields, LVAR) and annex A (types A to D, real32).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from decoders.telegram import Value
from decoders.wmbus import dates
from decoders.wmbus.vif import WIDE, Kind

__all__ = ["LENGTHS", "VARIABLE", "Reader", "Scale", "Valued", "reader", "unreadable", "variable_length"]

Valued = tuple[Value, str]
"""The value and a remark; ``None`` = there is no valid value, the remark says why."""

Reader = Callable[[bytes], Valued]

VARIABLE = 0x0D
LENGTHS: Mapping[int, int] = {
    0x0: 0,
    0x1: 1,
    0x2: 2,
    0x3: 3,
    0x4: 4,
    0x5: 4,
    0x6: 6,
    0x7: 8,
    0x8: 0,
    0x9: 1,
    0xA: 2,
    0xB: 3,
    0xC: 4,
    0xE: 6,
}
"""Bytes of data by data field (DIF bits 3 to 0); D is variable, F special."""

_REAL32 = 0x5
_BCD = frozenset({0x9, 0xA, 0xB, 0xC, 0xE})
_EMPTY: Mapping[int, str] = {0x0: "no data", 0x8: "selection for readout"}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NO_NUMBER = "not a number"


@dataclass(frozen=True, slots=True)
class Scale:
    """Raw number to value: ``raw * factor + addend``, exactly."""

    factor: Decimal = Decimal(1)
    addend: Decimal = Decimal(0)

    def __call__(self, raw: int | Decimal) -> Decimal:
        """Return the value of a raw number."""
        scaled = WIDE.multiply(Decimal(raw), self.factor)
        return WIDE.add(scaled, self.addend) if self.addend else scaled


def reader(field: int, kind: Kind, scale: Scale) -> Reader:
    """Return the function that reads data of this data field, kind and scale."""
    if field in _EMPTY:
        return unreadable(_EMPTY[field])
    if kind is Kind.SECRET:
        return unreadable("a secret, not shown")
    if field == VARIABLE:
        return _variable(kind, scale)
    if kind is Kind.RAW:
        return _raw
    return _moment(field) if kind is Kind.MOMENT else _number(field, kind, scale)


def variable_length(lvar: int) -> int | None:
    """Return how many bytes follow the LVAR byte; ``None`` for a reserved code."""
    if lvar <= 0xBF:
        return lvar
    if lvar <= 0xEF:  # C0 positive BCD, D0 negative BCD, E0 binary
        return lvar & 0x0F if lvar & 0x0F <= 9 or lvar >= 0xE0 else None
    if lvar <= 0xF4:
        return 4 * (lvar - 0xEC)
    return {0xF5: 48, 0xF6: 64, 0xF8: 4}.get(lvar)  # F8: real32 of older devices


def unreadable(remark: str) -> Reader:
    """Return a reader that finds no value, for a reason known beforehand."""
    return lambda _data: (None, remark)


def _raw(data: bytes) -> Valued:
    return data, ""


def _number(field: int, kind: Kind, scale: Scale) -> Reader:
    if field == _REAL32:
        return _real32(scale)
    if field in _BCD:
        return _identity if kind is Kind.IDENTITY else _bcd(scale)
    return _integer(LENGTHS[field], kind, scale)


def _integer(size: int, kind: Kind, scale: Scale) -> Reader:
    signed = kind is Kind.NUMBER
    invalid = -(1 << 8 * size - 1) if signed else (1 << 8 * size) - 1
    if kind is Kind.BITS:
        invalid = -1  # never met: every pattern is valid
    remark = f"marked invalid ({'most negative number' if signed else 'all bits set'})"
    from_bytes, multiply, factor, addend = int.from_bytes, WIDE.multiply, scale.factor, scale.addend

    def read(data: bytes) -> Valued:
        raw = from_bytes(data, "little", signed=signed)
        if raw == invalid:
            return None, remark
        value = multiply(raw, factor)
        return (WIDE.add(value, addend) if addend else value), ""

    return read


def _bcd(scale: Scale) -> Reader:
    def read(data: bytes) -> Valued:
        digits = data[::-1].hex()
        if digits.isdecimal():
            return scale(int(digits)), ""
        if digits[0] == "f" and digits[1:].isdecimal():
            return scale(-int(digits[1:])), ""
        return None, _bcd_fault(digits)

    return read


def _bcd_fault(digits: str) -> str:
    return "no value (all digits F)" if not digits.strip("f") else f"BCD with digits {digits.upper()}"


def _identity(data: bytes) -> Valued:
    """Read a number that names something: digits as printed, letters of sloppy devices kept."""
    digits = data[::-1].hex().upper()
    return (digits, "") if digits.strip("F") else (None, _bcd_fault(digits.lower()))


def _real32(scale: Scale) -> Reader:
    def read(data: bytes) -> Valued:
        (number,) = struct.unpack("<f", data)
        exact = Decimal(number)  # a binary float is a finite decimal: nothing is lost
        return (scale(exact), "") if exact.is_finite() else (None, _NO_NUMBER)

    return read


def _moment(field: int) -> Reader:
    if field in dates.READERS:
        return dates.READERS[field]
    return lambda data: (data, "not a date form of the standard")


def _variable(kind: Kind, scale: Scale) -> Reader:
    """Read LVAR data: text, else by kind bytes, a date type, or a number."""
    number = _variable_number(kind, scale)

    def read(data: bytes) -> Valued:
        if kind is Kind.RAW:
            return data[1:], ""
        if data[0] <= 0xBF:
            return _text(data[1:])
        if kind is Kind.MOMENT:
            return data[1:], "date type not taken apart"
        return number(data) if data[1:] else (None, "no data")

    return read


def _variable_number(kind: Kind, scale: Scale) -> Reader:
    """Read LVAR data above C0: positive and negative BCD, binary numbers, the real32 of older devices."""
    positive = _identity if kind is Kind.IDENTITY else _bcd(scale)
    negative = _identity if kind is Kind.IDENTITY else _bcd(Scale(-scale.factor, scale.addend))
    real32 = _real32(scale)

    def read(data: bytes) -> Valued:
        lvar, content = data[0], data[1:]
        if lvar <= 0xDF:
            return positive(content) if lvar <= 0xCF else negative(content)
        if lvar <= 0xEF:
            return _integer(len(content), kind, scale)(content)
        return real32(content) if lvar == 0xF8 else (content, "large binary number, as sent")

    return read


def _text(content: bytes) -> Valued:
    """Read ISO 8859-1, last character first; zeros at the ends are padding."""
    text = content[::-1].decode("latin-1").strip("\0")
    if _CONTROL.search(text):
        return content, "not printable text, bytes as sent"
    return text, ""
