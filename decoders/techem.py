"""What the payloads of Techem's water meters have in common."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Piece, told, truncated
from decoders.telegram import Record

__all__ = ["TENTH", "volumes"]

TENTH = Decimal("0.1")
_LEAST = 9


def volumes(piece: Piece) -> tuple[Record, ...]:
    """Read the volume at the due date and since; the total is their sum.

    Raises:
        LayerError: ``truncated``.
    """
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    due, since = piece.cut(3, 5), piece.cut(7, 9)
    total = (due.signed() + since.signed()) * TENTH
    return (
        told("15", total, since, remark="sum of the value at the due date and the volume since"),
        told("15", due.signed() * TENTH, due, storage=1),
    )
