"""Techem Compact V heat meter: energy of the last period and of this one, in kWh."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import NOT_MINE, Payload, Sent, told, truncated

__all__ = ["read_payload"]

_CIS = frozenset({0xA0, 0xA1, 0xA2})
_LEAST = 10
_KWH = Decimal(1000)
_ENERGY, _THIS_PERIOD = "06", "86FF01"


def read_payload(sent: Sent) -> Payload:
    """Read both periods; the total is their sum."""
    piece = sent.application
    if sent.ci not in _CIS:
        return NOT_MINE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    previous, current = piece.cut(3, 6), piece.cut(7, 10)
    total = previous.unsigned() + current.unsigned()
    return Payload(
        (
            told(_ENERGY, total * _KWH, current, remark="sum of this period and the last"),
            told(_ENERGY, previous.unsigned() * _KWH, previous, storage=1),
            told(_THIS_PERIOD, current.unsigned() * _KWH, current),
        ),
        whole=True,
    )
