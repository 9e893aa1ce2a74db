"""BFW 240 radio: heat cost allocator with the values of eighteen months, twelve bits each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from decoders.packed_dates import bcd_day
from decoders.payload import Sent
from decoders.rows import NO_TABLE, Row, Table, value

__all__ = ["read_table"]

_SIZE = 40
_MARK = b"\x2f\x2f"
_MONTHS = 18
_FIRST_MONTH, _DATE = 10, 37


def read_table(sent: Sent) -> Table:
    """Read this and the previous season, the months and the device's date."""
    piece = sent.application
    if sent.telegram.security.mode or len(piece) != _SIZE:
        return NO_TABLE
    return Table(piece, _ROWS if piece.data.startswith(_MARK) else (), _DECIDED, whole=True)


def _high_byte_first(data: bytes) -> Decimal:
    return Decimal(int.from_bytes(data, "big"))


def _lower(data: bytes) -> Decimal:
    return Decimal((data[1] >> 4) << 8 | data[0])


def _upper(data: bytes) -> Decimal:
    return Decimal((data[0] & 0x0F) << 8 | data[1])


def _today(data: bytes) -> date | None:
    return bcd_day(data[::-1])


def _months() -> Iterator[Row]:
    """Give the months, oldest first: the middle byte of three holds the upper digits of two values."""
    for place in range(_MONTHS // 2):
        at, back = _FIRST_MONTH + 3 * place, _MONTHS - 2 * place
        yield value("6E", _lower, at, at + 2, storage=back + 1)
        yield value("6E", _upper, at + 1, at + 3, storage=back)


_DECIDED = ((0, len(_MARK)),)
_ROWS = (
    value("6E", _high_byte_first, 6, 8),
    value("6E", _high_byte_first, 4, 6, storage=1),
    *_months(),
    value("6C", _today, _DATE, _SIZE),
)
