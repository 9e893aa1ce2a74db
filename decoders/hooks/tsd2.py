"""Techem smoke detector: one status byte and a date."""

from __future__ import annotations

from decoders.packed_dates import type_t
from decoders.payload import NOT_MINE, Payload, Piece, Sent, standard, truncated

__all__ = ["read_payload"]

_CI = 0xA0
_LEAST = 3


def read_payload(sent: Sent) -> Payload:
    """Read status and date.

    Raises:
        LayerError: ``truncated``.
    """
    piece = sent.application
    if sent.ci != _CI:
        return NOT_MINE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    date = Piece(type_t(piece.cut(1, 3).unsigned()), piece.at + 1)
    return Payload((standard("01FD17", piece.cut(0, 1)), standard("426C", date)), whole=True)
