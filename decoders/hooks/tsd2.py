"""Techem smoke detector: one status byte and a date."""

from __future__ import annotations

from decoders.packed_dates import repacked
from decoders.payload import Sent, truncated
from decoders.rows import NO_TABLE, Table, field

__all__ = ["read_table"]

_CI = 0xA0
_LEAST = 3


def read_table(sent: Sent) -> Table:
    """Read status and date.

    Raises:
        LayerError: ``truncated``.
    """
    piece = sent.application
    if sent.ci != _CI:
        return NO_TABLE
    if len(piece) < _LEAST:
        raise truncated(piece, _LEAST)
    return Table(piece, _ROWS, whole=True)


_ROWS = (field("01FD17", 0, 1), field("426C", 1, 3, repacked))
