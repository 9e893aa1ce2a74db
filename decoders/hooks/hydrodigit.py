"""BMeters Hydrodigit: water meter with a mask of contents and parts behind its records.

The monthly values count ten times as much as the total does, says the user manual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from decoders.packed_dates import bcd_day
from decoders.payload import NOT_MINE, Payload, Piece, Sent, standard, told, truncated
from decoders.telegram import Record, Telegram

__all__ = ["FIRST_MONTH", "read_payload"]

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

_Part = Callable[[Piece, Telegram], Iterator[Record]]


def read_payload(sent: Sent) -> Payload:
    """Read the parts the mask announces, in their fixed order."""
    piece = sent.manufacturer_data
    if not len(piece):
        return NOT_MINE
    records = [standard("01FF01", piece.cut(0, 1))]
    at = 1
    for bit, (size, part) in _PARTS.items():
        if not piece[0] & bit:
            continue
        if at + size > len(piece):
            return Payload(tuple(records), sound=False, faults=(truncated(piece, at + size),))
        records += part(piece.cut(at, at + size), sent.telegram)
        at += size
    return Payload(tuple(records))


def _battery(piece: Piece, _: Telegram) -> Iterator[Record]:
    yield told("FD49", _VOLTS[piece[0] & 0x0F], piece)


def _fraud(piece: Piece, _: Telegram) -> Iterator[Record]:
    """Tell kind and date of a fraud; the month is one digit up to C, the digit before it something else."""
    yield standard("01FF02", piece.cut(0, 1))
    tens, ones = divmod(piece[2] & 0x0F, 10)
    date = bcd_day(bytes((piece[1], tens << 4 | ones, piece[3])))
    yield told("ECFF02", date, piece.cut(1, 4))


def _leak(piece: Piece, _: Telegram) -> Iterator[Record]:
    yield told("ECFF03", bcd_day(piece.data), piece)


def _backflow(piece: Piece, _: Telegram) -> Iterator[Record]:
    yield told("933C", piece.unsigned() * _LITRE, piece)


def _months(piece: Piece, telegram: Telegram) -> Iterator[Record]:
    """Tell the index at the end of each month of the last year, January first."""
    unit = _unit(telegram) * 10
    for month in range(1, 13):
        source = piece.cut(3 * month - 3, 3 * month)
        number = source.unsigned()
        value = number * unit if number < _EMPTY else None
        yield told("13", value, source, storage=FIRST_MONTH + month)


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
