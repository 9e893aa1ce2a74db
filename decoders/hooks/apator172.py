"""Apator AT-WMBUS-17-2: a counter of thirds of a cubic metre, then bytes nobody has explained."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import NOT_MINE, Payload, Sent, thirds, told, truncated

__all__ = ["read_payload"]

_CI = 0xA0


def read_payload(sent: Sent) -> Payload:
    """Read the total, unsigned."""
    piece = sent.application
    if sent.ci != _CI:
        return NOT_MINE
    if len(piece) < 4:
        raise truncated(piece, 4)
    count = piece.cut(0, 4)
    total = thirds(count.unsigned(), Decimal(1))
    return Payload((told("13", total, count, remark="counted in thirds of a cubic metre"),), whole=True)
