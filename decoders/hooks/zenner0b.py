"""Zenner water meter, version 0B: status and two volumes in 256000ths of a cubic metre."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import NOT_MINE, Payload, Piece, Sent, standard, told
from decoders.telegram import Record

__all__ = ["read_payload"]

_MODES = frozenset({0, 5})
_SIZES = frozenset({13, 14})
_MANUFACTURER_DATA = 0x0F
_PARTS = 256_000


def read_payload(sent: Sent) -> Payload:
    """Read status, total and the value at the target date."""
    piece = sent.application
    if sent.telegram.security.mode not in _MODES or len(piece) not in _SIZES:
        return NOT_MINE
    if piece[0] != _MANUFACTURER_DATA:
        return NOT_MINE
    status, target, total = piece.cut(1, 5), piece.cut(5, 9), piece.cut(9, 13)
    records = (standard("04FD17", status), _volume(total, 0), _volume(target, 1))
    return Payload(records, whole=True)


def _volume(piece: Piece, storage: int) -> Record:
    return told("13", Decimal(piece.signed()) / _PARTS, piece, storage=storage)
