"""Qundis: a block of values, dates and monthly steps in one record of variable length, VIF FF 5F.

Some devices send the block scrambled; then the place of the VIF holds none of those known, and the block
stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from decoders.payload import Piece, Sent
from decoders.rows import NO_TABLE, Row, Table, fields_of
from decoders.telegram import Record

__all__ = ["read_table"]

_HEADER = b"\x0d\xff\x5f"
_SIZE = 53
_VIF_AT = 9
_DECIDED = (_VIF_AT, _VIF_AT + 1)
_VIFS = frozenset({0x05, 0x06, 0x0D, 0x0E, 0x13, 0x6E})
_HCA = 0x6E
_STEPS, _FIRST_STEP, _LAST_STEP = 28, 2, 13
_PER_MONTH = "25"


def read_table(sent: Sent) -> Table:
    """Read now, the due date, the last month's end and the steps of twelve months."""
    blocks = [_block(record) for record in sent.telegram.records if _may_be_block(record)]
    readable = [piece for piece in blocks if piece[_VIF_AT] in _VIFS]
    if not blocks:
        return NO_TABLE
    decided = (_DECIDED,) if len(blocks) == 1 else None
    piece = readable[0] if readable else blocks[0]
    return Table(piece, _rows(piece[_VIF_AT]) if readable else (), decided)


def _may_be_block(record: Record) -> bool:
    return record.dib + record.vib == _HEADER and len(record.data) == 1 + _SIZE


def _block(record: Record) -> Piece:
    """Take the block out of its record."""
    return Piece(record.data[1:], record.offset + len(_HEADER) + 1)


@functools.cache
def _rows(vif: int) -> tuple[Row, ...]:
    """Say which headers stand where."""
    return fields_of(*_values(vif), *_steps(vif))


def _values(vif: int) -> Iterator[tuple[int, str]]:
    yield 12, f"0C{vif:02X}"
    yield 16, "426C"
    yield 18, f"4C{vif:02X}"
    yield 22, "C2086C"
    yield 24, f"CC08{vif:02X}"


def _steps(vif: int) -> Iterator[tuple[int, str]]:
    """Give the consumption of past months; heat cost allocators do not use them."""
    if vif == _HCA:
        return
    numbers = range(_FIRST_STEP, _LAST_STEP + 1)
    for place, number in enumerate(numbers):
        dib = f"{0xC2 if number & 1 else 0x82:02X}{number >> 1:02X}"
        yield _STEPS + 2 * place, f"{dib}{vif | 0x80:02X}{_PER_MONTH}"
