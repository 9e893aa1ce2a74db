"""Techem MK Radio 4 water meter: volume at the due date and since, in tenths of a cubic metre."""

from __future__ import annotations

from decoders.payload import Sent
from decoders.rows import NO_TABLE, Table
from decoders.techem import VOLUMES, volumes

__all__ = ["read_table"]

_CIS = frozenset({0xA0, 0xA2})


def read_table(sent: Sent) -> Table:
    """Read total and value at the due date; where MK Radio 3 has its dates stands something else.

    Raises:
        LayerError: ``truncated``.
    """
    if sent.ci not in _CIS:
        return NO_TABLE
    return Table(volumes(sent.application), VOLUMES, whole=True)
