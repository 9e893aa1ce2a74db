"""The low five bits of a word that holds several small numbers."""

from __future__ import annotations

from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return bits 4 to 0 of the record's first byte."""
    return Decimal(given.record.data[0] & 0x1F) if given.record and given.record.data else None
