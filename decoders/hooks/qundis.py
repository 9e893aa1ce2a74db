"""Qundis: a block of values, dates and monthly steps in one record of variable length, VIF FF 5F.

Some devices send the block scrambled; then the place of the VIF holds none of those known, and the block
stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from decoders.payload import NOT_MINE, Payload, Piece, Sent, block
from decoders.telegram import Record

__all__ = ["read_payload"]

_HEADER = b"\x0d\xff\x5f"
_SIZE = 53
_VIF_AT = 9
_VIFS = frozenset({0x05, 0x06, 0x0D, 0x0E, 0x13, 0x6E})
_HCA = 0x6E
_STEPS, _FIRST_STEP, _LAST_STEP = 28, 2, 13
_PER_MONTH = "25"


def read_payload(sent: Sent) -> Payload:
    """Read now, the due date, the last month's end and the steps of twelve months."""
    for record in sent.telegram.records:
        piece = _block(record)
        if piece:
            return Payload(tuple(block(piece, _items(piece[_VIF_AT]))))
    return NOT_MINE


def _block(record: Record) -> Piece | None:
    """Take the block out of its record; ``None`` if it is another record, or not readable."""
    header = record.dib + record.vib
    if header != _HEADER or len(record.data) != 1 + _SIZE or record.data[1 + _VIF_AT] not in _VIFS:
        return None
    return Piece(record.data[1:], record.offset + len(header) + 1)


@functools.cache
def _items(vif: int) -> tuple[tuple[int, str], ...]:
    """Say which headers stand where."""
    return (*_values(vif), *_steps(vif))


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
