"""BMeters Hydrodigit: battery voltage, told as one of fourteen steps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]

_VOLTS: Mapping[int, Decimal] = {
    0x1: Decimal("1.9"),
    0x2: Decimal("2.1"),
    0x3: Decimal("2.2"),
    0x4: Decimal("2.3"),
    0x5: Decimal("2.4"),
    0x6: Decimal("2.5"),
    0x7: Decimal("2.65"),
    0x8: Decimal("2.8"),
    0x9: Decimal("2.9"),
    0xA: Decimal("3.05"),
    0xB: Decimal("3.2"),
    0xC: Decimal("3.35"),
    0xD: Decimal("3.5"),
}
_FULL = Decimal("3.7")


def calculate(given: Given) -> Value:
    """Return volts by the low nibble of the record's first byte; codes outside the table mean full."""
    data = given.record.data if given.record else b""
    return _VOLTS.get(data[0] & 0x0F, _FULL) if data else None
