"""BFW 240 radio: heat cost allocator with the values of eighteen months, twelve bits each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from decoders.packed_dates import bcd_day
from decoders.payload import NOT_MINE, Payload, Piece, Sent, told
from decoders.telegram import Record

__all__ = ["read_payload"]

_SIZE = 40
_MARK = b"\x2f\x2f"
_MONTHS = 18
_FIRST_MONTH, _DATE = 10, 37


def read_payload(sent: Sent) -> Payload:
    """Read this and the previous season, the months and the device's date."""
    piece = sent.application
    if sent.telegram.security.mode or len(piece) != _SIZE or not piece.data.startswith(_MARK):
        return NOT_MINE
    today = piece.cut(_DATE)
    return Payload(
        (
            _high_byte_first(piece.cut(6, 8), 0),
            _high_byte_first(piece.cut(4, 6), 1),
            *_months(piece),
            told("6C", bcd_day(today.data[::-1]), today),
        ),
        whole=True,
    )


def _high_byte_first(piece: Piece, storage: int) -> Record:
    return told("6E", Decimal(int.from_bytes(piece.data, "big")), piece, storage=storage)


def _months(piece: Piece) -> Iterator[Record]:
    """Give the months, oldest first: the middle byte of three holds the upper digits of two values."""
    for place in range(_MONTHS // 2):
        group = piece.cut(_FIRST_MONTH + 3 * place, _FIRST_MONTH + 3 * place + 3)
        low, both, high = group.data
        back = _MONTHS - 2 * place
        yield told("6E", Decimal((both >> 4) << 8 | low), group.cut(0, 2), storage=back + 1)
        yield told("6E", Decimal((both & 0x0F) << 8 | high), group.cut(1, 3), storage=back)
