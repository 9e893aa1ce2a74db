"""Techem MK Radio 3 water meter: volume at the due date and since, in tenths of a cubic metre."""

from __future__ import annotations

from decoders.packed_dates import day_month, following, type_t
from decoders.payload import NOT_MINE, Payload, Piece, Sent, standard
from decoders.techem import volumes

__all__ = ["read_payload"]

_CI = 0xA2


def read_payload(sent: Sent) -> Payload:
    """Read total, value at the due date, due date and today.

    Raises:
        LayerError: ``truncated``.
    """
    piece = sent.application
    if sent.ci != _CI:
        return NOT_MINE
    due = piece.cut(1, 3).unsigned()
    today = following(due, day_month(piece.cut(5, 7).unsigned()))
    return Payload(
        (
            *volumes(piece),
            standard("426C", Piece(type_t(due), piece.at + 1)),
            standard("026C", Piece(today, piece.at + 5), "the year is inferred"),
        ),
        whole=True,
    )
