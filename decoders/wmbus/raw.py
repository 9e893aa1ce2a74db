"""The number a data field stores, before the VIF and before any code for "invalid" is looked at.

Source: EN 13757-3:2018, clause 6.3 and annex A.
"""

from __future__ import annotations

import struct
from decimal import Decimal

from decoders.wmbus.values import LENGTHS

__all__ = ["BCD", "REAL32", "bcd_number", "stored_number"]

REAL32 = 0x5
BCD = frozenset({0x9, 0xA, 0xB, 0xC, 0xE})
_INTEGERS = frozenset({0x1, 0x2, 0x3, 0x4, 0x6, 0x7})


def stored_number(field: int, data: bytes, *, signed: bool = True) -> Decimal | None:
    """Read the stored number.

    Args:
        field: data field, DIF bits 3 to 0.
        data: the data bytes.
        signed: binary integers are two's complement.

    Returns:
        ``None`` if the field stores none: no data, variable length, BCD with other digits, real32 without a
        finite value.
    """
    if len(data) != LENGTHS.get(field):
        return None
    if field in _INTEGERS:
        return Decimal(int.from_bytes(data, "little", signed=signed))
    if field in BCD:
        return bcd_number(data)
    return _real32(data) if field == REAL32 else None


def bcd_number(data: bytes) -> Decimal | None:
    """Read BCD digits, low byte first; a top digit F is a minus sign."""
    digits = data[::-1].hex()
    sign = -1 if digits[0] == "f" else 1
    digits = digits[1:] if sign < 0 else digits
    return Decimal(sign * int(digits)) if digits.isdecimal() else None


def _real32(data: bytes) -> Decimal | None:
    number = Decimal(struct.unpack("<f", data)[0])
    return number if number.is_finite() else None
