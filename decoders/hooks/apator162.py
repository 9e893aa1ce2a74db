"""Apator AT-WMBUS-16-2: registers of its own, each a tag and data of fixed length.

::

    marker  7 bytes of header   tag data  tag data ...   FF...   checksum (2, at most 4 bytes)

Of most tags only the length is known. The lengths come from public observation; header and checksum are not
understood. An unknown tag ends the list, since where the next one begins is not known any more.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from decimal import Decimal

from decoders.payload import BY_OBSERVATION, Piece, Sent
from decoders.rows import NO_TABLE, Row, Table, value

__all__ = ["read_table"]

_MODES = frozenset({0, 5})
_FIRST_REGISTER = 8
_PADDING = b"\xff"
_CHECKSUM, _LONGEST_CHECKSUM = 2, 4

_TOTAL, _DAYS = 0x10, 0x43
_HISTORY = range(0x71, 0x7D)
_LITRE = Decimal("0.001")

_SIZES: Mapping[int, int] = {
    **dict.fromkeys((0x00, 0x10, 0x42, 0xA0, 0xA1, 0xA4, 0xF0), 4),
    **dict.fromkeys((0x01, 0x44, 0xA6, 0xD0, 0xD3, *range(0xB6, 0xC8)), 3),
    **dict.fromkeys((0x11, 0x41, 0x43, 0xA7, 0xA8, 0xAA, 0xAB, 0xAC, 0xAD, 0xB4), 2),
    **dict.fromkeys((0x40, 0x8B, 0x8C), 6),
    **{tag: 1 + 4 * ((tag & 0x0F) + 1) for tag in _HISTORY},
    **dict.fromkeys((0x80, 0x81, 0x82, 0x83, 0x84, 0x86, 0x87), 10),
    **dict.fromkeys((0x85, 0x88, 0x8F), 11),
    0x8A: 9,
    0x8E: 7,
    **dict.fromkeys((0xA2, 0xA5, 0xA9, 0xAF), 1),
    0xA3: 7,
    0xB0: 5,
    **dict.fromkeys((0xB1, 0xB3), 8),
    **dict.fromkeys((0xB2, 0xB5), 16),
}
"""Tag -> bytes of data."""


def read_table(sent: Sent) -> Table:
    """Read the total, and what public observation tells of days in operation and month ends."""
    piece = sent.application
    if sent.telegram.security.mode not in _MODES or len(piece) <= _FIRST_REGISTER:
        return NO_TABLE
    registers = list(_registers(piece))
    if all(piece[at] != _TOTAL for at in registers):
        return Table(piece, decided=((0, len(piece)),))
    rows = tuple(row for at in registers for row in _rows(piece[at], at + 1))
    rest = registers[-1] + 1 + _SIZES[piece[registers[-1]]]
    decided = (*((at, at + 1) for at in registers), (rest, len(piece)))
    return Table(piece, rows, decided, whole=True, sound=_ends_well(piece.data[rest:]))


def _registers(piece: Piece) -> Iterator[int]:
    """Say where the tags stand."""
    at = _FIRST_REGISTER
    while at + _CHECKSUM < len(piece) and piece[at] in _SIZES:
        end = at + 1 + _SIZES[piece[at]]
        if end > len(piece):
            return
        yield at
        at = end


def _ends_well(rest: bytes) -> bool:
    """Whether nothing but padding and the checksum stands behind the last register."""
    return len(rest) >= _CHECKSUM and not rest[:-_LONGEST_CHECKSUM].strip(_PADDING)


@functools.cache
def _rows(tag: int, at: int) -> tuple[Row, ...]:
    """Say what the data of a tag hold that begin there."""
    if tag == _TOTAL:
        return (value("13", _litres, at, at + 4),)
    if tag == _DAYS:
        remark = f"days in operation, {BY_OBSERVATION}"
        return (value("A7FF43", _seconds, at, at + 2, remark=remark),)
    return tuple(_months(at, at + _SIZES[tag])) if tag in _HISTORY else ()


def _months(start: int, end: int) -> Iterator[Row]:
    for place, at in enumerate(range(start + 1, end, 4), 1):
        remark = f"month end {place}, {BY_OBSERVATION}"
        yield value("93FF71", _litres, at, at + 4, storage=place, remark=remark)


def _litres(data: bytes) -> Decimal:
    return int.from_bytes(data, "little") * _LITRE


def _seconds(days: bytes) -> Decimal:
    return Decimal(int.from_bytes(days, "little") * 86400)
