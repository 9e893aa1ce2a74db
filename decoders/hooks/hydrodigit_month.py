"""BMeters Hydrodigit: the index at the end of one month of the last year."""

from __future__ import annotations

from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]

_EMPTY = 10_000_000


def calculate(given: Given) -> Value:
    """Return cubic metres: three bytes, hundredths; ten million and more mean that the month is empty."""
    data = given.record.data if given.record else b""
    number = int.from_bytes(data, "little")
    return Decimal(number).scaleb(-2) if len(data) == 3 and number < _EMPTY else None
