"""Apator E-ITN: heat cost allocator, fifteen bytes, in some telegrams behind something else."""

from __future__ import annotations

from decimal import Decimal

from decoders.packed_dates import NO_DATE, day, type_t
from decoders.payload import NOT_MINE, Payload, Piece, Sent, refused, standard, told
from decoders.telegram import Record

__all__ = ["read_payload"]

_CIS = frozenset({0xA0, 0xB6})
_CORE = 15
_START = 0xA0
_FIRST_SEASON = 16
"""The year of the season's start is not sent, and always told as 2016."""
_FIVE_BITS = 0x1F
_LONGEST_BEFORE = 15


def read_payload(sent: Sent) -> Payload:
    """Read consumption of this season and the last, its dates, the seal, and room temperatures."""
    if sent.ci not in _CIS:
        return NOT_MINE
    core = _core(sent.application)
    season = day(_FIRST_SEASON, core[0] >> 5, core[0] & 0x1F)
    current = type_t(core.cut(9, 11).unsigned(), _FIVE_BITS)
    return Payload(
        (
            standard("426E", core.cut(3, 5)),
            standard("026E", core.cut(7, 9)),
            told("6C", season, core.cut(0, 1), storage=1),
            standard("026C", Piece(current, core.at + 9)),
            *_seal(core.cut(5, 7)),
            _temperature(core.cut(11, 13), 1),
            _temperature(core.cut(13, 15), 0),
        ),
        whole=True,
    )


def _core(piece: Piece) -> Piece:
    """Find the fifteen bytes: alone, behind ``A0``, or behind a counted part and ``A0``."""
    before = len(piece) - _CORE
    counted = before - 2 == piece[0] <= _LONGEST_BEFORE if before > 1 else before == 1
    if before and not (counted and piece[before - 1] == _START):
        raise refused(piece, f"{len(piece)} bytes are no E-ITN telegram")
    return piece.cut(before)


def _seal(word: Piece) -> list[Record]:
    """Tell whether and when the seal was opened."""
    opened = word.unsigned() != 0
    broken = standard("01FD17", Piece(bytes((opened,)), word.at))
    date = type_t(word.unsigned(), _FIVE_BITS) if opened else NO_DATE
    return [broken, standard("326C", Piece(date, word.at))]


def _temperature(word: Piece, storage: int) -> Record:
    """Read whole degrees (high byte) and 256ths."""
    return told("67", word[1] + Decimal(word[0]) / 256, word, storage=storage)
