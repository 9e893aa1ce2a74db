"""Fields of a model that are nothing but a stored whole number times a factor: what the value of 1 is.

For the two ways to tell values: :func:`exact_number` for :mod:`decoders.meaning`, :func:`flat_number` for
:mod:`decoders.flat`. Where there is more to a field (codes for nothing, quotients without end, corrections),
there is ``None``, and the field is told the full way.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import cast

from decoders.matching import plain
from decoders.model import RECORD_ERROR, Field
from decoders.number_texts import Whole, decimals, one, stored_numbers, whole_numbers
from decoders.rendering import Unfit
from decoders.telegram import Record
from decoders.units import ratio, times
from decoders.wmbus.header import describe
from metering.reading import exact

__all__ = ["MOST_DECIMALS", "Number", "exact_number", "flat_number"]

Number = tuple[Whole, Decimal]
"""What reads the stored number, and the told value of 1."""

MOST_DECIMALS = 6
"""The flat view rounds what has more."""


def exact_number(field: Field, record: Record) -> Number | None:
    """Give the number of a field as the exact view tells it; invalid ones are null."""
    said = describe(record.dib + record.vib)
    read = whole_numbers(said)
    marked = field.where is not None and RECORD_ERROR in field.where.qualifiers
    if read is None or marked or field.raw:
        return None
    value = _scaled(field, cast("Decimal", said.read(one(said))[0]), record.unit)
    return None if value is None else (read, value)


def flat_number(field: Field, record: Record) -> Number | None:
    """Give the number of a field as the flat view tells it, which knows no invalid ones."""
    stored = stored_numbers(describe(record.dib + record.vib), signed=not field.unsigned)
    alone = plain(record.vib)
    if stored is None or alone.scale.addend:
        return None
    value = _scaled(field, Decimal(1) if field.raw else alone.scale(1), alone.unit)
    if value is None or decimals(value) > MOST_DECIMALS:
        return None

    def read(data: bytes) -> int:
        number = stored.read(data)
        if number is None:
            raise Unfit  # then the field is not told at all
        return number

    return stored._replace(read=read), value


def _scaled(field: Field, value: Decimal, unit: str) -> Decimal | None:
    """Bring the value of 1 to the field's unit; ``None`` where that is not a finite decimal, or not all."""
    by_bytes = field.where is not None and bool(field.where.header)
    factor = Fraction(1) if field.raw else ratio(unit, field.unit)
    if factor is None and by_bytes:
        factor = Fraction(1)
    if factor is None or field.null is not None or not (_finite(factor) and _finite(field.factor)):
        return None
    return exact(times(times(value, factor), field.factor))


def _finite(factor: Fraction) -> bool:
    """Whether :func:`decoders.units.times` is exact with this factor."""
    return str(factor.denominator).rstrip("0") == "1"
