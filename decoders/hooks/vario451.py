"""Techem Vario 4 heat meter: energy of the last period and of this one, in MJ."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import Sent, truncated
from decoders.rows import NO_TABLE, Table, value

__all__ = ["read_table"]

_CI = 0xA2
_LEAST = 9
_MJ = Decimal(1_000_000)
_ENERGY, _THIS_PERIOD = "0E", "8EFF01"


def read_table(sent: Sent) -> Table:
    """Read both periods; the total is their sum."""
    piece = sent.application
    if sent.ci != _CI:
        return NO_TABLE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    return Table(piece, _ROWS, whole=True)


def _energy(data: bytes) -> Decimal:
    return int.from_bytes(data, "little") * _MJ


def _sum(data: bytes) -> Decimal:
    return _energy(data[:2]) + _energy(data[4:])


_ROWS = (
    value(_ENERGY, _sum, 7, 9, of=(3, 9), remark="sum of this period and the last"),
    value(_ENERGY, _energy, 3, 5, storage=1),
    value(_THIS_PERIOD, _energy, 7, 9),
)
