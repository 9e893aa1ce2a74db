"""Techem MK Radio 3, a newer form: total and consumption of the last twelve months, half month by half."""

from __future__ import annotations

from collections.abc import Iterator

from decoders.packed_dates import type_t
from decoders.payload import NOT_MINE, Payload, Piece, Sent, refused, standard, told
from decoders.techem import TENTH
from decoders.telegram import Record

__all__ = ["FIRST_MONTH", "read_payload"]

_CI = 0xA2
_SIZE = 44
_HALVES = 8
"""Where the newest half month stands; each takes two bytes and a filler."""
_MONTHS = 12
_PER_MONTH = "9525"

FIRST_MONTH = 20
"""Storage numbers are 20 + calendar month."""


def read_payload(sent: Sent) -> Payload:
    """Read total, target date and the months.

    Raises:
        LayerError: ``manufacturer_specific`` if the payload has another length.
    """
    piece = sent.application
    if sent.ci != _CI:
        return NOT_MINE
    if len(piece) != _SIZE:
        raise refused(piece, f"{len(piece)} bytes instead of {_SIZE}")
    word = piece.cut(2, 4).unsigned()
    total = piece.cut(4, 7)
    return Payload(
        (
            told("15", total.signed() * TENTH, total),
            standard("426C", Piece(type_t(word), piece.at + 2)),
            *_consumptions(piece, word),
        ),
        whole=True,
    )


def _consumptions(piece: Piece, word: int) -> Iterator[Record]:
    """Give the consumption of twelve calendar months, the month of the target date first."""
    month, day = word >> 5 & 0x0F, word & 0x1F
    for back in range(_MONTHS):
        volume, source = _month(piece, back, first_half=day <= 15)
        if back == 0:
            yield told(_PER_MONTH, volume * TENTH, source, storage=1)
        yield told(_PER_MONTH, volume * TENTH, source, storage=FIRST_MONTH + 1 + (month - 1 - back) % _MONTHS)


def _month(piece: Piece, back: int, *, first_half: bool) -> tuple[int, Piece]:
    """Add the halves of a month; in the first half of a month its second is the one of the month before."""
    at = _HALVES + 3 * back
    if not first_half:
        return piece[at] + piece[at + 1], piece.cut(at, at + 2)
    if back == 0:
        return piece[at], piece.cut(at, at + 1)
    return piece[at - 2] + piece[at], piece.cut(at - 2, at + 1)
