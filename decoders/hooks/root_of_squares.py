"""The length of a right-angled sum: apparent energy from active and reactive energy."""

from __future__ import annotations

from decimal import Decimal

from decoders.hooks import Given
from decoders.telegram import Value

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return the square root of the sum of the operands' squares; ``None`` if one of them is not told."""
    numbers = [operand for operand in given.operands if isinstance(operand, Decimal)]
    if len(numbers) < len(given.operands):
        return None
    return sum((number * number for number in numbers), Decimal(0)).sqrt()
