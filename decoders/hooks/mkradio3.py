"""Techem MK Radio 3 water meter: volume at the due date and since, in tenths of a cubic metre."""

from __future__ import annotations

from decoders.packed_dates import day_month, following, repacked
from decoders.payload import Sent
from decoders.rows import NO_TABLE, Table, field
from decoders.techem import VOLUMES, volumes

__all__ = ["read_table"]

_CI = 0xA2


def read_table(sent: Sent) -> Table:
    """Read total, value at the due date, due date and today.

    Raises:
        LayerError: ``truncated``.
    """
    if sent.ci != _CI:
        return NO_TABLE
    return Table(volumes(sent.application), _ROWS, whole=True)


def _today(data: bytes) -> bytes:
    """Give today its year: data from the due date on."""
    due, today = int.from_bytes(data[:2], "little"), int.from_bytes(data[4:], "little")
    return following(due, day_month(today))


_ROWS = (
    *VOLUMES,
    field("426C", 1, 3, repacked),
    field("026C", 5, 7, _today, of=(1, 7), remark="the year is inferred"),
)
