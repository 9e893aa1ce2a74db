"""Apator AT-WMBUS-08: a counter of thirds of a litre, then bytes nobody has explained."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Sent, thirds, truncated
from decoders.rows import NO_TABLE, Table, value

__all__ = ["read_table"]

_CI = 0xA0
_LITRE = Decimal("0.001")


def read_table(sent: Sent) -> Table:
    """Read the total, unsigned."""
    piece = sent.application
    if sent.ci != _CI:
        return NO_TABLE
    if len(piece) < 4:
        raise truncated(piece, 4)
    return Table(piece, (_TOTAL,), whole=True)


def _total(data: bytes) -> Decimal:
    return thirds(int.from_bytes(data, "little"), _LITRE)


_TOTAL = value("13", _total, 0, 4, remark="counted in thirds of a litre")
