"""Techem Compact V heat meter: energy of the last period and of this one, in kWh."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Sent, truncated
from decoders.rows import NO_TABLE, Table, value

__all__ = ["read_table"]

_CIS = frozenset({0xA0, 0xA1, 0xA2})
_LEAST = 10
_KWH = Decimal(1000)
_ENERGY, _THIS_PERIOD = "06", "86FF01"


def read_table(sent: Sent) -> Table:
    """Read both periods; the total is their sum."""
    piece = sent.application
    if sent.ci not in _CIS:
        return NO_TABLE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    return Table(piece, _ROWS, whole=True)


def _energy(data: bytes) -> Decimal:
    return int.from_bytes(data, "little") * _KWH


def _sum(data: bytes) -> Decimal:
    return _energy(data[:3]) + _energy(data[4:])


_ROWS = (
    value(_ENERGY, _sum, 7, 10, of=(3, 10), remark="sum of this period and the last"),
    value(_ENERGY, _energy, 3, 6, storage=1),
    value(_THIS_PERIOD, _energy, 7, 10),
)
