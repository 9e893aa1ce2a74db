"""Techem Vario 4 heat meter: energy of the last period and of this one, in MJ."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import NOT_MINE, Payload, Sent, told, truncated

__all__ = ["read_payload"]

_CI = 0xA2
_LEAST = 9
_MJ = Decimal(1_000_000)
_ENERGY, _THIS_PERIOD = "0E", "8EFF01"


def read_payload(sent: Sent) -> Payload:
    """Read both periods; the total is their sum."""
    piece = sent.application
    if sent.ci != _CI:
        return NOT_MINE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    previous, current = piece.cut(3, 5), piece.cut(7, 9)
    total = previous.unsigned() + current.unsigned()
    return Payload(
        (
            told(_ENERGY, total * _MJ, current, remark="sum of this period and the last"),
            told(_ENERGY, previous.unsigned() * _MJ, previous, storage=1),
            told(_THIS_PERIOD, current.unsigned() * _MJ, current),
        ),
        whole=True,
    )
