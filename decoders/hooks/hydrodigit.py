"""BMeters Hydrodigit: water meter with a mask of contents and parts behind its records.

The monthly values count ten times as much as the total does, says the user manual.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from decoders.packed_dates import bcd_day
from decoders.payload import Sent, truncated
from decoders.rows import NO_TABLE, Row, Table, field, fields_of, value
from decoders.telegram import Telegram

__all__ = ["FIRST_MONTH", "read_table"]

FIRST_MONTH = 20
"""Storage numbers of the monthly values are 20 + calendar month."""

_EMPTY = 10_000_000
_LITRE = Decimal("0.001")
_VOLUMES = range(0x10, 0x18)

_VOLTS = tuple(
    Decimal(hundredths).scaleb(-2)
    for hundredths in (370, 190, 210, 220, 230, 240, 250, 265, 280, 290, 305, 320, 335, 350, 370, 370)
)
"""Battery voltage by the low nibble of its byte."""

_Part = Callable[[int, Telegram], Iterator[Row]]


def read_table(sent: Sent) -> Table:
    """Read the parts the mask announces, in their fixed order."""
    piece = sent.manufacturer_data
    if not len(piece):
        return NO_TABLE
    rows = [*_MASK]
    at = 1
    for bit, (size, part) in _PARTS.items():
        if not piece[0] & bit:
            continue
        if at + size > len(piece):
            return Table(piece, tuple(rows), sound=False, faults=(truncated(piece, at + size),))
        rows += part(at, sent.telegram)
        at += size
    return Table(piece, tuple(rows), _DECIDED)


_DECIDED = ((0, 1),)
_MASK = fields_of((0, "01FF01"))


def _battery(at: int, _: Telegram) -> Iterator[Row]:
    yield value("FD49", _volts, at, at + 1)


def _volts(data: bytes) -> Decimal:
    return _VOLTS[data[0] & 0x0F]


def _fraud(at: int, _: Telegram) -> Iterator[Row]:
    """Tell kind and date of a fraud."""
    yield field("01FF02", at, at + 1)
    yield value("ECFF02", _day_of_fraud, at + 1, at + 4)


def _day_of_fraud(data: bytes) -> date | None:
    """Read the date; its month is one digit up to C, the digit before it something else."""
    tens, ones = divmod(data[1] & 0x0F, 10)
    return bcd_day(bytes((data[0], tens << 4 | ones, data[2])))


def _leak(at: int, _: Telegram) -> Iterator[Row]:
    yield value("ECFF03", bcd_day, at, at + 3)


def _backflow(at: int, _: Telegram) -> Iterator[Row]:
    yield value("933C", _litres, at, at + 4)


def _litres(data: bytes) -> Decimal:
    return int.from_bytes(data, "little") * _LITRE


def _months(at: int, telegram: Telegram) -> Iterator[Row]:
    """Tell the index at the end of each month of the last year, January first."""
    read = functools.partial(_end_of_month, _unit(telegram) * 10)
    for month in range(1, 13):
        first = at + 3 * month - 3
        yield value("13", read, first, first + 3, storage=FIRST_MONTH + month)


def _end_of_month(unit: Decimal, data: bytes) -> Decimal | None:
    number = int.from_bytes(data, "little")
    return number * unit if number < _EMPTY else None


_PARTS: Mapping[int, tuple[int, _Part]] = {
    0x01: (1, _battery),
    0x02: (4, _fraud),
    0x80: (3, _leak),
    0x04: (4, _backflow),
    0x10: (36, _months),
}
"""Bit of the mask -> bytes of the part and what reads it, in wire order."""


def _unit(telegram: Telegram) -> Decimal:
    """Give the unit the total counts in; litres if there is none."""
    for record in telegram.records:
        if record.quantity == "volume" and record.vib[0] in _VOLUMES and not record.storage:
            return Decimal(1).scaleb(record.vib[0] - 0x16)
    return _LITRE
