"""GWF water meter: three bytes behind its records, for faults, power mode and battery."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Sent, truncated
from decoders.rows import NO_TABLE, Table, field, fields_of, value

__all__ = ["read_table"]

_KNOWN = 0x01
_SIZE = 3


def read_table(sent: Sent) -> Table:
    """Read the bytes if the first says that it knows them; else tell the first."""
    piece = sent.manufacturer_data
    if not len(piece):
        return NO_TABLE
    if piece[0] != _KNOWN:
        return Table(piece, _UNKNOWN_FORM, _DECIDED)
    if len(piece) < _SIZE:
        return Table(piece, sound=False, faults=(truncated(piece, _SIZE),))
    return Table(piece, _ROWS, _DECIDED)


def _years(data: bytes) -> Decimal:
    return Decimal(data[0] >> 3) / 2


_DECIDED = ((0, 1),)
_UNKNOWN_FORM = (field("41FD17", 0, 1, remark="manufacturer data of an unknown form"),)
_ROWS = (*fields_of((1, "01FD17"), (2, "01FF01")), value("FDFD03", _years, 2, 3))
