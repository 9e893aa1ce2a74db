"""Techem FHKV data III: heat cost allocator with one or two temperature sensors; version 64 tells none."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from decoders.packed_dates import DayMonth, day_month, following, repacked
from decoders.payload import Sent, refused
from decoders.rows import NO_TABLE, Row, Table, field, fields_of

__all__ = ["read_table"]

_CIS = frozenset({0xA0, 0xA2})
_TEMPERATURES: Mapping[int, int] = {0x01: 9, 0x11: 9, 0x0F: 10}
"""First byte of the payload -> where the temperatures stand."""
_WITHOUT_TEMPERATURES = frozenset({"64"})
"""Versions that send zeros in their place, by observation."""


def read_table(sent: Sent) -> Table:
    """Read consumption of this season and the last, both dates, room and radiator temperature.

    Raises:
        LayerError: ``manufacturer_specific`` for other first bytes, ``truncated``.
    """
    piece = sent.application
    if sent.ci not in _CIS:
        return NO_TABLE
    layout = piece[0] if len(piece) else -1
    if layout not in _TEMPERATURES:
        raise refused(piece, "the first byte is none of 01, 0F, 11")
    told = sent.telegram.meter.version not in _WITHOUT_TEMPERATURES
    return Table(piece, _ROWS + (_temperatures(layout) if told else ()), _DECIDED, whole=True)


@functools.cache
def _temperatures(layout: int) -> tuple[Row, ...]:
    """Give room and radiator temperature."""
    at = _TEMPERATURES[layout]
    return fields_of((at, "0265"), (at + 2, "0259"))


def _today(data: bytes) -> bytes:
    """Give today its year; a day 0 is the first, a month 0 is December."""
    word = int.from_bytes(data[:2], "little")
    found = day_month(int.from_bytes(data[4:], "little"))
    return following(word, DayMonth(found.month or 12, found.day or 1))


_DECIDED = ((0, 1),)
_ROWS = (
    field("426C", 1, 3, repacked),
    field("426E", 3, 5),
    field("026C", 5, 7, _today, of=(1, 7), remark="the year is inferred"),
    field("026E", 7, 9),
)
