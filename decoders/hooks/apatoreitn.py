"""Apator E-ITN: heat cost allocator, fifteen bytes, in some telegrams behind something else."""

from __future__ import annotations

import functools
from datetime import date
from decimal import Decimal

from decoders.packed_dates import NO_DATE, day, type_t
from decoders.payload import Piece, Sent, refused
from decoders.rows import NO_TABLE, Row, Table, field, value

__all__ = ["read_table"]

_CIS = frozenset({0xA0, 0xB6})
_CORE = 15
_START = 0xA0
_FIRST_SEASON = 16
"""The year of the season's start is not sent, and always told as 2016."""
_FIVE_BITS = 0x1F
_LONGEST_BEFORE = 15


def read_table(sent: Sent) -> Table:
    """Read consumption of this season and the last, its dates, the seal, and room temperatures."""
    if sent.ci not in _CIS:
        return NO_TABLE
    application = sent.application
    core = _core(application)
    before = len(application) - len(core)
    return Table(application, _rows(before), ((0, before),), whole=True)


def _core(piece: Piece) -> Piece:
    """Find the fifteen bytes: alone, behind ``A0``, or behind a counted part and ``A0``."""
    before = len(piece) - _CORE
    counted = before - 2 == piece[0] <= _LONGEST_BEFORE if before > 1 else before == 1
    if before and not (counted and piece[before - 1] == _START):
        raise refused(piece, f"{len(piece)} bytes are no E-ITN telegram")
    return piece.cut(before)


def _season(data: bytes) -> date | None:
    return day(_FIRST_SEASON, data[0] >> 5, data[0] & 0x1F)


def _date(data: bytes) -> bytes:
    return type_t(int.from_bytes(data, "little"), _FIVE_BITS)


def _is_broken(data: bytes) -> bytes:
    """Tell whether the seal was opened."""
    return bytes((any(data),))


def _opened_on(data: bytes) -> bytes:
    return _date(data) if any(data) else NO_DATE


def _temperature(data: bytes) -> Decimal:
    """Read whole degrees (high byte) and 256ths."""
    return data[1] + Decimal(data[0]) / 256


@functools.cache
def _rows(at: int) -> tuple[Row, ...]:
    """Say what the fifteen bytes hold that begin there."""
    return (
        field("426E", at + 3, at + 5),
        field("026E", at + 7, at + 9),
        value("6C", _season, at, at + 1, storage=1),
        field("026C", at + 9, at + 11, _date),
        field("01FD17", at + 5, at + 7, _is_broken),
        field("326C", at + 5, at + 7, _opened_on),
        value("67", _temperature, at + 11, at + 13, storage=1),
        value("67", _temperature, at + 13, at + 15),
    )
