"""Battery life in half years, kept in the upper five bits of a byte."""

from __future__ import annotations

from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return the years."""
    return Decimal(given.record.data[0] >> 3) / 2 if given.record and given.record.data else None
