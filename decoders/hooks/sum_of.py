"""The sum of other fields: a total of phases or tariffs that the meter does not send."""

from __future__ import annotations

from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return the sum of the operands; ``None`` if one of them is not told."""
    numbers = [operand for operand in given.operands if isinstance(operand, Decimal)]
    return sum(numbers, Decimal(0)) if len(numbers) == len(given.operands) else None
