"""What the payloads of Techem's water meters have in common."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Piece, truncated
from decoders.rows import value

__all__ = ["TENTH", "VOLUMES", "volumes"]

TENTH = Decimal("0.1")
_LEAST = 9


def volumes(piece: Piece) -> Piece:
    """Check that the payload holds the volume at the due date and since.

    Raises:
        LayerError: ``truncated``.
    """
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    return piece


def _volume(data: bytes) -> Decimal:
    return int.from_bytes(data, "little", signed=True) * TENTH


def _sum(data: bytes) -> Decimal:
    return _volume(data[:2]) + _volume(data[4:])


VOLUMES = (
    value("15", _sum, 7, 9, of=(3, 9), remark="sum of the value at the due date and the volume since"),
    value("15", _volume, 3, 5, storage=1),
)
"""The total is the sum of both."""
