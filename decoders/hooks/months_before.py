"""The date so many months before another: meters that send values of past months with one date only."""

from __future__ import annotations

from datetime import date

from decoders.hooks import Given
from decoders.telegram import Value
from decoders.wmbus.month_steps import months_later

__all__ = ["calculate"]


def calculate(given: Given) -> Value:
    """Return the first operand, a date, ``number`` months earlier; the end of a month stays one."""
    (moment,) = given.operands
    return months_later(moment, -given.number) if isinstance(moment, date) else None
