"""Zenner water meter, version 0B: status and two volumes in 256000ths of a cubic metre."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Sent
from decoders.rows import NO_TABLE, Table, field, value

__all__ = ["read_table"]

_MODES = frozenset({0, 5})
_SIZES = frozenset({13, 14})
_MANUFACTURER_DATA = 0x0F
_PARTS = 256_000


def read_table(sent: Sent) -> Table:
    """Read status, total and the value at the target date."""
    piece = sent.application
    if sent.telegram.security.mode not in _MODES or len(piece) not in _SIZES:
        return NO_TABLE
    return Table(piece, _ROWS if piece[0] == _MANUFACTURER_DATA else (), _DECIDED, whole=True)


def _volume(data: bytes) -> Decimal:
    return Decimal(int.from_bytes(data, "little", signed=True)) / _PARTS


_DECIDED = ((0, 1),)
_ROWS = (field("04FD17", 1, 5), value("13", _volume, 9, 13), value("13", _volume, 5, 9, storage=1))
